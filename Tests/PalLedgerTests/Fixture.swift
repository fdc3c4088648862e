import FoundationEssentials
import GRDB
import Glibc
import PalEngine
import PalLedger
import PalModel

/// A state directory of its own, gone with the object.
final class StateFixture: Sendable {
    let path: String

    init() {
        path = "/tmp/pal-ledger-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var database: String { path + "/pal.db" }

    /// A connection that knows nothing of pal.
    func stranger() throws -> DatabaseQueue {
        if !FileManager.default.fileExists(atPath: path) {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }
        return try DatabaseQueue(path: database)
    }

    /// What a crash at this moment leaves: the files as they are, without a clean end.
    func crashed() throws -> StateFixture {
        let copy = StateFixture()
        try FileManager.default.createDirectory(
            atPath: copy.path, withIntermediateDirectories: true)
        for name in ["pal.db", "pal.db-wal"] {
            try FileManager.default.copyItem(
                atPath: "\(path)/\(name)", toPath: "\(copy.path)/\(name)")
        }
        return copy
    }
}

extension InstanceRecord {
    /// A record with every field set, and values that are easily bent on the way.
    static func full(_ name: String) -> InstanceRecord {
        var config = InstanceConfig(name: name)
        config.image = "codercom/code-server:4.0"
        config.resources.cpuCores = 0.1
        config.env = ["TEXT": "quote \" and / and \u{1F980} and \u{7F}\n"]
        config.metadata = ["list": .list([.int(1), .double(0.1), .string("1"), .bool(true)])]
        config.state = .stopped
        let ownership = Ownership(
            swarm: "s", name: name, id: "id-1", generation: 3, specHash: SpecHash(text: "v1:00"))
        var observed = VSCodeInstance(
            id: "id-1", name: name, type: "docker", providerName: "docker",
            providerRegion: "local", providerInstanceId: "c0ffee", status: .running,
            config: config, ownership: ownership, readiness: .notReady("starting"))
        observed.createdAt = Date(timeIntervalSinceReferenceDate: 0.1 + 0.2)
        observed.resources.cpu.used = 1.0 / 3
        observed.network.ports = [PortMapping(internal: 8080, external: 49_153)]
        observed.exit = ExitReport(code: 137, signal: 9, isOutOfMemory: true)

        var record = InstanceRecord(name: name, id: "id-1", provider: "docker")
        record.generation = 3
        record.issuedHashes = [SpecHash(text: "v1:00"), SpecHash(text: "v1:01")]
        record.applied = Shared(config)
        record.declaredFrom = "/srv/specs"
        record.location = SourceLocation(file: "a/b.yaml", line: 3, column: 7)
        record.observed = Shared(observed)
        record.conditions = [
            Condition(
                .held, reason: "Stopped", message: "by ann",
                since: Date(timeIntervalSinceReferenceDate: 812_345_678.123_456_7))
        ]
        record.keptPorts = [8080: 49_153, 53: 49_154]
        record.hold = Hold(
            by: "ann", since: Date(timeIntervalSinceReferenceDate: 1.5), declaredState: .running)
        record.consent = "delete object-1"
        record.failures = 2
        return record
    }

    static func small(_ name: String, generation: Int = 1) -> InstanceRecord {
        var record = InstanceRecord(name: name, id: "id-\(name)", provider: "docker")
        record.generation = generation
        return record
    }
}

extension Intent {
    static func creation(_ name: String, generation: Int = 1) -> Intent {
        Intent(
            name: name, provider: "docker", step: Step(.create, generation: generation),
            at: Date(timeIntervalSinceReferenceDate: 12.25))
    }
}

extension EventRecord {
    static func made(_ name: String?, _ message: String = "made") -> EventRecord {
        EventRecord(
            at: Date(timeIntervalSinceReferenceDate: 1.0 / 3), name: name, severity: .normal,
            reason: "Created", message: message)
    }
}

/// The message of the error that a call must throw.
func refusal(_ body: () throws(LedgerError) -> Void) -> String {
    do {
        try body()
        return ""
    } catch {
        return error.message
    }
}
