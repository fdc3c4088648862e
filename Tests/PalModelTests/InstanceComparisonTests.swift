import FoundationEssentials
import Testing

@testable import PalModel

/// A list is compared with what is known part by part: no part may be forgotten.
@Suite("Comparing instances where they lie")
struct InstanceComparisonTests {
    private typealias Change = @Sendable (inout VSCodeInstance) -> Void

    /// By stored property: something that makes another value of it.
    private static let changes: [String: Change] = [
        "id": { $0.id = "other" },
        "name": { $0.name = "other" },
        "type": { $0.type = "other" },
        "providerName": { $0.providerName = "other" },
        "providerRegion": { $0.providerRegion = "other" },
        "providerInstanceId": { $0.providerInstanceId = "other" },
        "status": { $0.status = .stopped },
        "config": { $0.config.image = "other" },
        "_resources": { $0.resources.cpu.used = 1 },
        "network": { $0.network.port = 1 },
        "metadata": { $0.metadata["a"] = "b" },
        "createdAt": { $0.createdAt = Date(timeIntervalSince1970: 1) },
        "updatedAt": { $0.updatedAt = Date(timeIntervalSince1970: 1) },
        "ownership": { $0.ownership.generation = 9 },
        "isAdopted": { $0.isAdopted = true },
        "readiness": { $0.readiness = .notReady("no") },
        "_exit": { $0.exit = ExitReport(code: 1) },
        "outdated": { $0.outdated = [] },
        "notices": { $0.notices = ["x"] },
    ]

    private let instance = VSCodeInstance(
        id: "i", name: "a", type: "docker", providerName: "docker", providerRegion: "local",
        providerInstanceId: "c", status: .running, config: InstanceConfig(name: "a"),
        ownership: Ownership(
            swarm: "s", name: "a", id: "i", generation: 1, specHash: SpecHash(text: "v1:x")),
        readiness: .ready)

    @Test func everyPropertyHasAChangeHere() {
        let properties = Mirror(reflecting: instance).children.compactMap(\.label)
        #expect(properties.sorted() == Self.changes.keys.sorted())
    }

    @Test func theSameIsTheSame() {
        #expect(isSame(instance, Shared(instance)))
    }

    @Test(arguments: changes.keys.sorted())
    func aChangeOfAnyPropertyIsSeen(_ property: String) throws {
        var other = instance
        let change = try #require(Self.changes[property])
        change(&other)
        #expect(other != instance)
        #expect(!isSame(other, Shared(instance)))
        #expect(!isSame(instance, Shared(other)))
    }

    private func isSame(_ new: VSCodeInstance, _ known: Shared<VSCodeInstance>) -> Bool {
        withUnsafePointer(to: new) { VSCodeInstance.isSame(known, as: $0) }
    }
}
