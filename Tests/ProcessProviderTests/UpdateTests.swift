import PalFiles
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct UpdateTests {
    @Test func aLabelChangesWhileItRuns() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let change = FieldChange(
                path: "labels", from: nil, to: .map(["team": .string("blue")]))
            let updated = try await bench.provider.updateInstance(
                made.reference, PartialConfig([change]))
            #expect(updated.config.labels == ["team": "blue"])
            #expect(updated.metadata["pid"] == made.metadata["pid"])
            #expect(updated.providerInstanceId == made.providerInstanceId)
        }
    }

    @Test func theEnvironmentChangesByARestart() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", "echo color $COLOR; exec sleep 1000")
            let change = FieldChange(path: "env", from: nil, to: .map(["COLOR": .string("red")]))
            let updated = try await bench.provider.updateInstance(
                made.reference, PartialConfig([change]))
            #expect(updated.status == .running)
            #expect(updated.metadata["pid"] != made.metadata["pid"])
            try await bench.awaitLine(updated, "color red")
            let cleared = FieldChange(path: "env", from: change.to, to: nil)
            let again = try await bench.provider.updateInstance(
                made.reference, PartialConfig([cleared]))
            #expect(again.config.env == nil)
        }
    }

    @Test func aStoppedInstanceStaysStopped() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", starts: false)
            let change = FieldChange(path: "env", from: nil, to: .map(["A": .string("b")]))
            let updated = try await bench.provider.updateInstance(
                made.reference, PartialConfig([change]))
            #expect(updated.status == .stopped)
            #expect(updated.config.env == ["A": "b"])
        }
    }

    @Test func whatReplacesIsRefusedAndChangesNothing() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let changes = [
                FieldChange(path: "labels", from: nil, to: .map(["a": .string("b")])),
                FieldChange(path: "resources.storage.persistent", from: nil, to: .bool(false)),
            ]
            do throws(ProviderFailure) {
                _ = try await bench.provider.updateInstance(made.reference, PartialConfig(changes))
                Issue.record("nothing was thrown")
            } catch {
                guard case .needsReplacement = error else { throw error }
            }
            #expect(try await bench.get(made).config == made.config)
        }
    }

    @Test func aChangeThatCannotRunLeavesItRunning() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let change = FieldChange(
                path: "command", from: nil, to: .list([.string("no-such-program")]))
            _ = await failure(.programMissing) { () async throws(ProviderFailure) in
                try await bench.provider.updateInstance(made.reference, PartialConfig([change]))
            }
            let now = try await bench.get(made)
            #expect(now.status == .running)
            #expect(now.metadata["pid"] == made.metadata["pid"])
            #expect(now.config == made.config)
        }
    }
}
