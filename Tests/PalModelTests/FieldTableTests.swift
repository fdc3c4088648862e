import Testing

@testable import PalModel

/// Whether they are the same in JSON, which knows one kind of number.
@Suite("Values")
struct ValueTests {
    @Test func aWholeNumberIsTheSameHoweverItIsHeld() {
        #expect(Value.int(2) == .double(2) && Value.double(-0.0) == .int(0))
        #expect(Set([Value.int(2), .double(2), .double(2.5)]).count == 2)
        #expect(Value.list([.int(1)]) == .list([.double(1)]))
        #expect(Value.map(["a": .double(4)]) == .map(["a": .int(4)]))
        #expect(Value.int(1) != .bool(true) && Value.int(1) != .string("1"))
        #expect(Value.int(0) != .null)
        #expect(Value.int(2) != .double(2.5) && Value.double(1e300) != .int(.max))
    }
}

@Suite("The field table")
struct FieldTableTests {
    private func problems(_ document: [String: Value]) -> [String] {
        FieldTable.decode(.map(document)).problems.map(\.message)
    }

    @Test func readsWhatItWrites() throws {
        let document = Value.map([
            "name": .string("alice"), "replicas": .int(2),
            "resources": .map(["memory": .map(["max": .int(512)])]),
            "network": .map(["ports": .list([.map(["internal": .int(80)])])]),
            "env": .map(["PORT": .int(8080)]), "health": .map(["interval": .string("1m30s")]),
        ])
        let decoded = FieldTable.decode(document)
        #expect(decoded.problems.isEmpty)
        #expect(decoded.config.env == ["PORT": "8080"])
        #expect(decoded.config.health.interval == .seconds(90))
        let again = FieldTable.decode(FieldTable.encode(decoded.config))
        #expect(again.config == decoded.config)
    }

    @Test func suggestsTheNearestKey() {
        #expect(
            problems(["name": .string("a"), "imagee": .string("x")])
                == ["unknown key 'imagee'; did you mean 'image'?"])
    }

    @Test func suggestsThePlaceOfAKeyThatStandsElsewhere() {
        #expect(
            problems(["name": .string("a"), "memory": .int(1)])
                == ["unknown key 'memory' here; did you mean 'resources.memory'?"])
    }

    @Test func saysWhatIsExpectedInTheWordsOfTheField() {
        let found = problems([
            "name": .string("a"), "state": .string("runing"), "protect": .string("yes"),
            "network": .map(["port": .int(70000)]), "env": .map(["A": .double(1.1)]),
        ])
        #expect(
            found == [
                "env.A must be text, not 1.1; write it in quotes",
                "network.port must be a whole number from 1 to 65535, not 70000",
                "protect must be true or false, not 'yes'",
                "state must be running, stopped or absent, not 'runing'; did you mean 'running'?",
            ])
    }

    @Test(arguments: ["a/b", "..", "-a", "A", "", String(repeating: "x", count: 64), "a_b"])
    func refusesNamesThatAreNoLabels(_ name: String) {
        #expect(!problems(["name": .string(name)]).isEmpty)
    }

    @Test(arguments: ["relative", "/a/../b", ""])
    func refusesPathsThatAreNotAbsoluteOrClimb(_ path: String) {
        #expect(!problems(["name": .string("a"), "workspacePath": .string(path)]).isEmpty)
    }

    @Test func refusesAReservationAboveTheLimit() {
        let memory = Value.map(["memory": .map(["min": .int(2048), "max": .int(1024)])])
        #expect(
            problems(["name": .string("a"), "resources": memory]) == [
                "resources.memory.min (2048 MiB) is more than resources.memory.max (1024 MiB)"
            ])
    }

    @Test func refusesASecretThatIsNoReference() {
        let secrets = Value.map(["TOKEN": .string("hunter2")])
        let found = problems(["name": .string("a"), "secrets": secrets])
        #expect(found.count == 1)
        #expect(found.allSatisfy { !$0.contains("hunter2") }, "a secret's value is repeated")
    }

    @Test func everyFieldHasASummaryAndAUniquePath() {
        #expect(Set(FieldTable.all.map(\.path)).count == FieldTable.all.count)
        #expect(FieldTable.all.allSatisfy { $0.summary.hasSuffix(".") })
    }

    @Test func differenceSeesEachPlatformField() {
        var new = InstanceConfig(name: "a")
        new.env = ["A": "1"]
        new.resources.memoryMax = 5
        new.state = .stopped
        let old = InstanceConfig(name: "a")
        #expect(
            FieldTable.difference(from: old, to: new).map(\.path) == [
                "env", "resources.memory.max",
            ])
    }

    @Test(arguments: [("90s", "1m30s"), ("1h30m", "1h30m"), ("500ms", "500ms"), ("7d", "7d")])
    func spansReadAndWrite(_ text: String, _ written: String) {
        #expect(TimeSpan(text)?.text == written)
    }

    @Test(arguments: ["", "5", "5x", "-1s", "s", "99999999999999s"])
    func notSpans(_ text: String) {
        #expect(TimeSpan(text) == nil)
    }
}
