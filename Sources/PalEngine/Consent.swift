internal import PalModel

/// What a person can agree to: each consent names the object, and holds for no other.
extension InstanceRecord {
    static func consent(toDelete instance: VSCodeInstance) -> String {
        "delete \(instance.providerInstanceId)"
    }

    /// Several are taken over at once, or none of them: there is room for one consent.
    static func consent(toTakeOver instances: [VSCodeInstance]) -> String {
        takeOver + instances.map(\.providerInstanceId).sorted().joined(separator: " ")
    }

    private static let takeOver = "take over "

    func agrees(toDelete instance: VSCodeInstance) -> Bool {
        consent == Self.consent(toDelete: instance)
    }

    func agrees(toTakeOver instance: VSCodeInstance) -> Bool {
        guard let consent, consent.hasPrefix(Self.takeOver) else { return false }
        return consent.dropFirst(Self.takeOver.utf8.count).split(separator: " ")
            .contains { $0 == instance.providerInstanceId }
    }
}
