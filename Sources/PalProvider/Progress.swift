public import PalModel

/// How far a long call has come.
public struct Progress: Sendable, Hashable, Codable {
    /// What is going on, in one word: `Pulling`. A new word is something that happened, and is told
    /// as an event; more of the same word is not.
    public var reason: String
    /// What it is done to and how far it is: `the image x:1, 45 of 120 MB`. No secrets.
    public var message: String
    /// From 0 to 1; nil where nobody can tell.
    public var fraction: Double?

    /// Makes one of its parts.
    public init(_ reason: String, _ message: String, fraction: Double? = nil) {
        self.reason = reason
        self.message = message
        self.fraction = fraction
    }
}

/// Takes news of a long call; the call goes on when it has returned.
public typealias ProgressHandler = @Sendable (Progress) async -> Void

extension Provider {
    /// Makes sure that a creation can succeed, and tells nobody how far that is.
    public func prepareInstance(_ config: InstanceConfig) async throws(ProviderFailure) {
        try await prepareInstance(config) { _ in }
    }
}
