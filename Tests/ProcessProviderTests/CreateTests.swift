import FoundationEssentials
import Glibc
import PalFiles
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct CreateTests {
    @Test func aSecondCreationFindsTheFirst() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            await #expect(throws: ProviderFailure.self) { try await bench.create("alice") }
            let again = CreateRequest(config: made.config.value, ownership: bench.owner("alice"))
            _ = await failure(.alreadyExists) { () async throws(ProviderFailure) in
                try await bench.provider.createInstance(again)
            }
            #expect(try await bench.provider.listInstances(.all).count == 1)
        }
    }

    @Test func aForeignDirectoryIsNotTouched() async throws {
        try await Bench.run { bench in
            let files = bench.provider.layout.instance("alice", generation: 1)
            try Directories.make(files.directory)
            try AtomicFile.write(Array("mine".utf8), to: files.log)
            var config = InstanceConfig(name: "alice")
            config.command = ["true"]
            let request = CreateRequest(config: config, ownership: bench.owner("alice"))
            _ = await failure(.nameTaken) { () async throws(ProviderFailure) in
                try await bench.provider.createInstance(request)
            }
            let left = try await bench.provider.listInstances(.all)
            #expect(left.isEmpty)
            #expect(try RegularFile.read(at: files.log, limit: 10).bytes == Array("mine".utf8))
        }
    }

    @Test func twoGenerationsStandBesideEachOther() async throws {
        try await Bench.run { bench in
            let old = try await bench.create("alice") { $0.resources.storagePersistent = false }
            let new = try await bench.create("alice", generation: 2) {
                $0.resources.storagePersistent = false
            }
            let byID = try await bench.provider.getInstance(InstanceReference(id: old.id))
            #expect(byID?.providerInstanceId == new.providerInstanceId)
            #expect(try await bench.provider.deleteInstance(old.reference))
            #expect(try await bench.get(new).status == .running)
        }
    }

    @Test func aReferenceMeansExactlyOneObject() async throws {
        try await Bench.run { bench in
            let old = try await bench.create("alice")
            #expect(try await bench.provider.deleteInstance(old.reference))
            let new = try await bench.create("alice")
            #expect(try await bench.provider.getInstance(old.reference) == nil)
            #expect(try await !bench.provider.deleteInstance(old.reference))
            #expect(try await bench.get(new).status == .running)
            let odd = InstanceReference(id: "x", providerInstanceId: "../../alice.1.0")
            #expect(try await bench.provider.getInstance(odd) == nil)
        }
    }

    @Test func aCommandThatIsNotThereLeavesNothing() async throws {
        try await Bench.run { bench in
            var config = InstanceConfig(name: "alice")
            config.command = ["no-such-program"]
            let request = CreateRequest(config: config, ownership: bench.owner("alice"))
            let message = await failure(.programMissing) { () async throws(ProviderFailure) in
                try await bench.provider.createInstance(request)
            }
            #expect(message?.contains("no-such-program") == true)
            let left = try await bench.provider.listInstances(.all)
            #expect(left.isEmpty)
        }
    }

    @Test func aWorkspaceThatIsNotThereLeavesNothing() async throws {
        try await Bench.run { bench in
            var config = InstanceConfig(name: "alice")
            config.command = ["true"]
            config.workspacePath = "\(bench.directory)/nowhere"
            let request = CreateRequest(config: config, ownership: bench.owner("alice"))
            _ = await failure(.workspaceMissing) { () async throws(ProviderFailure) in
                try await bench.provider.createInstance(request)
            }
            let left = try await bench.provider.listInstances(.all)
            #expect(left.isEmpty)
        }
    }

    @Test func aProgramThatTheKernelRefusesIsToldAtOnceAndStaysRecorded() async throws {
        try await Bench.run { bench in
            let program = "\(bench.directory)/garbage"
            try AtomicFile.write([0, 1, 2, 3], to: program, mode: 0o755)
            var config = InstanceConfig(name: "alice")
            config.command = [program]
            let request = CreateRequest(config: config, ownership: bench.owner("alice"))
            let message = await failure(.programMissing) { () async throws(ProviderFailure) in
                try await bench.provider.createInstance(request)
            }
            #expect(message?.contains(program) == true)
            let left = try await bench.provider.listInstances(.all)
            #expect(left.map(\.status) == [.failed])
            #expect(left.first?.exit?.code == 127)
        }
    }

    @Test func aDamagedRecordIsAnErrorThatNamesTheFile() async throws {
        try await Bench.run { bench in
            try await bench.create("alice", starts: false)
            let bob = try await bench.create("bob", starts: false)
            let path = try bench.files(bob).record
            try AtomicFile.write(Array("{".utf8), to: path)
            let message = await failure(.platformFailure) { () async throws(ProviderFailure) in
                try await bench.provider.listInstances(.all)
            }
            #expect(message?.contains(path) == true)
        }
    }

    @Test func aListWithoutItsDirectoryIsAnError() async throws {
        try await Bench.run { bench in
            try Directories.deleteTree(bench.provider.layout.instances)
            _ = await failure(.unreachable) { () async throws(ProviderFailure) in
                try await bench.provider.listInstances(.all)
            }
        }
    }

    @Test func anotherSwarmsInstancesAreNotSeen() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", starts: false)
            let path = try bench.files(made).record
            var record = try JSONFile.read(InstanceRecord.self, at: path)
            record.ownership.swarm = "other"
            try JSONFile.write(record, to: path)
            let left = try await bench.provider.listInstances(.all)
            #expect(left.isEmpty)
            #expect(try await !bench.provider.deleteInstance(made.reference))
            #expect(Directories.exists(path))
        }
    }

    @Test func recordsAreForTheOwnerOnly() async throws {
        try await Bench.run { bench in
            let files = try bench.files(try await bench.create("alice"))
            for path in [files.record, files.launch, files.password, files.log] {
                var info = stat()
                #expect(stat(path, &info) == 0)
                #expect(info.st_mode & 0o777 == 0o600, "\(path)")
            }
        }
    }

    @Test func whatACrashLeftHalfMadeIsSweptAway() async throws {
        try await Bench.run { bench in
            let root = bench.provider.layout.instances
            let hidden = [".deleted-alice.1-77", ".new-999999999-1"]
            for name in hidden { try Directories.make("\(root)/\(name)/home") }
            let left = try await bench.provider.listInstances(.all)
            #expect(left.isEmpty)
            try await bench.provider.initialize()
            for name in hidden { #expect(!Directories.exists("\(root)/\(name)")) }
        }
    }
}
