import PalModel
import PalProvider
import Synchronization
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Listing on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct ListTests {
    @Test("the list is the swarm's, sorted, and says the same as a look at each")
    func list() async throws {
        try await TestSwarm.run { swarm in
            let foreign = try await swarm.makeForeign(labels: ["pal.swarm": "other-\(swarm.name)"])
            // Carries the swarm's label but not the others: not an instance.
            _ = try await swarm.makeForeign(
                name: "pal-test-partial-\(swarm.name)", labels: ["pal.swarm": swarm.name])
            for name in ["carol", "alice", "bob"] { _ = try await swarm.createReady(name) }
            let bob = try #require(
                try await swarm.provider.listInstances(.init(names: ["bob"])).first)
            try await swarm.provider.stopInstance(bob.reference, force: false)
            let all = try await swarm.provider.listInstances(.all)
            #expect(all.map(\.name) == ["alice", "bob", "carol"])
            #expect(all.map(\.status) == [.running, .stopped, .running])
            for instance in all {
                #expect(try await swarm.provider.getInstance(instance.reference) == instance)
            }
            try await swarm.removeContainer(foreign)
        }
    }

    @Test("with an event stream open, a list of what is ready and unchanged is one call")
    func oneCall() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            for name in ["alice", "bob"] { _ = try await swarm.createReady(name) }
            try await swarm.withEvents { _ in
                _ = try await swarm.provider.listInstances(.all)
                _ = relay.takeRequests()
                let first = try await swarm.provider.listInstances(.all)
                let calls = relay.takeRequests()
                #expect(calls.count == 1)
                #expect(calls.first?.path.hasPrefix("/containers/json?") == true)
                #expect(first.map(\.readiness) == [.ready, .ready])
            }
        }
    }

    /// Each was inspected by its creation and by the list after it.
    @Test(
        "what was just looked at is not looked at again for a list, while its check begins",
        .enabled(if: !DockerEngine.isPodman, "Podman's lists say nothing of checks"))
    func lookedAtOnce() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let alice = try await swarm.createReady("alice") {
                $0.health.path = "/healthz"
                $0.health.interval = TimeSpan(milliseconds: 600_000)
            }
            try await swarm.withEvents { _ in
                #expect(try await swarm.provider.getInstance(alice.reference) != nil)
                _ = relay.takeRequests()
                let list = try await swarm.provider.listInstances(InstanceFilter(names: ["alice"]))
                #expect(list.map(\.readiness) == [.ready])
                let own = "/containers/\(alice.providerInstanceId)"
                let looks = relay.takeRequests().filter { $0.path.hasPrefix(own) }
                #expect(looks.isEmpty, "\(looks)")
            }
        }
    }

    @Test("of one name the Engine is asked for one name, and what the list says is whole")
    func oneName() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            for name in ["alice", "bob"] { _ = try await swarm.create(name) }
            _ = relay.takeRequests()
            let found = try await swarm.provider.listInstances(InstanceFilter(names: ["bob"]))
            #expect(found.map(\.name) == ["bob"])
            let list = relay.takeRequests().map(\.path).filter { $0.contains("/containers/json") }
            #expect(list.count == 1 && list.allSatisfy { $0.contains("pal.name%3Dbob") }, "\(list)")
            let both = InstanceFilter(names: ["alice", "bob"])
            #expect(try await swarm.provider.listInstances(both).count == 2)
            #expect(try await swarm.provider.listInstances(.all).count == 2)
        }
    }

    @Test("what is known as the swarm's own is deleted without a look; all else is looked at")
    func deletionWithoutALook() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let made = try await swarm.create("alice")
            let foreign = try await swarm.makeForeign()
            _ = relay.takeRequests()
            #expect(try await swarm.provider.deleteInstance(made.reference))
            #expect(relay.takeRequests().map(\.method) == ["DELETE"])
            #expect(try await swarm.provider.deleteInstance(made.reference) == false)
            let guess = InstanceReference(id: made.id, providerInstanceId: foreign)
            #expect(try await swarm.provider.deleteInstance(guess) == false)
            #expect(try await swarm.provider.inspectAny(foreign) != nil)
            try await swarm.removeContainer(foreign)
        }
    }

    @Test(
        "without an event stream every list looks at every container",
        .needsChangesOfLimits)
    func withoutEvents() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let made = try await swarm.create("alice")
            _ = try await swarm.provider.listInstances(.all)
            _ = relay.takeRequests()
            // Limits leave no trace in the Engine's list.
            try await swarm.updateBehindItsBack(made, mebibytes: 77)
            let list = try await swarm.provider.listInstances(.all)
            #expect(list.first?.config.resources.memoryMax == 77)
            // The list, the container, and what its image's name stands for.
            #expect(relay.takeRequests().count == 3)
        }
    }

    @Test(
        "what others change is seen after its event, and what pal changes at once",
        .needsChangesOfLimits)
    func changes() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.createReady("alice")
            try await swarm.withEvents { events in
                _ = try await swarm.provider.listInstances(.all)
                try await swarm.updateBehindItsBack(made, mebibytes: 77)
                try await events.wait { $0.contains(made.providerInstanceId, "update") }
                let seen = try await swarm.provider.listInstances(.all)
                #expect(seen.first?.config.resources.memoryMax == 77)

                let change = PartialConfig([
                    FieldChange(path: "resources.memory.max", from: .int(77), to: .int(99))
                ])
                _ = try await swarm.provider.updateInstance(made.reference, change)
                let own = try await swarm.provider.listInstances(.all)
                #expect(own.first?.config.resources.memoryMax == 99)

                try await swarm.provider.stopInstance(made.reference, force: false)
                let stopped = try await swarm.provider.listInstances(.all)
                #expect(stopped.first?.status == .stopped)
                try await swarm.provider.startInstance(made.reference)
                let started = try await swarm.provider.listInstances(.all)
                #expect(started.first?.status == .running)
            }
        }
    }

    @Test("a list that cannot be had whole is an error")
    func incomplete() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let alice = try await swarm.create("alice")
            _ = try await swarm.create("bob")
            relay.treat { seen in
                guard seen.path.hasSuffix("/\(alice.providerInstanceId)/json") else { return .pass }
                return .answer(status: 500, message: "no")
            }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.listInstances(.all)
            }
            #expect(failure.error?.kind == .provider)
            #expect(failure.error?.isRetryable == true)
            relay.treat { _ in .pass }
            #expect(try await swarm.provider.listInstances(.all).count == 2)
        }
    }
}

