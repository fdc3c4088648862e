public import PalModel

/// A provider that copies files into instances and out of them, as tar archives in files of this
/// machine. Nothing is unpacked before all of it has come.
public protocol CopyingProvider: Provider {
    /// What stands at an absolute path inside; nil where nothing does. Links are followed.
    func pathKind(
        _ reference: InstanceReference, _ path: String
    ) async throws(ProviderFailure) -> PathKind?

    /// Writes what stands at an absolute path inside, and all below it, into a new archive whose
    /// only root entry bears the last name of the path.
    /// - Throws: An instance error `NotFound` where nothing stands there.
    func fetchArchive(
        _ reference: InstanceReference, _ path: String, into archive: String
    ) async throws(ProviderFailure)

    /// Unpacks an archive in a directory inside. Owners and groups keep their numbers where the
    /// platform can do that; what stands there and is not in the archive stays.
    func storeArchive(
        _ reference: InstanceReference, _ archive: String, in directory: String
    ) async throws(ProviderFailure)
}

/// What a path leads to.
public enum PathKind: Sendable, Hashable {
    case directory, file
}
