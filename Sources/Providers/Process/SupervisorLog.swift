import CLinux
import Glibc
import PalProvider

/// The log files of a run, written by its supervisor only.
///
/// A write that fails (the disk is full) loses lines and nothing else: the program goes on.
struct SupervisorLog: ~Copyable {
    private let path: String
    private let limit: Int
    private var descriptor: CInt = -1
    private var size = 0

    init(path: String, limit: Int) {
        self.path = path
        self.limit = limit
        openFile()
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    mutating func write(_ lines: [ArraySlice<UInt8>], _ stream: LogLine.Stream) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let space = UInt8(ascii: " ")
        let head = LogFormat.stamp(now) + [space, LogFormat.letter(of: stream), space]
        var block: [UInt8] = []
        for line in lines {
            let length = head.count + line.count + 1
            if size + block.count + length > limit, size + block.count > 0 {
                put(block)
                block.removeAll(keepingCapacity: true)
                rotate()
            }
            block += head
            block += line
            block.append(UInt8(ascii: "\n"))
        }
        put(block)
    }

    private mutating func put(_ block: [UInt8]) {
        var written = 0
        while written < block.count {
            let count = block[written...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
        size += written
    }

    private mutating func rotate() {
        for index in stride(from: LogFormat.fileCount - 1, to: 0, by: -1) {
            let older = index == 1 ? path : "\(path).\(index - 1)"
            rename(older, "\(path).\(index)")
        }
        if descriptor >= 0 { close(descriptor) }
        openFile()
    }

    private mutating func openFile() {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        let end = descriptor < 0 ? 0 : lseek(descriptor, 0, SEEK_END)
        size = max(0, Int(end))
    }
}

/// One output stream of the program: a pipe that is cut into lines.
struct SupervisedPipe {
    let stream: LogLine.Stream
    /// −1 after its end.
    private(set) var reading: CInt = -1
    private(set) var writing: CInt = -1
    private var partial: [UInt8] = []

    /// Nil where the process has no descriptor left.
    init?(_ stream: LogLine.Stream) {
        self.stream = stream
        var ends: [CInt] = [-1, -1]
        guard pal_pipe(&ends) == 0 else { return nil }
        (reading, writing) = (ends[0], ends[1])
        // Only the reading end: the program must find its own as every program expects it.
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
    }

    /// The program has its own copy now; without this the end would never be seen.
    mutating func closeWriting() {
        close(writing)
        writing = -1
    }

    /// Reads once; false where nothing is there now or ever again.
    mutating func pump(into log: inout SupervisorLog) -> Bool {
        guard reading >= 0 else { return false }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = read(reading, &chunk, chunk.count)
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return false }
        guard count > 0 else {
            finish(&log)
            return false
        }
        partial += chunk[..<count]
        writeLines(to: &log)
        return true
    }

    /// Closes the pipe, also while something that is beyond pal's reach holds its other end.
    mutating func finish(_ log: inout SupervisorLog) {
        if !partial.isEmpty { log.write([partial[...]], stream) }
        partial = []
        if reading >= 0 { close(reading) }
        reading = -1
    }

    /// What is left without a line's end is written when the end comes, or when it is too long.
    private mutating func writeLines(to log: inout SupervisorLog) {
        var lines: [ArraySlice<UInt8>] = []
        var rest = partial[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines += Self.pieces(of: rest[..<end])
            rest = rest[(end + 1)...]
        }
        while rest.count > LogFormat.lineLimit {
            lines.append(rest.prefix(LogFormat.lineLimit))
            rest = rest.dropFirst(LogFormat.lineLimit)
        }
        if !lines.isEmpty {
            log.write(lines, stream)
            partial = Array(rest)
        }
    }

    private static func pieces(of line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var rest = line
        repeat {
            pieces.append(rest.prefix(LogFormat.lineLimit))
            rest = rest.dropFirst(LogFormat.lineLimit)
        } while !rest.isEmpty
        return pieces
    }
}
