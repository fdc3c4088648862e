import Foundation
import Testing

@testable import PalModel

@Suite("Values that are mostly not there")
struct RareTests {
    private struct Thing: Codable, Equatable {
        var name = "x"
        @Rare var end: ExitReport?
        @Rare var use = ResourceState()
    }

    private func text(_ thing: Thing) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(thing), as: UTF8.self)
    }

    @Test func nilIsLeftOutAndNeedNotBeThere() throws {
        #expect(try text(Thing()).contains("end") == false)
        let read = try JSONDecoder().decode(
            Thing.self, from: Data(#"{"name":"x","use":{"cpu":{},"memory":{},"storage":{}}}"#.utf8))
        #expect(read == Thing())
    }

    @Test func whatIsThereIsReadAsItWasWritten() throws {
        var thing = Thing()
        thing.end = ExitReport(code: 3)
        thing.use.cpu.used = 0.5
        let text = try text(thing)
        #expect(text.contains(#""end":{"code":3,"isOutOfMemory":false}"#))
        #expect(try JSONDecoder().decode(Thing.self, from: Data(text.utf8)) == thing)
        thing.end = nil
        thing.use = ResourceState()
        #expect(thing == Thing())
    }

    @Test func takesTheRoomOfOnePointer() {
        #expect(MemoryLayout<Rare<ExitReport?>>.size == MemoryLayout<Int>.size)
    }
}

@Suite("Sharing of configs")
struct SharingTests {
    @Test func meansWhatItMeantAndHoldsWhatIsTheSameOnce() {
        var declared = InstanceConfig(name: "a")
        declared.image = "registry.example.com/editors/code-server:1"
        declared.env = ["A": "1"]
        declared.health.path = "/ready"
        var reported = declared
        reported.image = "registry.example.com/editors/" + ["code-server:1"].joined()
        reported.env = ["A": "2"]
        reported.labels = ["team": "x"]
        let (mine, other) = (Shared(declared), Shared(reported))
        var shared = other
        shared.share(with: mine)
        #expect(shared == other)
        #expect(place(of: shared.image) == place(of: mine.image))
        #expect(place(of: shared.image) != place(of: other.image))
        shared = Shared(declared)
        shared.share(with: mine)
        #expect(shared.box === mine.box)
    }

    /// Where a text lies in memory.
    private func place(of text: String?) -> UnsafePointer<UInt8>? {
        text?.utf8.withContiguousStorageIfAvailable { $0.baseAddress } ?? nil
    }
}
