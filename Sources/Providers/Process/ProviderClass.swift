public import Logging
public import PalModel
public import PalProvider

/// Makes process providers.
public struct ProcessProviderClass: ProviderClass {
    /// `process`.
    public let type: ProviderType = "process"
    /// One line for people.
    public let summary = "processes on this machine, with nothing installed but pal"

    /// None.
    public let settingKeys: [Shape.Member] = []

    private let supervisorCommand: [String]

    /// - Parameter supervisorCommand: The absolute path of pal's own executable and the arguments
    ///   that make it call `Supervisor.run(directory:)`; the directory is appended.
    public init(supervisorCommand: [String]) { self.supervisorCommand = supervisorCommand }

    /// Makes one, without touching the machine.
    /// - Throws: A configuration error where the settings are wrong.
    public func makeProvider(
        _ settings: ProviderSettings, logger: Logger
    ) throws(ProviderFailure) -> any Provider {
        try ProcessProvider(settings, supervisorCommand: supervisorCommand, logger: logger)
    }
}
