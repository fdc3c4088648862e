/// Why a provider's call did not do what was asked.
public enum ProviderFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// It failed, and had no effect.
    case error(ProviderError)
    /// It may have taken effect. Not an error: look before you do anything else.
    case ambiguous(String)
    /// The change cannot be made to the standing object. Nothing was changed.
    case needsReplacement(String)

    /// The message, whichever case it is.
    public var description: String {
        switch self {
        case .error(let error): error.message
        case .ambiguous(let message): message
        case .needsReplacement(let message): message
        }
    }

    /// The error, where it is one.
    public var error: ProviderError? {
        guard case .error(let error) = self else { return nil }
        return error
    }
}

/// An error in the shape that all providers share.
public struct ProviderError: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    /// Who has to act.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// The platform: it answered with a failure of its own.
        case provider
        /// This instance: its image is missing, its port is taken.
        case instance
        /// The spec or pal.yaml: only an edit helps.
        case configuration
        /// The way to the platform.
        case connection
    }

    /// An open set of one-word codes for machines.
    public struct Code: RawRepresentable, Sendable, Hashable, Codable {
        /// The word, such as `NameTaken`.
        public let rawValue: String
        /// Makes one of a word, known or not.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// Reads it from a single value.
        public init(from decoder: any Decoder) throws {
            rawValue = try decoder.singleValueContainer().decode(String.self)
        }
        /// Writes it as a single value.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(rawValue)
        }

        /// The platform cannot be reached.
        public static let unreachable = Code(rawValue: "Unreachable")
        /// The user may not talk to the platform.
        public static let notPermitted = Code(rawValue: "NotPermitted")
        /// The call took longer than its limit.
        public static let timedOut = Code(rawValue: "TimedOut")
        /// The object is not there.
        public static let notFound = Code(rawValue: "NotFound")
        /// pal's own object of that name and generation stands already.
        public static let alreadyExists = Code(rawValue: "AlreadyExists")
        /// A foreign object bears the name.
        public static let nameTaken = Code(rawValue: "NameTaken")
        /// The image is not there.
        public static let imageMissing = Code(rawValue: "ImageMissing")
        /// A port is in use.
        public static let portTaken = Code(rawValue: "PortTaken")
        /// The object is not in a state that allows the call.
        public static let wrongState = Code(rawValue: "WrongState")
        /// The platform refuses the config.
        public static let invalidConfig = Code(rawValue: "InvalidConfig")
        /// Too many calls.
        public static let rateLimited = Code(rawValue: "RateLimited")
        /// A failure of the platform's own.
        public static let platformFailure = Code(rawValue: "PlatformFailure")
    }

    /// Who has to act.
    public var kind: Kind
    /// What went wrong, in one word for machines.
    public var code: Code
    /// What happened, to what, and what to do. No secrets.
    public var message: String
    /// What the platform said, where that adds something.
    public var cause: String?
    /// Whether the same call can succeed later without anybody acting.
    public var isRetryable: Bool
    /// Seconds that the platform asked to wait.
    public var retryAfter: Double?

    /// Makes one of its parts.
    public init(
        _ kind: Kind, _ code: Code, _ message: String, cause: String? = nil, isRetryable: Bool,
        retryAfter: Double? = nil
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.cause = cause
        self.isRetryable = isRetryable
        self.retryAfter = retryAfter
    }

    /// The message.
    public var description: String { message }
}

extension ProviderError.Code {
    /// The task was cancelled before the call was made.
    public static let cancelled = ProviderError.Code(rawValue: "Cancelled")
}

/// The errors that every provider has, in short.
extension ProviderFailure {
    /// An error of the way to the platform.
    public static func connection(
        _ code: ProviderError.Code, _ message: String, cause: String? = nil,
        isRetryable: Bool = true
    ) -> ProviderFailure {
        .error(
            ProviderError(.connection, code, message, cause: cause, isRetryable: isRetryable))
    }

    /// A configuration error: only an edit helps.
    public static func invalid(_ message: String, cause: String? = nil) -> ProviderFailure {
        .error(
            ProviderError(
                .configuration, .invalidConfig, message, cause: cause, isRetryable: false))
    }

    /// An error of one instance.
    public static func instance(
        _ code: ProviderError.Code, _ message: String, cause: String? = nil, isRetryable: Bool
    ) -> ProviderFailure {
        .error(ProviderError(.instance, code, message, cause: cause, isRetryable: isRetryable))
    }

    /// An instance error: what was asked of is not there.
    public static func notFound(_ message: String) -> ProviderFailure {
        .instance(.notFound, message, isRetryable: false)
    }
}
