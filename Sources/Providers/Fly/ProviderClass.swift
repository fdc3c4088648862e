public import Logging
public import PalModel
public import PalProvider

/// Makes providers that run instances as machines of Fly.io, through its Machines API.
public struct FlyProviderClass: ProviderClass {
    /// `fly`.
    public let type: ProviderType = "fly"
    /// One line for people.
    public let summary = "machines of Fly.io, through its Machines API"

    /// A class without state.
    public init() {}

    /// Makes one. `specific` takes `app`, `org`, `ips` and `tokenFile`; the variables of the `fly`
    /// command are understood.
    public func makeProvider(
        _ settings: ProviderSettings, logger: Logger
    ) throws(ProviderFailure) -> any Provider {
        FlyProvider(try FlySettings(settings), logger: logger)
    }
}
