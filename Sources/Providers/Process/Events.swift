import PalFiles
public import PalProvider

extension ProcessProvider: EventfulProvider {
    /// Tells what happens in the instances' directories. Events say what was seen (`created`,
    /// `started`, `stopping`, `exited`, `updated`, `deleted`, `supervisor ended`).
    /// - Throws: A connection error where events were lost or the directory is gone.
    public func watchEvents(
        _ handler: @Sendable (ProviderEvent) async -> Void
    ) async throws(ProviderFailure) {
        var watcher: InstanceWatcher
        do { watcher = try InstanceWatcher(records) } catch {
            throw .error(
                ProviderError(
                    .connection, .unreachable, "cannot watch the instances: \(error)",
                    isRetryable: true))
        }
        await handler(.connected)
        for await batch in watcher.inotify.batches {
            guard let changes = watcher.understand(batch) else {
                throw .error(
                    ProviderError(
                        .connection, .unreachable,
                        "the events of \(layout.instances) were lost or it is gone; list again",
                        isRetryable: true))
            }
            for change in changes {
                if change.what == InstanceWatcher.unlocked { await settle(change.directory) }
                await handler(
                    .changed(
                        name: change.name, providerInstanceId: change.providerInstanceId,
                        what: change.what))
            }
        }
    }

    /// The lock's file is closed a moment before the lock is free: until then a list would not show
    /// what happened.
    private func settle(_ directory: String) async {
        let files = InstanceFiles(directory: RealPath.join(layout.instances, directory))
        guard let run = try? JSONFile.read(RunFile.self, at: files.run),
            let handle = ProcessHandle(run.supervisor)
        else { return }
        _ = await handle.hasEnded(within: .seconds(1), clock)
    }
}

/// Turns the kernel's file events into changes of instances.
struct InstanceWatcher {
    /// A change of one instance.
    struct Change: Hashable {
        var directory: String
        var name: String
        var providerInstanceId: String
        var what: String
    }

    static let unlocked = "supervisor ended"

    let inotify: Inotify
    private let records: RecordStore
    private let top: Inotify.Watch
    private var directories: [Inotify.Watch: String] = [:]
    private var ids: [String: String] = [:]

    init(_ records: RecordStore) throws(SystemError) {
        self.records = records
        inotify = try Inotify()
        top = try inotify.watch(records.layout.instances, for: .names)
        for case .text(let name) in try Directory.names(in: records.layout.instances) {
            watch(name)
        }
    }

    /// Nil where events were lost, or nothing can be watched any more.
    mutating func understand(_ batch: [InotifyEvent]) -> [Change]? {
        var changes: [Change] = []
        for event in batch {
            if event.mask.contains(.overflow) { return nil }
            let isTop = event.watch == top
            let ends: InotifyEvent.Mask = [.ignored, .deletedSelf, .movedSelf, .unmounted]
            if isTop, !event.mask.isDisjoint(with: ends) { return nil }
            let change = isTop ? ofTop(event) : ofInstance(event)
            if let change, !changes.contains(change) { changes.append(change) }
        }
        return changes
    }

    /// A directory came or went.
    private mutating func ofTop(_ event: InotifyEvent) -> Change? {
        guard let name = event.name, Layout.isInstanceDirectory(name) else { return nil }
        if event.mask.isDisjoint(with: [.created, .movedTo]) {
            return change(name, "deleted")
        }
        watch(name)
        return change(name, "created")
    }

    private mutating func ofInstance(_ event: InotifyEvent) -> Change? {
        if event.mask.contains(.ignored) {
            directories[event.watch] = nil
            return nil
        }
        guard let directory = directories[event.watch], let file = event.name else { return nil }
        let isNew = event.mask.contains(.movedTo)
        switch file {
        case "instance.json" where isNew: return change(directory, "updated")
        case "run.json" where isNew: return change(directory, "started")
        case "stop.json" where isNew: return change(directory, "stopping")
        case "exit.json" where isNew: return change(directory, "exited")
        case InstanceFiles.lockName where event.mask.contains(.written):
            return change(directory, Self.unlocked)
        default: return nil
        }
    }

    private mutating func watch(_ name: String) {
        guard Layout.isInstanceDirectory(name) else { return }
        let path = RealPath.join(records.layout.instances, name)
        // It may be gone again, or be no directory: then there is nothing to hear of it.
        guard let watch = try? inotify.watch(path, for: [.created, .movedTo, .written])
        else { return }
        directories[watch] = name
        ids[name] = (try? records.entry(directory: name))?.record.providerInstanceId
    }

    private func change(_ directory: String, _ what: String) -> Change? {
        guard let id = ids[directory] else { return nil }
        let name = directory.prefix { $0 != "." }
        return Change(
            directory: directory, name: String(name), providerInstanceId: id, what: what)
    }
}
