import DockerProvider
import Foundation
import Logging
import PalEngine
import PalHTTP
import PalLedger
import PalModel
import PalProvider
import PalSpecs
import TestSupport

/// A swarm of its own and the directories that it needs, for one benchmark.
struct BenchSwarm: Sendable {
    let swarm = "bench" + String(UInt64.random(in: 0 ... .max), radix: 36)
    private let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "pal-\(swarm)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    /// Removes every container, volume and network of the swarm, and the directories.
    func clear() async {
        do {
            try await clearEngine()
            let left = try await DockerEngine.shared.leftovers(of: swarm)
            if !left.isEmpty { tell("the Engine keeps \(left.joined(separator: ", "))") }
            try FileManager.default.removeItem(atPath: root)
        } catch {
            tell("not everything of swarm \(swarm) was removed: \(error)")
        }
    }

    /// Removes every container, volume and network of the swarm.
    func clearEngine() async throws {
        let engine = DockerEngine.shared
        let containers = try await engine.containers(swarm: swarm)
        try await eachOf(containers.map(\.Id), atOnce: 8) {
            try await engine.call("DELETE", "/containers/\($0)?force=1&v=1")
        }
        try await engine.removeEverything(of: swarm)
    }

    /// Writes one spec file for each name.
    ///
    /// - Returns: The directory.
    func writeSpecs(_ names: [String], _ more: String = "") throws -> String {
        let directory = "\(root)/specs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        for name in names { try writeSpec(name, more, in: directory) }
        return directory
    }

    /// Writes the spec file of one name. The Engine's check comes after ten minutes, and is not
    /// measured. The editor has no password of its own: nobody else here
    /// makes one, and it is a file that is written into each container.
    func writeSpec(_ name: String, _ more: String, in directory: String) throws {
        try """
        name: \(name)
        image: \(BusyboxImage.name)
        editor: custom
        network: { port: 8080 }
        health: { path: /healthz, interval: 10m }
        \(more)
        """.write(toFile: "\(directory)/\(name).yaml", atomically: true, encoding: .utf8)
    }

    /// A ledger on disk in a new state directory.
    func makeLedger() throws -> SQLiteLedger {
        try SQLiteLedger.open(directory: "\(root)/state-\(UUID().uuidString)")
    }

    /// pal's engine as `pal` puts it together.
    func makeReconciler(specs: String, ledger: any Ledger) throws -> Reconciler {
        var logger = Logger(label: "pal-bench")
        logger.logLevel = .error
        let provider = try DockerProviderClass().makeProvider(
            ProviderSettings(
                type: "docker", name: "docker", swarm: swarm, dataDirectory: "\(root)/data"),
            logger: logger)
        return try Reconciler(
            .init(
                swarm: swarm, source: SpecDirectory(path: specs), providers: [provider],
                ledger: ledger, logger: logger))
    }
}

/// Does something with all items, so many at once; the first error ends it.
func eachOf<Item: Sendable>(
    _ items: [Item], atOnce limit: Int, _ body: @Sendable @escaping (Item) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, item) in items.enumerated() {
            if index >= limit { try await group.next() }
            group.addTask { try await body(item) }
        }
        try await group.waitForAll()
    }
}
