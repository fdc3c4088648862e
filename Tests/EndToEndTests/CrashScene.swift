import Foundation
import PalLedger
import PalEngine
import PalHTTP
import PalModel
import PalProvider
import TestSupport

/// One object as its platform tells it, without pal's ledger.
struct Standing: Hashable, Sendable {
    var name: String
    /// pal's id of the instance.
    var id: String
    /// The platform's id of the object.
    var object: String
    var isRunning: Bool
}

/// What must stand once a restart has mended what a crash left.
struct Expected: Sendable {
    /// Exactly the names that are declared.
    var names: Set<String>
    /// Pal's ids by name, of those that stood before.
    var ids: [String: String] = [:]
    /// Objects by name, of those that were not to be replaced.
    var objects: [String: String] = [:]

    /// What is lost, doubled, too much, or another than it was.
    func complaints(about standing: [Standing]) -> [String] {
        let byName = Dictionary(grouping: standing, by: \.name)
        let tooMuch = byName.keys.filter { !names.contains($0) }.sorted()
        return tooMuch.map { "'\($0)' stands and is not declared" }
            + names.sorted().flatMap { complaints(about: $0, byName[$0] ?? []) }
    }

    private func complaints(about name: String, _ found: [Standing]) -> [String] {
        guard let one = found.first else { return ["'\(name)' is lost"] }
        guard found.count == 1 else { return ["'\(name)' stands \(found.count) times"] }
        var complaints: [String] = []
        if !one.isRunning { complaints.append("'\(name)' does not run") }
        if let id = ids[name], id != one.id {
            complaints.append("'\(name)' had the id \(id) and has \(one.id)")
        }
        if let object = objects[name], object != one.object {
            complaints.append("'\(name)' was another object: \(object), now \(one.object)")
        }
        return complaints
    }
}

extension Scene {
    /// Where this scene's instances of the process provider are.
    var data: String { root + "/data/pal/\(swarm)" }

    /// Applies the specs, and is killed at a moment; 0 for not at all.
    func apply(killedAt moment: Int) async throws -> PalProgram.Outcome {
        let directory = URL(filePath: specs).resolvingSymlinksInPath().path
        return try await PalProgram.run(
            [directory, state, data, swarm, PalProgram.pal, String(moment)],
            program: "CrashFixture", environment: environment, directory: root)
    }

    /// Applies the specs without a crash.
    func converge() async throws {
        let outcome = try await apply(killedAt: 0)
        guard outcome.code == 0 else { throw TestFailure("it does not converge: \(outcome)") }
    }

    /// Makes these the only spec files: text by name.
    func declare(_ declared: [String: String]) throws {
        for file in try FileManager.default.contentsOfDirectory(atPath: specs)
        where declared[file] == nil { try remove(file) }
        for (file, text) in declared { try write(file, text) }
    }

    /// Every object of this swarm, as the platform tells it.
    func standing(_ platform: Platform) async throws -> [Standing] {
        switch platform {
        case .docker:
            return try await DockerEngine.shared.containers(swarm: swarm).map {
                Standing(
                    name: $0.Labels["pal.name"] ?? "", id: $0.Labels["pal.id"] ?? "",
                    object: $0.Id, isRunning: $0.State == "running")
            }
        case .process:
            let provider = try processProvider()
            let found = try await provider.listInstances(.all)
            await provider.shutdown()
            return found.map {
                Standing(
                    name: $0.name, id: $0.id, object: $0.providerInstanceId,
                    isRunning: $0.status == .running)
            }
        }
    }

    /// The names that have persistent storage.
    func stored(_ platform: Platform) async throws -> Set<String> {
        switch platform {
        case .docker:
            struct Volumes: Decodable { var Volumes: [Volume]? }
            struct Volume: Decodable { var Labels: [String: String]? }
            let filter =
                #"{"label":["pal.swarm=\#(swarm)"]}"#
                .addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let answer = try await DockerEngine.shared.call("GET", "/volumes?filters=\(filter)")
            let volumes = try JSONDecoder().decode(Volumes.self, from: Data(answer.body)).Volumes
            return Set((volumes ?? []).compactMap { $0.Labels?["pal.name"] })
        case .process:
            let directory = data + "/process/storage"
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            return Set(names.filter { !$0.hasPrefix(".") })
        }
    }

    /// How many programs of the process provider watch over instances of this scene.
    func supervisors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { pid in
            guard Int(pid) != nil,
                let line = FileManager.default.contents(
                    atPath: "/proc/\(pid)/cmdline")
            else { return false }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.contains("supervise") && words.last?.hasPrefix(data + "/") == true
        }.count
    }

    /// What pal itself has left to do or to tell: nothing, where all is well.
    func unfinished() async throws -> [String] {
        var complaints: [String] = []
        let plan = try await pal("plan")
        if plan.code != 0 || !plan.out.hasSuffix("Nothing to change.\n") {
            complaints.append("pal plan: \(plan)")
        }
        guard let ledger = try SQLiteLedger.openReadOnly(directory: state) else {
            return complaints + ["there is no ledger"]
        }
        let intents = try ledger.openIntents().map { "\($0.step.verb.rawValue) of \($0.name)" }
        if !intents.isEmpty { complaints.append("open intents: \(intents)") }
        let requests = try ledger.openRequests().count
        if requests > 0 { complaints.append("\(requests) requests were never answered") }
        return complaints
    }
}
