import Logging
import PalModel
import PalProvider

/// A provider of which only the rules are asked: nothing stands behind it.
struct PaperProvider: AbstractProvider {
    let type: ProviderType = "paper"
    let name: String
    let region = "local"
    let logger = Logger(label: "paper")
    private let capabilities: Capabilities

    /// - Parameter sharesPorts: Whether it is one of those where a replacement can start first.
    init(_ name: String, sharesPorts: Bool) {
        self.name = name
        capabilities = Capabilities(
            fields: [
                "image": .honoured(.replace), "env": .honoured(.replace),
                "workspacePath": .honoured(.replace), "network.ports": .honoured(.replace),
                "labels": .honoured(.restart), "resources.cpu.cores": .honoured(.live),
                "resources.memory.max": .honoured(.live),
                "resources.storage.persistent": .honoured(.replace),
                "resources.storage.size": .notEnforced("paper has no sizes"),
            ], features: sharesPorts ? [] : [.storage, .adoption],
            maximumConcurrentCalls: 4,
            sharesOutsidePorts: sharesPorts)
    }

    func getCapabilities() -> Capabilities { capabilities }

    func classify(_ change: FieldChange) -> ChangeClass {
        if change.path == "resources.storage.persistent" {
            return change.to == .bool(false) ? .replaceLosingData : .replace
        }
        guard case .honoured(let kind) = capabilities.support(for: change.path) else {
            return .live
        }
        return kind
    }

    func follows(_ change: FieldChange, _ config: InstanceConfig) -> Bool { config.labels != nil }

    func hash(_ config: InstanceConfig) -> SpecHash {
        SpecHash(of: config, fields: capabilities.hashedFields)
    }

    private static let nothing = ProviderFailure.error(
        ProviderError(.provider, .platformFailure, "there is only paper", isRetryable: false))

    func createInstance(_ request: CreateRequest) async throws(ProviderFailure) -> VSCodeInstance {
        throw Self.nothing
    }
    func getInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> VSCodeInstance? { throw Self.nothing }
    func listInstances(
        _ filter: InstanceFilter
    ) async throws(ProviderFailure) -> [VSCodeInstance] { throw Self.nothing }
    func startInstance(_ reference: InstanceReference) async throws(ProviderFailure) {
        throw Self.nothing
    }
    func stopInstance(
        _ reference: InstanceReference, force: Bool
    ) async throws(ProviderFailure) { throw Self.nothing }
    func deleteInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> Bool { throw Self.nothing }
    func updateInstance(
        _ reference: InstanceReference, _ partial: PartialConfig
    ) async throws(ProviderFailure) -> VSCodeInstance { throw Self.nothing }
    func getInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions
    ) async throws(ProviderFailure) -> [LogLine] { throw Self.nothing }
    func executeCommand(
        _ reference: InstanceReference, _ command: Command
    ) async throws(ProviderFailure) -> CommandResult { throw Self.nothing }
}
