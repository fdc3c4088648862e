public import Logging
public import PalModel

/// What every provider shares: adopt it instead of `Provider` and get the defaults.
public protocol AbstractProvider: Provider {
    /// Where it writes for operators; never for users, and never secrets.
    var logger: Logger { get }

    /// The checks that only this provider can make, on top of the shared ones. What `specific` has
    /// is known and has what it takes; keys of which that is not true are left out.
    func validateSpecifics(_ config: InstanceConfig) -> [ConfigProblem]
}

extension AbstractProvider {
    /// Refuses every field that is set and not supported, another region where that is fixed, and
    /// every key of `specific` that is unknown or has not what it takes; and asks
    /// `validateSpecifics` about the rest.
    public func validateInstanceConfig(_ config: InstanceConfig) -> [ConfigProblem] {
        let problems = regionProblems(config) + problemsOfSpecifics(config)
        let refused = getCapabilities().unsupportedFields.meaningful(in: config)
        guard !refused.isEmpty else { return problems }
        return refused.compactMap(refusal) + problems
    }

    private func regionProblems(_ config: InstanceConfig) -> [ConfigProblem] {
        guard let other = config.region, other != region,
            case .fixed(let reason) = getCapabilities().support(for: "region")
        else { return [] }
        return [
            ConfigProblem(
                "region",
                "region '\(other)' is not that of provider '\(name)' ('\(region)'): \(reason)")
        ]
    }

    private func problemsOfSpecifics(_ config: InstanceConfig) -> [ConfigProblem] {
        let mistakes = mistakes(in: config.specific)
        // As nearly always; a config is not copied only to be looked at.
        guard !mistakes.isEmpty else { return validateSpecifics(config) }
        var good = config
        for case .key(let key)? in mistakes.map({ $0.path.dropFirst().first }) {
            good.specific?[key] = nil
        }
        return mistakes.map { ConfigProblem(FieldProblem.text(of: $0.path), $0.message) }
            + validateSpecifics(good)
    }

    private func mistakes(in specific: [String: Value]?) -> [FieldProblem] {
        guard let specific, let specificKeys else { return [] }
        return Shape.object(specificKeys).problems(of: .map(specific), at: [.key("specific")])
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