@Suite("Events of Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct EventTests {
    @Test("connected comes first, then what happens, without what commands cause")
    func events() async throws {
        try await TestSwarm.run { swarm in
            try await swarm.withEvents { events in
                #expect(events.all.first == .connected)
                let made = try await swarm.createReady("alice")
                _ = try await swarm.provider.executeCommand(made.reference, Command(["true"]))
                _ = try await swarm.provider.deleteInstance(made.reference)
                let end = DockerEngine.isPodman ? "remove" : "destroy"
                try await events.wait { $0.contains(made.providerInstanceId, end) }
                let seen = events.all.compactMap { event -> String? in
                    guard case .changed("alice", made.providerInstanceId, let what) = event
                    else { return nil }
                    return what
                }
                #expect(seen.filter { $0 != "init" }.starts(with: ["create", "start"]))
                #expect(seen.contains("die"))
                #expect(!seen.contains { $0.hasPrefix("exec") })
            }
        }
    }

    @Test(
        "the health of an instance is an event",
        .notOnPodman("without systemd it repeats no check of health"))
    func health() async throws {
        try await TestSwarm.run { swarm in
            try await swarm.withEvents { events in
                let made = try await swarm.create("alice") {
                    $0.health.interval = TimeSpan(milliseconds: 200)
                }
                try await events.wait {
                    $0.contains(made.providerInstanceId, "health_status: healthy")
                }
                let list = try await swarm.provider.listInstances(.all)
                #expect(list.first?.metadata["health"] == "healthy")
            }
        }
    }

    @Test("the end of the connection ends it with a connection error")
    func lost() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let log = EventLog()
            let watching = Task { try await swarm.provider.watchEvents { log.append($0) } }
            try await log.wait { !$0.all.isEmpty }
            relay.cut()
            let end = await #expect(throws: ProviderFailure.self) { try await watching.value }
            #expect(end?.error?.kind == .connection)
            #expect(end?.error?.isRetryable == true)

            relay.treat { _ in .answer(status: 503, message: "starting") }
            let refused = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.watchEvents { log.append($0) }
            }
            #expect(refused.error?.isRetryable == true)
            #expect(log.all == [.connected])
        }
    }
}

/// What a listener has heard.
final class EventLog: Sendable {
    private let events = Mutex<[ProviderEvent]>([])

    var all: [ProviderEvent] { events.withLock { $0 } }
    func append(_ event: ProviderEvent) { events.withLock { $0.append(event) } }

    func contains(_ id: String, _ what: String) -> Bool {
        all.contains { event in
            guard case .changed(_, id, what) = event else { return false }
            return true
        }
    }

    /// How often a tag of an instance's image was said to have moved.
    var tags: Int {
        all.count { event in
            guard case .changed(_, _, "image tag") = event else { return false }
            return true
        }
    }

