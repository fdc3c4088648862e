internal import PalModel
public import PalProvider

/// A provider's rules, with what they say of every config worked out once.
///
/// An object, so that a decision carries one reference to all of it.
public final class RuleBook: Sendable {
    /// The rules themselves.
    public let rules: any ProviderRules
    /// What that provider can do.
    public let capabilities: Capabilities
    /// The fields that it takes and does not make true.
    let notEnforcedFields: FieldSet

    /// Asks the rules for their capabilities, unless these are given.
    public init(_ rules: any ProviderRules, capabilities: Capabilities? = nil) {
        self.rules = rules
        let capabilities = capabilities ?? rules.getCapabilities()
        self.capabilities = capabilities
        notEnforcedFields = capabilities.notEnforcedFields
    }
}
