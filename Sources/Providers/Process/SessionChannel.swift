import CLinux
import Glibc
import PalFiles
import PalProvider
import Synchronization

/// What a command reads from and writes to: a terminal of its own, or three pipes. All calls block,
/// except those that change something.
final class SessionChannel: Sendable {
    /// The command's ends, until they are the command's.
    struct CommandEnds {
        /// The path of the terminal; nil where there is none.
        var terminal: String?
        var input: CInt = -1
        var output: CInt = -1
        var error: CInt = -1
    }

    private struct Ends {
        var input: CInt
        var isInputOpen = true
        /// Output and error; a terminal has only the first, and it is the input too.
        var outputs: [CInt]
        /// Which of them will give nothing more.
        var over: Set<CInt> = []
    }

    let hasTerminal: Bool
    private let ends: Mutex<Ends>
    private let commandEnds: Mutex<CommandEnds>

    /// Makes both sides.
    init(_ request: SessionRequest) throws(SystemError) {
        if let size = request.terminal {
            let (descriptor, path) = try Self.openTerminal(size)
            hasTerminal = true
            ends = Mutex(Ends(input: descriptor, outputs: [descriptor]))
            commandEnds = Mutex(CommandEnds(terminal: path))
        } else {
            var pipes: [(reading: CInt, writing: CInt)] = []
            for _ in 0..<3 {
                do throws(SystemError) { pipes.append(try Self.openPipe()) } catch {
                    for pipe in pipes {
                        Glibc.close(pipe.reading)
                        Glibc.close(pipe.writing)
                    }
                    throw error
                }
            }
            for descriptor in [pipes[0].writing, pipes[1].reading, pipes[2].reading] {
                Self.makeNonBlocking(descriptor)
            }
            hasTerminal = false
            ends = Mutex(
                Ends(input: pipes[0].writing, outputs: [pipes[1].reading, pipes[2].reading]))
            commandEnds = Mutex(
                CommandEnds(
                    input: pipes[0].reading, output: pipes[1].writing, error: pipes[2].writing))
            if !request.takesInput { closeInput() }
        }
    }

    deinit {
        closeCommandEnds()
        let ends = ends.withLock { $0 }
        if ends.isInputOpen, !hasTerminal { Glibc.close(ends.input) }
        for descriptor in ends.outputs { Glibc.close(descriptor) }
    }

    /// Lends the command's ends to who starts it, and closes them on this side afterwards.
    func lend<R>(_ body: (CommandEnds) -> R) -> R {
        defer { closeCommandEnds() }
        return body(commandEnds.withLock { $0 })
    }

    private func closeCommandEnds() {
        let ends = commandEnds.withLock { ends in
            defer { ends = CommandEnds(terminal: ends.terminal) }
            return ends
        }
        for descriptor in [ends.input, ends.output, ends.error] where descriptor >= 0 {
            Glibc.close(descriptor)
        }
    }

    // MARK: Moving bytes

    /// The next output; nil when the command has ended and nothing is left, though something that
    /// it started may still hold the other side.
    func read(untilEndOf child: ChildProcess) -> SessionOutput? {
        while true {
            let (outputs, over) = ends.withLock { ($0.outputs, $0.over) }
            if over.count == outputs.count { return nil }
            var polled = (outputs.map { over.contains($0) ? -1 : $0 } + [child.handle])
                .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if poll(&polled, nfds_t(polled.count), -1) < 0 {
                if errno == EINTR { continue }
                return nil
            }
            guard let index = outputs.indices.first(where: { polled[$0].revents != 0 })
            else { return nil }
            if let bytes = take(outputs[index]) {
                return SessionOutput(index == 0 ? .stdout : .stderr, bytes)
            }
        }
    }

    /// Nil where nothing is there now, or nothing more will be; it is marked so then.
    private func take(_ descriptor: CInt) -> [UInt8]? {
        var code: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 32 << 10) { buffer, count in
            let result = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if result < 0 { code = errno }
            count = max(0, result)
        }
        if !bytes.isEmpty { return bytes }
        // A terminal that nobody has open any more says EIO.
        if code != EAGAIN, code != EINTR { _ = ends.withLock { $0.over.insert(descriptor) } }
        return nil
    }

    /// False where the command reads no more.
    func write(_ bytes: [UInt8], whileRunning child: ChildProcess) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let (descriptor, isOpen) = ends.withLock { ($0.input, $0.isInputOpen) }
            guard isOpen else { return false }
            let count = BrokenPipe.write(rest, to: descriptor)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == -EAGAIN {
                var polled = [
                    pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0),
                    pollfd(fd: child.handle, events: Int16(POLLIN), revents: 0),
                ]
                poll(&polled, 2, -1)
                if polled[0].revents == 0, polled[1].revents != 0 { return false }
            } else if count != -EINTR {
                return false
            }
        }
        return true
    }

    /// A terminal's reader is told by the character that ends a file.
    func closeInput() {
        ends.withLock { ends in
            guard ends.isInputOpen else { return }
            ends.isInputOpen = false
            if hasTerminal {
                var end: [UInt8] = [4]
                _ = Glibc.write(ends.input, &end, 1)
            } else {
                Glibc.close(ends.input)
            }
        }
    }

    func resize(_ size: TerminalSize) {
        guard hasTerminal else { return }
        Self.set(size, ends.withLock { $0.input })
    }

    // MARK: Making it

    private static func openTerminal(
        _ size: TerminalSize
    ) throws(SystemError) -> (CInt, path: String) {
        var name = [CChar](repeating: 0, count: 128)
        let descriptor = pal_open_terminal(&name, name.count)
        guard descriptor >= 0 else { throw SystemError("open", "a terminal", code: -descriptor) }
        makeNonBlocking(descriptor)
        set(size, descriptor)
        let path = String(
            decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return (descriptor, path)
    }

    private static func set(_ size: TerminalSize, _ descriptor: CInt) {
        var window = winsize()
        window.ws_row = UInt16(clamping: size.rows)
        window.ws_col = UInt16(clamping: size.columns)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &window)
    }

    private static func openPipe() throws(SystemError) -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [-1, -1]
        let code = pal_pipe(&ends)
        guard code == 0 else { throw SystemError("open", "a pipe", code: -code) }
        return (ends[0], ends[1])
    }

    private static func makeNonBlocking(_ descriptor: CInt) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
}

/// Writing to a pipe whose reader may be gone, without the signal that this raises: it would end
/// pal.
enum BrokenPipe {
    /// How many bytes were written, or a negative errno.
    static func write(_ bytes: ArraySlice<UInt8>, to descriptor: CInt) -> Int {
        var signal = sigset_t()
        var before = sigset_t()
        sigemptyset(&signal)
        sigaddset(&signal, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signal, &before)
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        let code = errno
        if count < 0, code == EPIPE {
            // It is this thread's, and waits to be taken.
            var none = timespec()
            sigtimedwait(&signal, nil, &none)
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        return count < 0 ? -Int(code) : count
    }
}
