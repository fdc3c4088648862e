public import Logging
public import PalModel

/// What every provider shares: adopt it instead of `Provider` and get the defaults.
public protocol AbstractProvider: Provider {
    /// Where it writes for operators; never for users, and never secrets.
    var logger: Logger { get }

    /// The checks that only this provider can make, on top of the shared ones.
    func validateSpecifics(_ config: InstanceConfig) -> [ConfigProblem]
}

extension AbstractProvider {
    /// Refuses every field that is set and not supported, and a foreign region; then asks
    /// `validateSpecifics`.
    public func validateInstanceConfig(_ config: InstanceConfig) -> [ConfigProblem] {
        let refused = getCapabilities().unsupportedFields.meaningful(in: config)
        guard !refused.isEmpty else { return validateSpecifics(config) }
        return refused.compactMap(refusal) + validateSpecifics(config)
    }

    private func refusal(of field: Field) -> ConfigProblem? {
        guard case .unsupported(let reason) = getCapabilities().support(for: field.path)
        else { return nil }
        return ConfigProblem(field.path, "\(field.path) cannot be used on '\(name)': \(reason)")
    }

    /// No further checks.
    public func validateSpecifics(_ config: InstanceConfig) -> [ConfigProblem] { [] }

    /// As the capabilities say.
    public func classify(_ change: FieldChange) -> ChangeClass {
        guard case .honoured(let change) = getCapabilities().support(for: change.path)
        else { return .live }
        return change
    }

    /// Nothing to prepare.
    public func initialize() async throws(ProviderFailure) {}
    /// Nothing to give back.
    public func shutdown() async {}
    /// Nothing to make sure of.
    public func prepareInstance(
        _ config: InstanceConfig, progress: @escaping ProgressHandler
    ) async throws(ProviderFailure) {}

    /// An instance with all that a request already settles.
    public func createBaseInstance(
        _ ownership: Ownership, providerInstanceId: String, status: InstanceStatus,
        config: InstanceConfig
    ) -> VSCodeInstance {
        VSCodeInstance(
            id: ownership.id, name: ownership.name, type: type, providerName: name,
            providerRegion: region, providerInstanceId: providerInstanceId, status: status,
            config: config, ownership: ownership)
    }
}
