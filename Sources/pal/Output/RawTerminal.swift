import Glibc
import PalProvider
import Synchronization

/// The terminal of the standard input while another program has it: every key goes through as it
/// is, and nothing is echoed here.
enum RawTerminal {
    private static let saved = Mutex<termios?>(nil)

    /// Whether the standard input is a terminal.
    static var isInput: Bool { isatty(STDIN_FILENO) == 1 }

    /// Makes it raw, until `restore`. False where the system refuses.
    static func enter() -> Bool {
        saved.withLock { saved in
            var before = termios()
            guard saved == nil, tcgetattr(STDIN_FILENO, &before) == 0 else { return false }
            var raw = before
            cfmakeraw(&raw)
            guard tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0 else { return false }
            saved = before
            return true
        }
    }

    /// Makes it what it was. Harmless where it was never made raw, and twice.
    static func restore() {
        saved.withLock { saved in
            guard var before = saved else { return }
            tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
            saved = nil
        }
    }

    /// How large it is; what terminals once were where nobody knows.
    static var size: TerminalSize {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO] {
            var window = winsize()
            if ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_row > 0 {
                return TerminalSize(rows: Int(window.ws_row), columns: Int(window.ws_col))
            }
        }
        return TerminalSize(rows: 24, columns: 80)
    }
}
