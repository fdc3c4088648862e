import FoundationEssentials
import PalFiles
public import PalModel
public import PalProvider

extension ProcessProvider {
    /// Makes live and restart changes.
    ///
    /// Everything that can be wrong is found before the instance is touched. Then: stop, write,
    /// start, so that a crash at any point leaves either the old instance or a stopped one.
    public func updateInstance(
        _ reference: InstanceReference, _ partial: PartialConfig
    ) async throws(ProviderFailure) -> VSCodeInstance {
        let entry = try records.get(reference)
        let replacing = partial.changes.filter { classify($0) >= .replace }
        guard replacing.isEmpty else {
            throw .needsReplacement(
                "a process cannot change in place: " + replacing.map(\.text).joined(separator: ", ")
            )
        }
        let config = partial.applied(to: entry.record.config)
        let problems = validateInstanceConfig(config)
        if !problems.isEmpty {
            throw .configuration(problems.map(\.message).joined(separator: "; "))
        }
        let isActive = try RunState.read(entry.files).isActive
        let restarts = isActive && partial.changes.contains { classify($0) == .restart }
        let update = Update(
            records: records, plan: LaunchPlan(settings: settings), entry: entry, config: config)
        // The first time only to see whether it can be done.
        _ = try await offPool { () throws(ProviderFailure) in try update.make(writes: false) }
        if restarts { try await stop(entry, force: false) }
        let outcome = try await offPool { () throws(ProviderFailure) in
            let notice = isActive && !restarts ? try update.applyLimits() : nil
            return (entry: try update.make(writes: true), notice: notice)
        }
        if restarts { try await start(outcome.entry) }
        var instance = try await describe(outcome.entry.record, outcome.entry.files)
        if let notice = outcome.notice { instance.notices.append(notice) }
        return instance
    }
}

/// Rewrites the record of an instance. Blocks.
struct Update: Sendable {
    let records: RecordStore
    let plan: LaunchPlan
    let entry: RecordStore.Entry
    let config: InstanceConfig

    func make(writes: Bool) throws(ProviderFailure) -> RecordStore.Entry {
        try records.exclusively { () throws(ProviderFailure) in
            let old = entry.record
            let book = PortBook(try records.all(), except: old.providerInstanceId)
            var new = RecordStore.Entry(record: old, files: entry.files)
            new.record.config = config
            new.record.updatedAt = Date()
            let keepsPort =
                EditorProfile.declaredPort(config) == EditorProfile.declaredPort(old.config)
            if !keepsPort { new.record.port = try book.choose(config, kept: []) }
            try book.check(new.record.ports, of: old.ownership.name, inUse: false)
            // What it has itself, it may be listening on now.
            let added = new.record.ports.subtracting(old.ports)
            try book.check(added, of: old.ownership.name, inUse: true)
            _ = try plan.make(new.record, new.files, run: "")
            if writes {
                do throws(JSONFile.Failure) {
                    try JSONFile.write(new.record, to: new.files.record)
                } catch {
                    throw .file(error)
                }
            }
            return new
        }
    }

    /// Sets the limits of what runs; says so where that is not possible.
    func applyLimits() throws(ProviderFailure) -> String? {
        var new = entry.record
        new.config = config
        guard new.limits != entry.record.limits else { return nil }
        let launch = try? JSONFile.read(LaunchFile.self, at: entry.files.launch)
        guard let cgroup = launch?.cgroup else {
            return "the limits hold from the next start on: this run has no control group"
        }
        do { try cgroup.apply(new.limits) } catch {
            throw .machine(
                "\(error); where the new limit is below what is in use, restart the instance")
        }
        return nil
    }
}
