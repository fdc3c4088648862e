import PalFiles
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct StorageTests {
    @Test func storageOutlivesItsInstanceAndIsAttachedAgain() async throws {
        try await Bench.run { bench in
            let first = try await bench.create("alice", "echo kept > ~/file; echo ok", id: "one")
            #expect(first.notices.isEmpty)
            try await bench.awaitEnd(first)
            #expect(try await bench.provider.deleteInstance(first.reference))
            #expect(try await bench.provider.listStorage().map(\.instanceName) == ["alice"])
            let second = try await bench.create("alice", "cat ~/file", id: "two")
            #expect(second.notices.count == 1)
            try await bench.awaitEnd(second)
            #expect(try await bench.texts(second) == ["kept"])
        }
    }

    @Test func storageInUseIsNotDeleted() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", starts: false)
            _ = await failure(.wrongState) { () async throws(ProviderFailure) in
                try await bench.provider.deleteStorage("alice")
            }
            #expect(try await bench.provider.deleteInstance(made.reference))
            #expect(try await bench.provider.deleteStorage("alice"))
            #expect(try await !bench.provider.deleteStorage("alice"))
            #expect(try await !bench.provider.deleteStorage("../instances"))
            #expect(try await bench.provider.listStorage().isEmpty)
        }
    }

    @Test func whatIsNotPersistentGoesWithItsInstance() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", "echo x > ~/file; exec sleep 1000") {
                $0.resources.storagePersistent = false
            }
            #expect(try await bench.provider.listStorage().isEmpty)
            let home = try #require(made.metadata["home"])
            #expect(Directories.isDirectory(home))
            #expect(try await bench.provider.deleteInstance(made.reference))
            #expect(!Directories.exists(home))
        }
    }
}