    func wait(until isSo: (EventLog) -> Bool) async throws {
        for _ in 0..<1200 {
            if isSo(self) { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw TestFailure("the event never came; there were \(all)")
    }
}

extension TestSwarm {
    /// Runs a test while the provider's event stream is open.
    func withEvents(_ body: (EventLog) async throws -> Void) async throws {
        let log = EventLog()
        let watching = Task { [provider] in
            try await provider.watchEvents { log.append($0) }
        }
        defer { watching.cancel() }
        try await log.wait { !$0.all.isEmpty }
        try await body(log)
        watching.cancel()
        // Cancelled: it ends without an error.
        try await watching.value
    }

    func updateBehindItsBack(_ instance: VSCodeInstance, mebibytes: Int) async throws {
        let answer = try await engine.send(
            EngineCall(
                "POST", "/containers/\(instance.providerInstanceId)/update",
                body: .map(["Memory": .int(mebibytes << 20), "MemorySwap": .int(mebibytes << 20)])))
        #expect(answer.isSuccess)
    }
}

@Suite("What is kept of inspections")
struct InspectCacheTests {
    private func detail(
        _ id: String, state: String = #"{"Status": "running"}"#
    ) throws -> ContainerDetail {
        let json = """
            {"Id": "\(id)", "Name": "/x", "Created": "", "State": \(state),
             "Config": {"Image": "i"}, "HostConfig": {}}
            """
        return try EngineAnswer(status: 200, body: Array(json.utf8)).decoded(
            as: ContainerDetail.self)
    }

    @Test("nothing without an open stream, nor from before it was opened or after it was closed")
    func streams() throws {
        let cache = InspectCache()
        cache.keep(try detail("a"), mark: "m", cache.ticket())
        #expect(cache.detail("a", mark: "m") == nil)
        let early = cache.ticket()
        cache.open()
        cache.keep(try detail("a"), mark: "m", early)
        #expect(cache.detail("a", mark: "m") == nil)
        cache.keep(try detail("a"), mark: "m", cache.ticket())
        #expect(cache.detail("a", mark: "m") != nil)
        #expect(cache.detail("a", mark: "other") == nil)
        cache.close()
        #expect(cache.detail("a", mark: "m") == nil)
    }

    @Test("nothing that changed meanwhile, and of others what is known")
    func changes() throws {
        let cache = InspectCache()
        cache.open()
        let ticket = cache.ticket()
        cache.forget("a")
        cache.keep(try detail("a"), mark: "m", ticket)
        cache.keep(try detail("b"), mark: "m", ticket)
        #expect(cache.detail("a", mark: "m") == nil)
        #expect(cache.detail("b", mark: "m") != nil)
        cache.retain(["a"])
        #expect(cache.detail("b", mark: "m") == nil)
    }

    @Test(
        "what a list will show of what runs",
        arguments: [
            (nil, "Up Less than a second"), ("none", "Up 2 minutes"),
            ("starting", "Up Less than a second (health: starting)"),
            ("starting", "Up Less than a second (starting)"),
            ("healthy", "Up 2 hours (healthy)"), ("unhealthy", "Up 2 hours (unhealthy)"),
        ])
    func expectedMark(health: String?, status: String) throws {
        let check = health.map { #", "Health": {"Status": "\#($0)"}"# } ?? ""
        let running = try detail("a", state: #"{"Status": "running"\#(check)}"#)
        let summary = ContainerSummary(id: "a", labels: nil, state: "running", status: status)
        #expect(running.expectedMark == summary.mark)
        let ended = try detail("a", state: #"{"Status": "exited"\#(check)}"#)
        #expect(ended.expectedMark == nil)
    }

    @Test("nothing for longer than five minutes")
    func age() throws {
        let cache = InspectCache()
        cache.open()
        let now = ContinuousClock.now
        cache.keep(try detail("a"), mark: "m", cache.ticket(), now: now)
        #expect(cache.detail("a", mark: "m", now: now + .seconds(299)) != nil)
        #expect(cache.detail("a", mark: "m", now: now + .seconds(300)) == nil)
    }
}

@Suite("The last list on Docker")
struct LastListTests {
    private func withoutAges(_ text: String) -> String {
        String(decoding: LastList.withoutAges(Array(text.utf8)), as: UTF8.self)
    }

    @Test func onlyAgesAreLeftOut() {
        let list =
            #"[{"State":"running","Status":"Up 5 seconds"},{"Status":"Up 2 hours (healthy)"}]"#
        let later =
            #"[{"State":"running","Status":"Up About a minute"},{"Status":"Up 3 hours (healthy)"}]"#
        #expect(withoutAges(list) == withoutAges(later))
        let ill = later.replacing("(healthy)", with: "(unhealthy)")
        #expect(withoutAges(list) != withoutAges(ill))
        let other = later.replacing("running", with: "paused")
        #expect(withoutAges(list) != withoutAges(other))
    }

    @Test(arguments: [
        "", "[]", #"[{"Status":"Exited (1) 3 seconds ago"}]"#, #"[{"Status":"Up "#,
        #"[{"Labels":{"a":"\"Status\":\"Up 3\""}}]"#,
    ])
    func whatHasNoneIsLeftAsItIs(_ text: String) { #expect(withoutAges(text) == text) }
}
