import Foundation
import Glibc

/// The terminal: what may be said on it, and how.
enum Terminal {
    /// Whether the standard output is a terminal that may show colours and progress.
    static var isRich: Bool {
        isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
            && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// How wide the terminal of the standard output is.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes one line to the standard output, at once.
    static func say(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

    /// Writes one line to the standard error, at once.
    static func complain(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

    /// Writes bytes as they are.
    static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || (count < 0 && errno == EINTR) else { return }
            rest = rest.dropFirst(max(count, 0))
        }
    }

    static func write(_ text: String, to descriptor: Int32) {
        write(Array(text.utf8), to: descriptor)
    }

    static func exit(_ code: Int32) -> Never {
        RawTerminal.restore()
        fflush(nil)
        // Not exit(3): its handlers free what libcurl's and OpenSSL's threads may still be using.
        _exit(code)
    }

    /// A text in a colour, where colours may be shown.
    static func coloured(_ text: String, _ colour: Colour) -> String {
        isRich ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    enum Colour: Int {
        case red = 31
        case green = 32
        case yellow = 33
        case grey = 90
        case bold = 1
    }
}
