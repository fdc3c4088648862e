public import Logging
public import PalModel
public import PalProvider

/// Makes providers that run instances as containers of a Docker Engine, or of anything that speaks
/// its API from 1.40 on.
public struct DockerProviderClass: ProviderClass {
    /// `docker`.
    public let type: ProviderType = "docker"
    /// One line for people.
    public let summary = "containers on a Docker Engine, through its API"

    /// See `DockerSettings`.
    public var settingKeys: [Shape.Member] { DockerSettings.keys }

    /// A class without state.
    public init() {}

    /// Makes one. The variables and contexts of the `docker` command are understood.
    public func makeProvider(
        _ settings: ProviderSettings, logger: Logger
    ) throws(ProviderFailure) -> any Provider {
        DockerProvider(try DockerSettings(settings), logger: logger)
    }
}
