public import Logging
import PalFiles
import PalHTTP
public import PalModel
public import PalProvider
import Synchronization

/// Instances that are processes of this machine: a command, or an editor that is installed here.
///
/// Each runs under a supervisor of its own, which outlives the controller. Everything that is known
/// of an instance is in its directory below the provider's data directory; this object holds only
/// what can be lost.
public final class ProcessProvider: AbstractProvider {
    /// `process`.
    public let type: ProviderType = "process"
    /// For operators.
    public let logger: Logger

    let settings: ProcessSettings
    let supervisorCommand: [String]
    let clock: any Clock<Duration>
    let http: HTTPClient
    let verdicts = ReadyVerdicts()
    private let cgroups = Mutex<CgroupSupport?>(nil)

    /// - Parameters:
    ///   - settings: `dataDirectory` is where instances, storage and passwords are kept.
    ///   - supervisorCommand: the absolute path of an executable and the arguments with which it
    ///     calls `Supervisor.run(directory:)`; the directory is appended.
    ///   - clock: what limits of time are measured with.
    /// - Throws: A configuration error where the settings are wrong.
    public init(
        _ settings: ProviderSettings, supervisorCommand: [String], logger: Logger,
        clock: any Clock<Duration> = ContinuousClock()
    ) throws(ProviderFailure) {
        guard supervisorCommand.first?.hasPrefix("/") == true else {
            throw .configuration("the supervisor's command must begin with an absolute path")
        }
        self.settings = try ProcessSettings(settings)
        self.supervisorCommand = supervisorCommand
        self.logger = logger
        self.clock = clock
        http = HTTPClient()
    }

    /// The name that specs use.
    public var name: String { settings.name }
    /// What pal.yaml says, else `local`.
    public var region: String { settings.region }
    var layout: Layout { settings.layout }

    /// What can be limited here; all is assumed until `initialize` has looked.
    var cgroupSupport: CgroupSupport? { cgroups.withLock { $0 } }

    /// Makes the provider's directories, finds out which limits can be enforced, and deletes what a
    /// crash left half made or half deleted.
    public func initialize() async throws(ProviderFailure) {
        let (layout, records) = (layout, records)
        let support = try await offPool { () throws(ProviderFailure) in
            do throws(SystemError) {
                try Directories.make(layout.instances)
                try Directories.make(layout.storage)
            } catch {
                throw .system(error)
            }
            Directories.sweep(layout.instances)
            Directories.sweep(layout.storage)
            try records.finishStops()
            return CgroupSupport.probe()
        }
        cgroups.withLock { $0 = support }
    }

    /// What is honoured; limits as the last `initialize` found them.
    public func getCapabilities() -> Capabilities { .process(cgroupSupport) }

    /// See `Specifics`.
    public var specificKeys: [Shape.Member]? { Specifics.keys }

    /// The command, and the ports.
    public func validateSpecifics(_ config: InstanceConfig) -> [ConfigProblem] {
        ProcessRules.problems(config)
    }

    /// As the capabilities say; giving up persistence loses data.
    public func classify(_ change: FieldChange) -> ChangeClass { ProcessRules.classify(change) }

    /// Ends probes that are under way.
    public func shutdown() async { http.shutdown() }

    /// The one way in which an instance is made known to the outside.
    func describe(
        _ record: InstanceRecord, _ files: InstanceFiles
    ) async throws(ProviderFailure) -> VSCodeInstance {
        let state = try RunState.read(files)
        let launch = try? JSONFile.read(LaunchFile.self, at: files.launch)
        let readiness = await readiness(record, state, launch)
        return assemble(record, files, state, launch, readiness)
    }
}
