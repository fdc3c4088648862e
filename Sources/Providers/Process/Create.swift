import FoundationEssentials
import Glibc
import PalFiles
public import PalModel
public import PalProvider

extension ProcessProvider {
    /// Makes an instance's directory, and starts it unless the request says otherwise.
    ///
    /// The directory appears as a whole or not at all. Where the start fails, the instance stays.
    public func createInstance(
        _ request: CreateRequest
    ) async throws(ProviderFailure) -> VSCodeInstance {
        let problems = validateInstanceConfig(request.config)
        if !problems.isEmpty {
            throw .configuration(problems.map(\.message).joined(separator: "; "))
        }
        guard request.ownership.swarm == settings.swarm else {
            throw .configuration("provider '\(name)' makes no instances of another swarm")
        }
        let creation = Creation(records: records, plan: LaunchPlan(settings: settings))
        let (entry, notice) = try await offPool { () throws(ProviderFailure) in
            try creation.make(request)
        }
        if request.starts { try await start(entry) }
        var instance = try await describe(entry.record, entry.files)
        if let notice { instance.notices.append(notice) }
        return instance
    }
}

/// Makes the files of a new instance. Blocks.
struct Creation: Sendable {
    let records: RecordStore
    let plan: LaunchPlan

    typealias Made = (entry: RecordStore.Entry, notice: String?)

    func make(_ request: CreateRequest) throws(ProviderFailure) -> Made {
        try records.exclusively { () throws(ProviderFailure) in
            let owner = request.ownership
            let files = records.layout.instance(owner.name, generation: owner.generation)
            try checkName(files, owner)
            let book = PortBook(try records.all(), except: nil)
            let now = Date()
            let record = InstanceRecord(
                unique: Self.random(), ownership: owner, config: request.config,
                port: try book.choose(
                    request.config, kept: request.keptPorts.keys.filter { $0 < 65_536 }.sorted()),
                createdAt: now, updatedAt: now)
            try book.check(record.ports, of: owner.name, inUse: request.starts)
            // Before anything is made: is there something to run, and a place to run it in?
            _ = try plan.make(record, files, run: "")
            let notice = try record.isPersistent ? attachStorage(owner, now) : nil
            try write(record, files)
            return (RecordStore.Entry(record: record, files: files), notice)
        }
    }

    private func checkName(
        _ files: InstanceFiles, _ owner: Ownership
    ) throws(ProviderFailure) {
        guard Directories.exists(files.directory) else { return }
        let record = try? JSONFile.read(InstanceRecord.self, at: files.record)
        if record?.ownership.swarm == owner.swarm {
            throw .instance(
                .alreadyExists, "'\(owner.name)' stands already, in \(files.directory)")
        }
        throw .instance(
            .nameTaken,
            "\(files.directory) is there and was not made for swarm '\(owner.swarm)'; move it away "
                + "or rename the instance")
    }

    private func write(_ record: InstanceRecord, _ files: InstanceFiles) throws(ProviderFailure) {
        let hidden = RealPath.join(records.layout.instances, Directories.hiddenName())
        let new = InstanceFiles(directory: hidden)
        let password = Self.random() + Self.random()
        let config = EditorProfile.codeServerConfig(password: password)
        do {
            try Directories.make(hidden)
            try JSONFile.write(record, to: new.record)
            try AtomicFile.write(Array(password.utf8), to: new.password, mode: 0o600)
            try AtomicFile.write(Array(config.utf8), to: new.editorConfig, mode: 0o600)
            if rename(hidden, files.directory) != 0 {
                throw SystemError("create", files.directory, code: errno)
            }
            try AtomicFile.sync(directory: records.layout.instances)
        } catch {
            try? Directories.deleteTree(hidden)
            if let error = error as? SystemError { throw .system(error) }
            throw .machine("\(error)")
        }
    }

    /// Makes the storage, or takes what an earlier instance of the name left; says so then.
    private func attachStorage(
        _ owner: Ownership, _ now: Date
    ) throws(ProviderFailure) -> String? {
        let files = records.layout.storage(owner.name)
        do throws(JSONFile.Failure) {
            let old = try JSONFile.readIfPresent(StorageRecord.self, at: files.record)
            let made = StorageRecord(
                swarm: owner.swarm, name: owner.name, id: owner.id,
                createdAt: old?.createdAt ?? now)
            if let error = Self.makeDirectory(files.home) { throw error }
            try JSONFile.write(made, to: files.record)
            guard old != nil else { return nil }
            return "the storage that an earlier '\(owner.name)' left is attached again: "
                + files.home
        } catch {
            throw .file(error)
        }
    }

    private static func makeDirectory(_ path: String) -> JSONFile.Failure? {
        do { try Directories.make(path) } catch {
            return JSONFile.Failure(description: error.description)
        }
        return nil
    }

    /// 64 random bits in hexadecimal, from the system's generator: good enough for half a password.
    static func random() -> String {
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
