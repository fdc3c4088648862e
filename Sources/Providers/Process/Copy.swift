import PalFiles
public import PalModel
public import PalProvider

/// A process has the files of this machine: paths mean the same inside and outside.
extension ProcessProvider: CopyingProvider {
    /// What stands at a path of this machine.
    public func pathKind(
        _ reference: InstanceReference, _ path: String
    ) async throws(ProviderFailure) -> PathKind? {
        guard let print = try? FileFingerprint(at: path) else { return nil }
        return print.kind == .directory ? .directory : .file
    }

    /// What stands at a path, and all below it.
    public func fetchArchive(
        _ reference: InstanceReference, _ path: String, into archive: String
    ) async throws(ProviderFailure) {
        guard (try? FileFingerprint(at: path, followingLinks: false)) != nil else {
            throw .instance(.notFound, "there is no \(path)")
        }
        do throws(TarProgram.Failure) {
            try await TarProgram.pack(path, into: archive)
        } catch {
            throw .machine("cannot copy \(path)", cause: error.description)
        }
    }

    /// Unpacks an archive in a directory, for the user that pal and the instances run as.
    public func storeArchive(
        _ reference: InstanceReference, _ archive: String, in directory: String
    ) async throws(ProviderFailure) {
        guard Directories.isDirectory(directory) else {
            throw .instance(.notFound, "there is no directory \(directory)")
        }
        do throws(TarProgram.Failure) {
            try await TarProgram.unpack(archive, in: directory)
        } catch {
            throw .machine("cannot copy into \(directory)", cause: error.description)
        }
    }
}
