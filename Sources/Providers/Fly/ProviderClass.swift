public import Logging
public import PalModel
public import PalProvider

/// Makes providers that run instances as machines of Fly.io, through its Machines API.
public struct FlyProviderClass: ProviderClass {
    /// `fly`.
    public let type: ProviderType = "fly"
    /// One line for people.
    public let summary = "machines of Fly.io, through its Machines API"

    /// See `FlySettings`.
    public var settingKeys: [Shape.Member] { FlySettings.keys }

    private let clock: any Clock<Duration>

    /// - Parameter clock: What its providers wait on, and count calls by.
    public init(clock: any Clock<Duration> = ContinuousClock()) { self.clock = clock }

    /// Makes one. The variables of the `fly` command are understood.
    public func makeProvider(
        _ settings: ProviderSettings, logger: Logger
    ) throws(ProviderFailure) -> any Provider {
        FlyProvider(try FlySettings(settings), logger: logger, clock: clock)
    }
}
