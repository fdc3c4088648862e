import Glibc
import PalFiles
import PalModel
import PalProvider

/// Turns what an instance is into what its supervisor has to do.
struct LaunchPlan: Sendable {
    let settings: ProcessSettings

    /// The run to be, complete but for its cgroup. Looks at the machine; changes nothing.
    /// - Throws: An instance error where the program or the working directory is missing.
    func make(
        _ record: InstanceRecord, _ files: InstanceFiles, run: String
    ) throws(ProviderFailure) -> LaunchFile {
        let home = home(record, files)
        let directory = try workspace(record.config, home: home)
        var environment = environment(record, home: home)
        environment[LaunchFile.marker] = run
        let program = try program(record, files, directory, environment)
        return LaunchFile(
            run: run, executable: program.path, arguments: program.arguments,
            environment: environment, directory: directory,
            stopTimeout: Specifics(record.config).stopTimeout.milliseconds, cgroup: nil,
            mayLeaveCgroup: record.limits.isEmpty, logLimit: LogFormat.fileLimit,
            editor: program.editor?.editor,
            readinessPath: (program.editor ?? record.config.editor.flatMap(EditorProfile.of))?
                .readinessPath)
    }

    func home(_ record: InstanceRecord, _ files: InstanceFiles) -> String {
        record.isPersistent ? settings.layout.storage(record.ownership.name).home : files.home
    }

    private func workspace(
        _ config: InstanceConfig, home: String
    ) throws(ProviderFailure) -> String {
        guard let path = config.workspacePath else { return RealPath.join(home, "workspace") }
        guard Directories.isDirectory(path) else {
            throw .instance(
                .workspaceMissing,
                "workspacePath '\(path)' of '\(config.name)' is not a directory on this machine; "
                    + "create it or change workspacePath", isRetryable: true)
        }
        return path
    }

    /// The variables of the controller that every program may need. Nothing else is passed on: the
    /// controller's environment may hold secrets.
    private static let passed: Set<String> = [
        "LANG", "LANGUAGE", "LOGNAME", "SHELL", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ",
        "USER", "ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "all_proxy", "https_proxy",
        "http_proxy", "no_proxy",
    ]

    private func environment(_ record: InstanceRecord, home: String) -> [String: String] {
        var environment = settings.environment.filter { key, _ in
            Self.passed.contains(key) || key.hasPrefix("LC_")
        }
        environment["PATH"] = settings.path
        environment["HOME"] = home
        if let port = record.port { environment["PORT"] = String(port) }
        environment.merge(record.config.env ?? [:]) { _, own in own }
        environment["PAL_SWARM"] = record.ownership.swarm
        environment["PAL_NAME"] = record.ownership.name
        environment["PAL_ID"] = record.ownership.id
        return environment
    }

    private typealias Program = (path: String, arguments: [String], editor: EditorProfile?)

    private func program(
        _ record: InstanceRecord, _ files: InstanceFiles, _ directory: String,
        _ environment: [String: String]
    ) throws(ProviderFailure) -> Program {
        let path = environment["PATH"] ?? settings.path
        if let command = record.config.command, let name = command.first {
            guard let found = ProgramSearch.find(name, path: path, directory: directory) else {
                throw .instance(
                    .programMissing,
                    "the command '\(name)' of '\(record.ownership.name)' is no executable program"
                        + (name.contains("/") ? " in \(directory)" : " on PATH (\(path))")
                        + "; install it or change 'command'", isRetryable: true)
            }
            return (found, command, nil)
        }
        let wanted =
            record.config.editor.flatMap(EditorProfile.of).map { [$0] }
            ?? EditorProfile.all
        for profile in wanted {
            guard
                let found = ProgramSearch.find(profile.program, path: path, directory: directory)
            else { continue }
            let arguments = profile.arguments(
                port: record.port ?? profile.port, folder: directory,
                cookieSuffix: record.ownership.name, files)
            return (found, [profile.program] + arguments, profile)
        }
        throw .instance(
            .programMissing,
            "'\(record.ownership.name)' has no 'command', and no editor is installed: looked for "
                + wanted.map(\.program).joined(separator: ", ") + " on PATH (\(path)); install "
                + "one, set 'command', or use 'provider: docker'", isRetryable: true)
    }
}

/// Finding programs as a shell does.
enum ProgramSearch {
    /// The absolute path of an executable file; nil where there is none.
    ///
    /// A name with a slash is relative to the directory; others are looked for on the path.
    static func find(_ name: String, path: String, directory: String) -> String? {
        if name.hasPrefix("/") { return isExecutable(name) ? name : nil }
        if name.contains("/") {
            let full = RealPath.join(directory, name)
            return isExecutable(full) ? full : nil
        }
        return path.split(separator: ":").filter { $0.hasPrefix("/") }
            .map { RealPath.join(String($0), name) }.first(where: isExecutable)
    }

    private static func isExecutable(_ path: String) -> Bool {
        (try? FileFingerprint(at: path))?.kind == .file && access(path, X_OK) == 0
    }
}

extension InstanceRecord {
    /// What the control groups shall enforce.
    var limits: CgroupLimits {
        CgroupLimits(
            cores: config.resources.cpuCores, memoryMin: config.resources.memoryMin,
            memoryMax: config.resources.memoryMax)
    }
}
