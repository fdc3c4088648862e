import ArgumentParser
import Foundation
import Glibc
import Logging
import PalEngine
import PalFiles
import PalLedger
import PalModel
import PalProvider
import PalSpecs

/// Ends a command with one sentence and exit code 1.
struct CommandFailure: Error {
    var message: String
    init(_ message: String) { self.message = message }
}

/// The options by which every command finds its world.
struct WorldOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The controller's configuration.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The specs directory, without a configuration.", valueName: "dir"))
    var specs: String?

    @Flag(name: .shortAndLong, help: "Tell on the standard error what is done.")
    var verbose = false

    /// - Parameter directory: A specs directory given as an argument.
    func environment(_ directory: String? = nil) throws -> Environment {
        if config != nil, let specs = directory ?? specs {
            throw CommandFailure("give either --config or a specs directory ('\(specs)'), not both")
        }
        if let config { return try Environment(configFile: config) }
        if let specs = directory ?? specs {
            return try Environment(ControllerConfig(), specs: specs)
        }
        if FileManager.default.fileExists(atPath: "pal.yaml") {
            return try Environment(configFile: "pal.yaml")
        }
        return try Environment(ControllerConfig(), specs: "specs")
    }

    var logLevel: Logger.Level { verbose ? .debug : .error }
}

/// Where the swarm's things are: found from the configuration, without touching anything.
struct Environment {
    var swarm: String
    /// The specs directory as an absolute path.
    var specs: String
    /// As the user named it, for messages.
    var specsAsGiven: String
    var state: String
    var data: String
    var config: ControllerConfig
    var variables = ProcessInfo.processInfo.environment

    init(configFile: String) throws {
        guard let bytes = FileManager.default.contents(atPath: configFile) else {
            throw CommandFailure("cannot read \(configFile); check the path given with --config")
        }
        let config: ControllerConfig
        do {
            config = try ControllerConfig(bytes: Array(bytes), file: configFile)
        } catch {
            throw CommandFailure(error.diagnostics.map(\.description).joined(separator: "\n"))
        }
        let home = URL(fileURLWithPath: configFile).deletingLastPathComponent().path
        let specs = config.specs ?? "specs"
        try self.init(config, specs: specs.hasPrefix("/") ? specs : "\(home)/\(specs)")
    }

    init(_ config: ControllerConfig, specs given: String) throws {
        self.config = config
        specsAsGiven = given
        specs = Self.realPath(given)
        swarm = config.swarm ?? SwarmName.derived(fromSpecsPath: specs)
        state =
            try config.state.map { Self.realPath($0) }
            ?? Self.base("XDG_STATE_HOME", ".local/state", variables) + "/pal/" + swarm
        data = try Self.base("XDG_DATA_HOME", ".local/share", variables) + "/pal/" + swarm
    }

    /// The path without links; where its end is not there, that of the nearest directory that is.
    private static func realPath(_ path: String) -> String {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        if let real = Glibc.realpath(url.path, nil) {
            defer { free(real) }
            return String(cString: real)
        }
        guard url.path != "/" else { return "/" }
        let parent = realPath(url.deletingLastPathComponent().path)
        return (parent == "/" ? "" : parent) + "/" + url.lastPathComponent
    }

    private static func base(
        _ variable: String, _ standard: String, _ variables: [String: String]
    ) throws -> String {
        if let path = variables[variable], path.hasPrefix("/") { return path }
        guard let home = variables["HOME"], home.hasPrefix("/") else {
            throw CommandFailure(
                "neither \(variable) nor HOME is set; set one, so that pal can keep its state")
        }
        return "\(home)/\(standard)"
    }

    /// The policy that the configuration asks for.
    var policy: Policy {
        var policy = Policy()
        if let count = config.pruneCount { policy.pruneCount = count }
        if let percent = config.prunePercent { policy.prunePercent = percent }
        if let resync = config.resync { policy.resync = resync.duration }
        if let parallel = config.maximumParallel { policy.maximumParallel = parallel }
        return policy
    }
}
