internal import PalModel
internal import PalProvider

/// Makes one step of a plan true: the only place from which a provider is changed.
struct Executor {
    let provider: any Provider

    /// Makes the call of a step.
    ///
    /// - Returns: The instance as it is afterwards, where the call tells.
    func perform(
        _ step: Step, of name: String, _ request: CreateRequest?
    ) async throws(ProviderFailure) -> VSCodeInstance? {
        switch step.verb {
        case .create:
            guard let request else { return nil }
            return try await provider.createInstance(request)
        case .start:
            try await provider.startInstance(try target(step))
        case .stop:
            try await provider.stopInstance(try target(step), force: false)
        case .update:
            return try await provider.updateInstance(
                try target(step), step.partial ?? PartialConfig([]))
        case .delete:
            _ = try await provider.deleteInstance(try target(step))
        case .deleteStorage:
            try await deleteStorage(of: name)
        }
        return nil
    }

    /// Deletes what storage a name has left behind.
    private func deleteStorage(of name: String) async throws(ProviderFailure) {
        guard let storage = provider as? any StorageProvider else { return }
        for volume in try await storage.listStorage() where volume.instanceName == name {
            _ = try await storage.deleteStorage(volume.providerStorageId)
        }
    }

    private func target(_ step: Step) throws(ProviderFailure) -> InstanceReference {
        guard let target = step.target else {
            throw .error(
                ProviderError(
                    .provider, .notFound, "the \(step.verb.rawValue) step names no object",
                    isRetryable: false))
        }
        return target
    }
}
