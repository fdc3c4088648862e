import CLinux
@preconcurrency import Dispatch
import Glibc
import PalFiles

/// Names a process for good: its number alone is given to another process sooner or later.
struct ProcessIdentity: Sendable, Hashable, Codable {
    var pid: Int32
    /// Clock ticks from the boot to its start: field 22 of `/proc/PID/stat`, proc(5).
    var start: UInt64
    /// The boot that the ticks count from.
    var boot: String

    init(pid: Int32, start: UInt64, boot: String) {
        self.pid = pid
        self.start = start
        self.boot = boot
    }

    /// The process that has the number now; nil where none lives that has it.
    init?(pid: Int32) {
        guard let stat = ProcessStat(pid: pid), !stat.isDead, let boot = try? BootID.current()
        else { return nil }
        self.init(pid: pid, start: stat.start, boot: boot)
    }

    /// Whether exactly this process lives.
    var isAlive: Bool { ProcessIdentity(pid: pid) == self }
}

/// What `/proc/PID/stat` tells.
struct ProcessStat: Sendable, Hashable {
    var state: UInt8
    var parent: Int32
    var start: UInt64

    /// Dead, and at most waiting to be asked for its exit code.
    var isDead: Bool { [UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(state) }

    init?(pid: Int32) {
        guard pid > 0,
            let bytes = try? RegularFile.read(at: "/proc/\(pid)/stat", limit: 65_536).bytes
        else { return nil }
        self.init(bytes)
    }

    /// The program's name stands in parentheses and may itself hold spaces and parentheses.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first,
            let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
            let start = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        self.state = state
        self.parent = parent
        self.start = start
    }
}

/// A living process that can be signalled and waited for, whatever becomes of its number.
final class ProcessHandle: Sendable {
    private let descriptor: CInt

    /// Nil where exactly that process does not live any more.
    init?(_ identity: ProcessIdentity) {
        let descriptor = pal_pidfd_open(identity.pid)
        guard descriptor >= 0 else { return nil }
        // Looked at after it was opened: if it is the right one now, the descriptor is its own.
        guard identity.isAlive else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func send(_ signal: CInt) { _ = pal_pidfd_send_signal(descriptor, signal) }

    /// Waits for the end; blocks the thread for as long.
    func waitBlocking(milliseconds: CInt) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    /// Waits for the end, at most for so long or until the task is cancelled.
    ///
    /// When this is true, the process has let go of its files and locks.
    func hasEnded(within limit: Duration, _ clock: any Clock<Duration>) async -> Bool {
        if waitBlocking(milliseconds: 0) { return true }
        let ends = endings()
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in ends { return true }
                return false
            }
            group.addTask {
                try? await clock.sleep(for: limit)
                return false
            }
            let ended = await group.next() ?? false
            group.cancelAll()
            return ended || waitBlocking(milliseconds: 0)
        }
    }

    /// One element when the process has ended. Dispatch waits, so that no thread does.
    private func endings() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else {
            continuation.finish()
            return stream
        }
        let source = DispatchSource.makeReadSource(
            fileDescriptor: duplicate, queue: DispatchQueue(label: "process-end"))
        source.setEventHandler {
            continuation.yield()
            continuation.finish()
        }
        source.setCancelHandler { close(duplicate) }
        continuation.onTermination = { _ in source.cancel() }
        source.activate()
        return stream
    }
}
