@preconcurrency import Dispatch
import Glibc

/// The standard input and outputs for a command that another program sits at.
enum StandardStreams {
    /// What is there to read; nil at the end. Waits on a thread that nobody else needs, and cannot
    /// be cancelled.
    static func read() async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: readBlocking()) }
        }
    }

    private static func readBlocking() -> [UInt8]? {
        while true {
            var code: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 32 << 10) { buffer, count in
                let result = Glibc.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
                if result < 0 { code = errno }
                count = max(0, result)
            }
            if !bytes.isEmpty { return bytes }
            switch code {
            case EINTR: continue
            case EAGAIN: wait(STDIN_FILENO, Int16(POLLIN))
            default: return nil
            }
        }
    }

    /// Writes all. False where nobody reads any more; SIGPIPE must be ignored for that.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno == EAGAIN {
                // The terminal may be shared with a program that set this.
                wait(descriptor, Int16(POLLOUT))
            } else if count < 0, errno != EINTR {
                return false
            }
        }
        return true
    }

    private static func wait(_ descriptor: Int32, _ events: Int16) {
        var polled = pollfd(fd: descriptor, events: events, revents: 0)
        poll(&polled, 1, -1)
    }
}
