internal import PalModel

/// What a person can agree to: each consent names the object, and holds for no other.
extension InstanceRecord {
    static func consent(toDelete instance: VSCodeInstance) -> String {
        "delete \(instance.providerInstanceId)"
    }

    static func consent(toTakeOver instance: VSCodeInstance) -> String {
        "take over \(instance.providerInstanceId)"
    }

    func agrees(toDelete instance: VSCodeInstance) -> Bool {
        consent == Self.consent(toDelete: instance)
    }

    func agrees(toTakeOver instance: VSCodeInstance) -> Bool {
        consent == Self.consent(toTakeOver: instance)
    }
}
