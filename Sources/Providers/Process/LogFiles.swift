import Glibc
import PalFiles
import PalProvider

/// Reading the log files of an instance while its supervisor writes and rotates them.
struct LogFiles: Sendable {
    /// The newest file; older ones are `.1` and `.2`.
    let path: String

    /// All lines of one moment, oldest first, or at least so many of the newest ones.
    func read(lines wanted: Int?) throws(SystemError) -> [LogLine] {
        for _ in 0..<8 {
            if let lines = try readOnce(wanted) { return lines }
        }
        throw SystemError("read", path, code: EBUSY)
    }

    /// Nil where the files were rotated meanwhile.
    private func readOnce(_ wanted: Int?) throws(SystemError) -> [LogLine]? {
        var tails: [LogTail] = []
        for index in 0..<LogFormat.fileCount {
            let file = index == 0 ? path : "\(path).\(index)"
            guard let tail = try LogTail(file) else { break }
            tails.append(tail)
        }
        guard let newest = tails.first else { return [] }
        guard newest.isStill(path), Set(tails.map(\.identity)).count == tails.count
        else { return nil }
        var lines: [LogLine] = []
        for tail in tails {
            lines = try tail.next() + lines
            if let wanted, lines.count >= wanted { break }
        }
        return lines
    }
}

/// One log file and how far it is read.
final class LogTail {
    /// Tells one file from another.
    struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    let identity: Identity
    private let path: String
    private let descriptor: CInt
    private var partial: [UInt8] = []

    /// Nil where there is no such file.
    init?(_ path: String) throws(SystemError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemError("open", path, code: errno)
        }
        self.path = path
        var info = stat()
        guard fstat(descriptor, &info) == 0 else {
            let code = errno
            close(descriptor)
            throw SystemError("look at", path, code: code)
        }
        identity = Identity(device: UInt64(info.st_dev), inode: UInt64(info.st_ino))
    }

    deinit { close(descriptor) }

    /// Whether the path still leads to this file.
    func isStill(_ path: String) -> Bool {
        guard let now = try? FileFingerprint(at: path).identity else { return false }
        return now.device == identity.device && now.inode == identity.inode
    }

    /// The whole lines that were added since the last time.
    func next() throws(SystemError) -> [LogLine] {
        var lines: [LogLine] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw SystemError("read", path, code: errno) }
            if count == 0 { return lines }
            partial += chunk[..<count]
            var rest = partial[...]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                if let line = LogFormat.parse(rest[..<end]) { lines.append(line) }
                rest = rest[(end + 1)...]
            }
            partial = Array(rest)
        }
    }
}
