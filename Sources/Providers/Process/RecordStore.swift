import FoundationEssentials
import PalFiles
import PalModel
import PalProvider

/// The records of a provider's instances, read anew each time: other processes change them.
struct RecordStore: Sendable {
    let layout: Layout
    let swarm: String

    /// An instance and where its files are.
    struct Entry: Sendable, Hashable {
        var record: InstanceRecord
        var files: InstanceFiles
    }

    /// Every instance of the swarm, by name and generation: complete, or an error.
    func all() throws(ProviderFailure) -> [Entry] {
        let names: [Directory.Name]
        do { names = try Directory.names(in: layout.instances) } catch {
            throw .error(
                ProviderError(
                    .connection, .unreachable,
                    "\(error); it holds the instances of the process provider: if it was moved or "
                        + "is on a file system that is not mounted, bring it back",
                    isRetryable: true))
        }
        var entries: [Entry] = []
        for case .text(let name) in names where Layout.isInstanceDirectory(name) {
            if let entry = try entry(directory: name) { entries.append(entry) }
        }
        return entries
    }

    /// The instance in a directory; nil where there is none, or a foreign one.
    func entry(directory: String) throws(ProviderFailure) -> Entry? {
        let files = InstanceFiles(directory: RealPath.join(layout.instances, directory))
        let record: InstanceRecord?
        do { record = try JSONFile.readIfPresent(InstanceRecord.self, at: files.record) } catch {
            throw .machine(
                "\(error.description); repair or delete that directory: until then the list of "
                    + "instances is not complete")
        }
        guard let record, record.ownership.swarm == swarm else { return nil }
        return Entry(record: record, files: files)
    }

    /// The instance that a reference means; nil where there is none.
    func find(_ reference: InstanceReference) throws(ProviderFailure) -> Entry? {
        guard let wanted = reference.providerInstanceId else {
            return try all().filter { $0.record.ownership.id == reference.id }
                .max { $0.record.ownership.generation < $1.record.ownership.generation }
        }
        // name.generation.unique; anything else, a path too, is no instance.
        let parts = wanted.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, TextRule.isDNSLabel(String(parts[0])), Int(parts[1]) != nil,
            let entry = try entry(directory: "\(parts[0]).\(parts[1])"),
            entry.record.providerInstanceId == wanted
        else { return nil }
        return entry
    }

    /// The instance that a reference means.
    /// - Throws: `NotFound`.
    func get(_ reference: InstanceReference) throws(ProviderFailure) -> Entry {
        guard let entry = try find(reference) else {
            throw .noInstance(reference.providerInstanceId ?? reference.id)
        }
        return entry
    }

    /// The record with ports that are free now. Blocks.
    ///
    /// A port that pal chose gives way to another one where somebody took it meanwhile.
    /// - Throws: `PortTaken` where the spec fixes it.
    func settlePorts(of entry: Entry) throws(ProviderFailure) -> InstanceRecord {
        try exclusively { () throws(ProviderFailure) in
            var record = entry.record
            let book = PortBook(try all(), except: record.providerInstanceId)
            if case .from = EditorProfile.declaredPort(record.config) {
                record.port = try book.choose(record.config, kept: record.port.map { [$0] } ?? [])
            }
            try book.check(record.ports, of: record.ownership.name, inUse: true)
            if record != entry.record {
                record.updatedAt = Date()
                do throws(JSONFile.Failure) {
                    try JSONFile.write(record, to: entry.files.record)
                } catch {
                    throw .file(error)
                }
            }
            return record
        }
    }

    /// Runs the body while nobody else, in this process or another, chooses ports or takes names.
    func exclusively<T>(
        _ body: () throws(ProviderFailure) -> T
    ) throws(ProviderFailure) -> T {
        let lock: DescriptionLock
        do { lock = try DescriptionLock.wait(layout.lock) } catch { throw .system(error) }
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }
}

extension ProcessProvider {
    var records: RecordStore { RecordStore(layout: layout, swarm: settings.swarm) }

    /// Calls that block, on a thread that may.
    func offPool<T: Sendable>(
        _ body: @escaping @Sendable () throws(ProviderFailure) -> T
    ) async throws(ProviderFailure) -> T {
        try await runOffPool { Result(catching: body) }.get()
    }
}
