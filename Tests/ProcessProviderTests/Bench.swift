import FoundationEssentials
import Glibc
import Logging
import PalFiles
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

/// A swarm of its own in a directory of its own, with real processes.
struct Bench: Sendable {
    let directory: String
    let swarm: String
    let settings: ProviderSettings
    let provider: ProcessProvider

    /// Runs the body, and whatever comes of it ends every process and deletes every file.
    static func run(
        path: [String] = [], _ body: (Bench) async throws -> Void
    ) async throws {
        let bench = try await Bench(path: path)
        do {
            try await body(bench)
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    private init(path: [String]) async throws {
        swarm = "test-\(Creation.random())"
        directory = "\(FileManager.default.temporaryDirectory.path)/pal-\(swarm)"
        settings = ProviderSettings(
            type: "process", name: "local", swarm: swarm, dataDirectory: directory,
            environment: ["PATH": (path + ["/usr/bin", "/bin"]).joined(separator: ":")])
        provider = try Self.makeProvider(settings)
        try await provider.initialize()
    }

    private static func makeProvider(_ settings: ProviderSettings) throws -> ProcessProvider {
        try ProcessProvider(
            settings, supervisorCommand: [FixtureProcess.path, "supervise"],
            logger: Logger(label: "test"))
    }

    /// Another object for the same swarm, as after a restart of the controller.
    func freshProvider() async throws -> ProcessProvider {
        let fresh = try Self.makeProvider(settings)
        try await fresh.initialize()
        return fresh
    }

    private func clear() async throws {
        for entry in (try? provider.records.all()) ?? [] {
            try await provider.stop(entry, force: true)
        }
        await provider.shutdown()
        try Directories.deleteTree(directory)
    }

    func owner(_ name: String, id: String? = nil, generation: Int = 1) -> Ownership {
        Ownership(
            swarm: swarm, name: name, id: id ?? "id-\(name)", generation: generation,
            specHash: SpecHash(text: "v1:test"))
    }

    /// Creates an instance that runs a shell script.
    @discardableResult
    func create(
        _ name: String, _ script: String = "exec sleep 1000", id: String? = nil,
        generation: Int = 1, starts: Bool = true,
        _ change: (inout InstanceConfig) -> Void = { _ in }
    ) async throws -> VSCodeInstance {
        var config = InstanceConfig(name: name)
        config.command = ["sh", "-c", script]
        change(&config)
        return try await provider.createInstance(
            CreateRequest(
                config: config, ownership: owner(name, id: id, generation: generation),
                starts: starts))
    }

    func get(_ instance: VSCodeInstance) async throws -> VSCodeInstance {
        try #require(try await provider.getInstance(instance.reference))
    }

    func files(_ instance: VSCodeInstance) throws -> InstanceFiles {
        try provider.records.get(instance.reference).files
    }

    func run(_ instance: VSCodeInstance) throws -> RunFile {
        try JSONFile.read(RunFile.self, at: try files(instance).run)
    }

    /// Waits until the run has ended and its supervisor is gone.
    func awaitEnd(_ instance: VSCodeInstance) async throws {
        let files = try files(instance)
        await FileWait(clock: ContinuousClock()).until(files.directory, within: .seconds(60)) {
            (try? RunState.read(files))?.isActive == false
        }
        if let handle = ProcessHandle(try run(instance).supervisor) {
            #expect(await handle.hasEnded(within: .seconds(60), ContinuousClock()))
        }
    }

    /// Waits for a line of the instance that holds the text, and returns it.
    @discardableResult
    func awaitLine(_ instance: VSCodeInstance, _ text: String) async throws -> String {
        let (lines, found) = AsyncStream.makeStream(of: String.self)
        let provider = provider
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await provider.followInstanceLogs(instance.reference, LogOptions()) { line in
                    if line.text.contains(text) { found.yield(line.text) }
                }
                found.finish()
            }
            var iterator = lines.makeAsyncIterator()
            let line = await iterator.next()
            group.cancelAll()
            return try #require(line, "no line with '\(text)'")
        }
    }

    func texts(_ instance: VSCodeInstance) async throws -> [String] {
        try await provider.getInstanceLogs(instance.reference, LogOptions()).map(\.text)
    }
}

/// The provider's error that a call throws.
func failure<T>(
    _ code: ProviderError.Code, _ call: () async throws(ProviderFailure) -> T
) async -> String? {
    do {
        _ = try await call()
        Issue.record("nothing was thrown")
        return nil
    } catch {
        #expect(error.error?.code == code, "\(error)")
        return error.error?.message
    }
}
