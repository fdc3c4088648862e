import FlyEmulation
import Foundation
import PalHTTP
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import FlyProvider

@Suite("The life of a machine on Fly.io", .timeLimit(.minutes(2)))
struct LifecycleTests {
    @Test("it stops when asked, starts again, and doing either twice is harmless")
    func stopAndStart() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice")
            for _ in 1...2 {
                try await swarm.provider.stopInstance(made.reference, force: false)
            }
            #expect(try await swarm.get(made).status == .stopped)
            #expect(try swarm.machine(made).state == "stopped")
            for _ in 1...2 { try await swarm.provider.startInstance(made.reference) }
            try await swarm.eventually("it runs") { try await swarm.get(made).status == .running }
        }
    }

    @Test("with stopMode: suspend it is suspended, and counts as stopped")
    func suspend() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") {
                $0.specific = ["stopMode": .string("suspend")]
            }
            try await swarm.provider.stopInstance(made.reference, force: false)
            #expect(try swarm.machine(made).state == "suspended")
            #expect(try await swarm.get(made).status == .stopped)
            try await swarm.provider.startInstance(made.reference)
            try await swarm.eventually("it runs") { try await swarm.get(made).status == .running }
        }
    }

    @Test("a start while the machine is still at something else waits for the end of that")
    func startTooEarly() async throws {
        var options = FlyEmulation.Options()
        options.delays.boot = .seconds(20)
        try await FlySwarm.run(options: options) { swarm in
            let made = try await swarm.provider.createInstance(
                swarm.request(swarm.config("alice"), starts: false))
            #expect(made.status == .stopped)
            async let first: Void = swarm.provider.startInstance(made.reference)
            async let second: Void = swarm.provider.startInstance(made.reference)
            _ = try await (first, second)
            try await swarm.eventually("it runs") { try await swarm.get(made).status == .running }
        }
    }

    @Test("a start and a stop while the machine is replaced wait for the end of that")
    func whileReplacing() async throws {
        var options = FlyEmulation.Options()
        options.delays.update = .seconds(15)
        try await FlySwarm.run(options: options) { swarm in
            let made = try await swarm.create("alice")
            let path = "/v1/apps/pal-team/machines/\(made.providerInstanceId)"
            let config = String(decoding: try swarm.machine(made).config, as: UTF8.self)
            for wish in ["start", "stop"] {
                let updated = try await swarm.api("POST", path, #"{"config": \#(config)}"#)
                #expect(updated.status == 200)
                #expect(try swarm.machine(made).state == "replacing")
                if wish == "start" {
                    try await swarm.provider.startInstance(made.reference)
                    #expect(swarm.fly.calls.contains { $0.status == 412 })
                    #expect(try await swarm.get(made).status == .running)
                } else {
                    try await swarm.provider.stopInstance(made.reference, force: false)
                    #expect(try await swarm.get(made).status == .stopped)
                }
            }
        }
    }

    @Test("a deletion is over when it is over, keeps the volume, and says whether there was one")
    func delete() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") { $0.resources.storagePersistent = true }
            swarm.fly.fail(.destroyedLingers)
            #expect(try await swarm.provider.deleteInstance(made.reference))
            #expect(try await swarm.provider.getInstance(made.reference) == nil)
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
            #expect(try await !swarm.provider.deleteInstance(made.reference))
            let kept = try await swarm.provider.listStorage()
            #expect(kept.map(\.instanceName) == ["alice"])
            let again = try await swarm.provider.createInstance(
                swarm.request(
                    swarm.config("alice") { $0.resources.storagePersistent = true },
                    generation: 2))
            #expect(again.notices.first?.contains("attached again") == true)
            #expect(swarm.fly.volumes(app: "pal-team").count == 1)
        }
    }

    @Test("what ends by itself says how, also for want of memory", arguments: [false, true])
    func ends(outOfMemory: Bool) async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") { $0.specific = ["restart": .string("no")] }
            swarm.fly.kill(
                machine: made.providerInstanceId, app: "pal-team", outOfMemory: outOfMemory)
            try await swarm.eventually("it has ended") {
                try await swarm.get(made).status != .running
            }
            let exit = try #require(try await swarm.get(made).exit)
            #expect(exit.isOutOfMemory == outOfMemory)
        }
    }

    @Test("a check that fails is the reason for not being ready; Fly.io's own checks are not")
    func readiness() async throws {
        try await FlySwarm.run { swarm in
            let good = try await swarm.create("good") { $0.health.path = "/ok" }
            try await swarm.eventually("ready") { try await swarm.get(good).readiness.isReady }
            let bad = try await swarm.create("bad") { $0.health.path = "/never" }
            try await swarm.eventually("the reason is said") {
                guard case .notReady(let why) = try await swarm.get(bad).readiness else {
                    return false
                }
                return why.contains("connection refused")
            }
        }
    }

    @Test("a state that no document names is unknown, and nothing breaks")
    func unknownState() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice")
            swarm.fly.fail(.unknownState("hibernating"))
            #expect(try await swarm.get(made).status == .unknown)
            #expect(try await swarm.get(made).status == .running)
        }
    }

    @Test("a machine whose host does not answer stays in the list, as unknown")
    func unreachableHost() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice")
            swarm.fly.setHost("unreachable", machine: made.providerInstanceId, app: "pal-team")
            let seen = try #require(try await swarm.provider.listInstances(.all).first)
            #expect(seen.ownership == made.ownership)
            #expect(seen.status == .unknown)
            #expect(seen.config.image == nil, "what Fly.io does not know differs from nothing")
            swarm.fly.setHost("ok", machine: made.providerInstanceId, app: "pal-team")
            #expect(try await swarm.get(made).status == .running)
        }
    }

    @Test("where nobody knows whose a machine is, lists are errors, and nothing is done to it")
    func unknownOwner() async throws {
        var options = FlyEmulation.Options()
        options.forgetsAbsentHosts = true
        try await FlySwarm.run(options: options) { swarm in
            let made = try await swarm.create("alice")
            swarm.fly.setHost("unreachable", machine: made.providerInstanceId, app: "pal-team")
            // What was seen before is remembered; another process has not seen it.
            let remembered = try await swarm.provider.listInstances(.all)
            #expect(remembered.map(\.ownership) == [made.ownership])
            let other = try swarm.anotherProvider()
            let list = try await failure { () throws(ProviderFailure) in
                try await other.listInstances(.all)
            }
            #expect(list.error?.isRetryable == true)
            let deletion = try await failure { () throws(ProviderFailure) in
                try await other.deleteInstance(made.reference)
            }
            #expect(deletion == list)
            let creation = try await failure { () throws(ProviderFailure) in
                try await other.createInstance(swarm.request(swarm.config("alice")))
            }
            #expect(creation.error?.isRetryable == true)
            #expect(creation.description.contains("host does not answer"))
            await other.shutdown()
        }
    }

    @Test(
        "the home is the editor's user's before it is called ready, whatever happened before",
        .needsRoot)
    func home() async throws {
        try await FlySwarm.run { swarm in
            let request = swarm.request(
                swarm.config("alice") {
                    $0.editor = .codeServer
                    $0.network.port = nil
                    $0.resources.storagePersistent = true
                    $0.specific = ["homeOwner": .string("1234:1234")]
                })
            // The creation's own process never sees the machine.
            swarm.fly.fail(.dropAnswer(.createMachine))
            _ = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(request)
            }
            let found = try #require(try await swarm.provider.listInstances(.all).first)
            #expect(!found.readiness.isReady)
            try await swarm.eventually("ready") { try await swarm.get(found).readiness.isReady }
            let volume = try #require(swarm.fly.volumes(app: "pal-team").first)
            let owner =
                try FileManager.default.attributesOfItem(atPath: volume.directory)[
                    .ownerAccountID] as? Int
            #expect(owner == 1234)
            _ = swarm.fly.takeCalls()
            _ = try await swarm.get(found)
            #expect(!swarm.fly.takeCalls().contains { $0.path.hasSuffix("/exec") })
        }
    }

    @Test("a list that is behind shows what was, and the next one what is")
    func staleList() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice")
            _ = try await swarm.provider.deleteInstance(made.reference)
            swarm.fly.fail(.staleList)
            #expect(try await swarm.provider.listInstances(.all).map(\.name) == ["alice"])
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
        }
    }

    @Test("what is suspended goes on and ends by itself before it is deleted")
    func deleteSuspended() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") {
                $0.specific = ["stopMode": .string("suspend")]
                $0.command = [
                    "sh", "-c", "trap 'echo saved; exit' TERM; while :; do sleep 0.05; done",
                ]
            }
            try await swarm.provider.stopInstance(made.reference, force: false)
            _ = swarm.fly.takeCalls()
            #expect(try await swarm.provider.deleteInstance(made.reference))
            let verbs = swarm.fly.takeCalls().filter { $0.method != "GET" }.map {
                "\($0.method) \($0.path.split(separator: "/").last ?? "")"
            }
            #expect(verbs == ["POST start", "POST stop", "DELETE \(made.providerInstanceId)"])
        }
    }

    @Test("a command's exit code and output come back; another user cannot be had")
    func exec() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice")
            let result = try await swarm.provider.executeCommand(
                made.reference,
                Command(
                    ["sh", "-c", "echo $X $PWD; echo err >&2; exit 3"], environment: ["X": "1"],
                    workingDirectory: "/tmp"))
            #expect(result.exitCode == 3)
            #expect(String(decoding: result.standardOutput, as: UTF8.self) == "1 /tmp\n")
            #expect(String(decoding: result.standardError, as: UTF8.self) == "err\n")
            let other = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.executeCommand(
                    made.reference, Command(["id"], user: "nobody"))
            }
            #expect(other.error?.kind == .configuration)
        }
    }

    @Test("logs come in order from the beginning, by lines, and go on while they are followed")
    func logs() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") {
                $0.command = [
                    "sh", "-c", "seq 1 250; while ! [ -e go ]; do sleep 0.1; done; echo end",
                ]
                $0.specific = ["restart": .string("no")]
            }
            try await swarm.eventually("all is written") {
                try await swarm.provider.getInstanceLogs(made.reference, LogOptions()).count == 250
            }
            let all = try await swarm.provider.getInstanceLogs(made.reference, LogOptions())
            #expect(all.map(\.text) == (1...250).map { String($0) })
            let last = try await swarm.provider.getInstanceLogs(
                made.reference, LogOptions(lines: 2))
            #expect(last.map(\.text) == ["249", "250"])
            let directory = try swarm.machine(made).directory
            let (lines, line) = AsyncStream.makeStream(of: String.self)
            async let following: Void = swarm.provider.followInstanceLogs(
                made.reference, LogOptions(lines: 1)
            ) { line.yield($0.text) }
            var followed: [String] = []
            for await text in lines {
                followed.append(text)
                if text == "250" {
                    try Data().write(to: URL(filePath: directory + "/go"))
                }
                if text == "end" { break }
            }
            try await following
            #expect(followed == ["250", "end"])
        }
    }
}
