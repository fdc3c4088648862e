import FoundationEssentials
import PalFiles
public import PalModel
public import PalProvider

extension ProcessProvider: LogFollowingProvider {
    /// Lines of all runs that the files still hold: at least 16 MiB, where so much was written.
    public func getInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions
    ) async throws(ProviderFailure) -> [LogLine] {
        let files = try records.get(reference).files
        return try await offPool { () throws(ProviderFailure) in
            let filter = try LineFilter(options)
            do throws(SystemError) {
                return filter.select(try LogFiles(path: files.log).read(lines: options.lines))
            } catch {
                throw .system(error)
            }
        }
    }

    /// Goes on over rotations, and ends with the run. Where a handler is slower than the instance
    /// writes, files that are rotated away meanwhile are missed.
    public func followInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions,
        _ handler: @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure) {
        let files = try records.get(reference).files
        let filter = try LineFilter(options)
        do throws(SystemError) {
            let inotify = try Inotify()
            _ = try inotify.watch(files.directory, for: [.names, .modified, .written])
            let follower = try LogFollower(files)
            for line in filter.select(try follower.next()) { await handler(line) }
            var batches = inotify.batches
            while try await !hasEnded(files) {
                guard await batches.next() != nil else { return }
                for line in try follower.next() where filter.takes(line) { await handler(line) }
            }
            for line in try follower.next() where filter.takes(line) { await handler(line) }
        } catch {
            throw .system(error)
        }
    }

    /// Whether nothing can be added to the log of this run any more.
    private func hasEnded(_ files: InstanceFiles) async throws(SystemError) -> Bool {
        guard let state = try? RunState.read(files) else { return true }
        guard state.isActive, let supervisor = state.run?.supervisor else { return !state.isActive }
        // The lock's file is closed a moment before its holder is gone: the last event.
        guard let handle = ProcessHandle(supervisor) else { return true }
        return handle.waitBlocking(milliseconds: 0)
    }
}

/// The log of an instance from its first file on, over rotations.
final class LogFollower {
    private let files: InstanceFiles
    private var tail: LogTail?
    private var older: [LogLine] = []

    init(_ files: InstanceFiles) throws(SystemError) {
        self.files = files
        for index in stride(from: LogFormat.fileCount - 1, to: 0, by: -1) {
            older += try LogTail("\(files.log).\(index)")?.next() ?? []
        }
        tail = try LogTail(files.log)
    }

    /// What was added since the last time.
    func next() throws(SystemError) -> [LogLine] {
        var lines = older
        older = []
        while true {
            lines += try tail?.next() ?? []
            if let tail, tail.isStill(files.log) { return lines }
            // Rotated: the old one has an end now, and is read up to it; then the new one.
            lines += try tail?.next() ?? []
            guard let new = try LogTail(files.log) else { return lines }
            tail = new
        }
    }
}
