public import Logging
public import PalModel

/// How a provider is configured: an entry of `providers` in pal.yaml.
public struct ProviderSettings: Sendable, Hashable {
    /// Which kind of provider it is.
    public var type: ProviderType
    /// The name that specs use.
    public var name: String
    /// The region; nil for the provider's own.
    public var region: String?
    /// The swarm whose instances the provider sees and makes.
    public var swarm: String
    /// Where what the instances themselves need is kept on this machine.
    public var dataDirectory: String
    /// The provider's own settings.
    public var specific: [String: Value]
    /// The controller's environment, for what a platform's tools read from it (`DOCKER_HOST`).
    public var environment: [String: String]

    /// Makes one of its parts.
    public init(
        type: ProviderType, name: String, region: String? = nil, swarm: String,
        dataDirectory: String, specific: [String: Value] = [:], environment: [String: String] = [:]
    ) {
        self.type = type
        self.name = name
        self.region = region
        self.swarm = swarm
        self.dataDirectory = dataDirectory
        self.specific = specific
        self.environment = environment
    }

    /// Checks `specific` against the keys that a type of provider has.
    /// - Throws: A configuration error for the first thing that is wrong, with the provider's name.
    public func check(_ keys: [Shape.Member]) throws(ProviderFailure) {
        let shape = Shape.object(keys)
        guard let problem = shape.problems(of: .map(specific), at: [.key("specific")]).first
        else { return }
        let what =
            keys.isEmpty ? "\(type) has no settings of its own; remove specific" : problem.message
        throw .error(
            ProviderError(
                .configuration, .invalidConfig, "provider '\(name)': \(what)",
                isRetryable: false))
    }
}

/// Makes a provider of one type from its settings, without contact to the platform.
public protocol ProviderClass: Sendable {
    /// The type that it makes.
    var type: ProviderType { get }
    /// One line for people.
    var summary: String { get }
    /// The keys that an entry's `specific` in pal.yaml has, each with what it takes.
    var settingKeys: [Shape.Member] { get }
    /// Makes one, with settings that it checks by these keys.
    /// - Throws: A configuration error where the settings are wrong.
    func makeProvider(
        _ settings: ProviderSettings, logger: Logger
    ) throws(ProviderFailure) -> any Provider
}

/// Knows every type of provider. A value that the composition root fills; there is no global one.
public struct ProviderFactory: Sendable {
    /// The type where none is given.
    public static let defaultType: ProviderType = "docker"

    private var classes: [ProviderType: any ProviderClass] = [:]

    /// A factory that knows nothing yet.
    public init() {}

    /// Adds a type; one that is registered already is replaced.
    public mutating func registerProvider(_ providerClass: any ProviderClass) {
        classes[providerClass.type] = providerClass
    }

    /// The class of a type, or nil.
    public func getProviderClass(_ type: ProviderType) -> (any ProviderClass)? { classes[type] }

    /// All types, sorted.
    public func getProviderTypes() -> [ProviderType] {
        classes.keys.sorted { $0.rawValue < $1.rawValue }
    }

    /// Whether a type is known.
    public func isProviderRegistered(_ type: ProviderType) -> Bool { classes[type] != nil }

    /// Makes a provider.
    /// - Throws: A configuration error where the type is unknown or the settings are wrong.
    public func createProvider(
        _ settings: ProviderSettings, logger: Logger
    ) throws(ProviderFailure) -> any Provider {
        guard let providerClass = classes[settings.type] else {
            let known = getProviderTypes().map(\.rawValue)
            let hint =
                Suggestion.nearest(to: settings.type.rawValue, among: known)
                .map { "; did you mean '\($0)'?" } ?? "; known are \(known.joined(separator: ", "))"
            throw .error(
                ProviderError(
                    .configuration, .invalidConfig,
                    "no provider type '\(settings.type)'\(hint)", isRetryable: false))
        }
        return try providerClass.makeProvider(settings, logger: logger)
    }
}
