import CLinux
import Glibc
import PalFiles
public import PalModel
public import PalProvider
import Synchronization

extension ProcessProvider: InteractiveProvider {
    /// As `executeCommand`, with an input, and with a terminal of its own where one is asked for.
    /// Letting go of it ends the command and all that it started.
    public func openSession(
        _ reference: InstanceReference, _ request: SessionRequest
    ) async throws(ProviderFailure) -> any InteractiveSession {
        let execution = try execution(reference)
        let id = Creation.random()
        let place = try execution.place(request.command, id)
        guard let program = place.program else {
            return MissingProgramSession("pal: \(place.name): command not found\n")
        }
        return try await offPool { () throws(ProviderFailure) in
            do throws(SystemError) {
                let channel = try SessionChannel(request)
                let child = try ChildProcess.start(
                    program, request.command.arguments, place, channel)
                // At once, but not before its first instructions; what it allocates then is small.
                try? execution.launch.cgroup?.join(child.pid)
                return ProcessSession(execution: execution, id: id, channel: channel, child: child)
            } catch {
                throw .system(error)
            }
        }
    }
}

/// A command that was not there.
private final class MissingProgramSession: InteractiveSession {
    private let message: Mutex<String?>

    init(_ message: String) { self.message = Mutex(message) }

    func read() async -> SessionOutput? {
        message.withLock { message in
            defer { message = nil }
            return message.map { SessionOutput(.stderr, Array($0.utf8)) }
        }
    }

    func write(_ bytes: [UInt8]) async throws(ProviderFailure) {
        throw .instance(.wrongState, "the command has ended")
    }

    func closeInput() async {}
    func resize(_ size: TerminalSize) async {}
    func exitCode() async -> Int { 127 }
    func close() async {}
}

/// A command beside a run, with the ends of its channel that are pal's.
private final class ProcessSession: InteractiveSession {
    private let execution: Execution
    private let id: String
    private let channel: SessionChannel
    private let child: ChildProcess

    init(execution: Execution, id: String, channel: SessionChannel, child: ChildProcess) {
        self.execution = execution
        self.id = id
        self.channel = channel
        self.child = child
    }

    func read() async -> SessionOutput? {
        let (channel, child) = (channel, child)
        return await runOffPool { channel.read(untilEndOf: child) }
    }

    func write(_ bytes: [UInt8]) async throws(ProviderFailure) {
        let (channel, child) = (channel, child)
        let isTaken = await runOffPool { channel.write(bytes, whileRunning: child) }
        guard isTaken else {
            throw .instance(.wrongState, "the command reads no more, or has ended")
        }
    }

    func closeInput() async { channel.closeInput() }

    func resize(_ size: TerminalSize) async { channel.resize(size) }

    func exitCode() async -> Int { await child.exitCode() }

    func close() async {
        if !child.hasEnded { await execution.end(id) }
        channel.closeInput()
    }
}

/// Which user a command may run as.
enum OwnUser {
    /// Refuses everybody but the user that pal and the instance run as.
    static func check(_ user: String?, _ instance: String) throws(ProviderFailure) {
        guard let user else { return }
        let own = getuid()
        if user == String(own) { return }
        if let entry = getpwuid(own), String(cString: entry.pointee.pw_name) == user { return }
        throw .configuration(
            "a command in '\(instance)' runs as the user that pal runs as, not as '\(user)'; leave "
                + "the user out, or use sudo inside")
    }
}
