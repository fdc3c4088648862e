import PalFiles
import PalModel
public import PalProvider

extension ProcessProvider: StorageProvider {
    /// The homes that outlive instances. The id is the instance's name.
    public func listStorage() async throws(ProviderFailure) -> [StorageVolume] {
        let names: [Directory.Name]
        do { names = try Directory.names(in: layout.storage) } catch { throw .system(error) }
        var volumes: [StorageVolume] = []
        for case .text(let name) in names where Layout.isInstanceDirectory(name) {
            guard let record = try storageRecord(name) else { continue }
            volumes.append(
                StorageVolume(
                    providerStorageId: name, instanceName: record.name,
                    createdAt: record.createdAt))
        }
        return volumes
    }

    /// - Throws: `WrongState` while an instance of the name stands: it may be using it.
    public func deleteStorage(_ providerStorageId: String) async throws(ProviderFailure) -> Bool {
        guard TextRule.isDNSLabel(providerStorageId),
            try storageRecord(providerStorageId) != nil
        else { return false }
        let directory = layout.storage(providerStorageId).directory
        let records = records
        return try await offPool { () throws(ProviderFailure) in
            try records.exclusively { () throws(ProviderFailure) in
                let user = try records.all().first {
                    $0.record.ownership.name == providerStorageId && $0.record.isPersistent
                }
                if user != nil {
                    throw .instance(
                        .wrongState,
                        "the storage of '\(providerStorageId)' belongs to an instance that stands; "
                            + "delete that first")
                }
                guard Directories.exists(directory) else { return false }
                try Directories.deleteOrFail(directory)
                return true
            }
        }
    }

    /// Nil where there is none of this swarm.
    private func storageRecord(_ name: String) throws(ProviderFailure) -> StorageRecord? {
        let path = layout.storage(name).record
        do throws(JSONFile.Failure) {
            let record = try JSONFile.readIfPresent(StorageRecord.self, at: path)
            return record?.swarm == settings.swarm ? record : nil
        } catch {
            throw .file(error)
        }
    }
}
