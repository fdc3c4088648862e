public import Foundation

/// The built programs, run as a user runs them.
public enum PalProgram {
    /// The directory of built programs: that of the running test bundle.
    public static let directory = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    /// The path of pal itself: the optimized build, as people run it, where `PAL_TEST_PROGRAM` says
    /// where that is; `Tests/scripts/test.sh` does.
    public static let pal =
        ProcessInfo.processInfo.environment["PAL_TEST_PROGRAM"] ?? directory + "/pal"

    /// What a run of a program came to.
    public struct Outcome: Sendable, CustomStringConvertible {
        /// The exit code; 128 + n where signal n ended it.
        public var code: Int32
        /// What it wrote to standard output.
        public var out: String
        /// What it wrote to standard error.
        public var err: String
        /// All three, for a failed test's message.
        public var description: String { "exit \(code)\n\(out)\n\(err)" }
    }

    /// Runs a built program to its end.
    public static func run(
        _ arguments: [String], program: String = "pal", environment: [String: String],
        directory: String
    ) async throws -> Outcome {
        let base = FileManager.default.temporaryDirectory.appending(path: "pal-run-\(UUID())").path
        let (out, err) = (base + ".out", base + ".err")
        defer { for file in [out, err] { try? FileManager.default.removeItem(atPath: file) } }
        let process = try make(program, arguments, environment, directory, out, err)
        // Foundation keeps an ended process, and with it what it wrote to.
        defer { close(process) }
        let code = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { ended in
                let signal: Int32 = ended.terminationReason == .uncaughtSignal ? 128 : 0
                continuation.resume(returning: signal + ended.terminationStatus)
            }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        return Outcome(code: code, out: try text(out), err: try text(err))
    }

    /// Runs a program of the system, which must succeed.
    public static func succeed(_ program: String, _ arguments: String...) async throws {
        let outcome = try await run(arguments, program: program, environment: [:], directory: "/")
        guard outcome.code == 0 else { throw TestFailure("\(program) \(arguments): \(outcome)") }
    }

    /// Starts a program in the background; the caller ends it.
    public static func start(
        _ arguments: [String], program: String = "pal", environment: [String: String],
        directory: String, log: String
    ) throws -> Process {
        let process = try make(program, arguments, environment, directory, log, log)
        try process.run()
        close(process)
        return process
    }

    /// Closes this side of a process's output.
    private static func close(_ process: Process) {
        for output in [process.standardOutput, process.standardError] {
            try? (output as? FileHandle)?.close()
        }
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    private static func make(
        _ program: String, _ arguments: [String], _ environment: [String: String],
        _ directory: String, _ out: String, _ err: String
    ) throws -> Process {
        let process = Process()
        let path =
            program == "pal"
            ? pal : program.hasPrefix("/") ? program : Self.directory + "/" + program
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: directory)
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        process.environment = ["PATH": search].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try handle(out)
        process.standardError = out == err ? process.standardOutput : try handle(err)
        return process
    }

    private static func handle(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try FileHandle(forWritingTo: URL(filePath: path))
    }
}
