import Foundation
import PalEngine
import PalModel
import PalSpecs
import Synchronization
import TestSupport
import Testing

/// What the engine is told of a real directory.
@Suite struct SpecDirectoryTests {
    /// Seed 17: with the mount back and a file in it broken, its instances were to be pruned.
    @Test func anEmptyDirectoryInItsPlaceForgetsNothing() async throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.write("name: web\nreplicas: 2\n", to: "specs/a.yaml")
        let directory = SpecDirectory(path: scratch["specs"])
        #expect(await directory.read().declarations.keys.sorted() == ["web-0", "web-1"])

        try FileManager.default.moveItem(atPath: scratch["specs"], toPath: scratch["away"])
        try scratch.directory("specs")
        let empty = await directory.read()
        #expect(empty.declarations.keys.sorted() == ["web-0", "web-1"])
        #expect(empty.pruneBlock?.contains("was replaced by an empty one") == true)

        try FileManager.default.removeItem(atPath: scratch["specs"])
        try FileManager.default.moveItem(atPath: scratch["away"], toPath: scratch["specs"])
        try scratch.write("name: web\nreplicas: many\n", to: "specs/a.yaml")
        let back = await directory.read()
        #expect(back.declarations.keys.sorted() == ["web-0", "web-1"])
        #expect(back.declarations["web-0"]?.staleBecause?.location.line == 2)
        #expect(back.pruneBlock == nil)
    }

    /// A document may have been moved into it.
    @Test func nothingIsPrunedWhileAFileCannotBeRead() async throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.write("name: a\n", to: "specs/a.yaml")
        try scratch.write("name: b\n", to: "specs/b.yaml")
        let directory = SpecDirectory(path: scratch["specs"])
        #expect(await directory.read().pruneBlock == nil)
        try FileManager.default.removeItem(atPath: scratch["specs/b.yaml"])
        try FileManager.default.createSymbolicLink(
            atPath: scratch["specs/b.yaml"], withDestinationPath: "b.yaml")
        let desired = await directory.read()
        #expect(desired.declarations.keys.sorted() == ["a", "b"])
        #expect(desired.pruneBlock?.hasPrefix("b.yaml cannot be read") == true)
    }

    /// Each change of a spec waited 8 ms, whenever its file had been written.
    @Test(
        arguments: [(.milliseconds(3), .milliseconds(3)), (nil, .milliseconds(8))]
            as [(Duration?, Duration)])
    func aFileIsWaitedForAsLongAsItMustBe(settlesIn: Duration?, first: Duration) async {
        let clock = NotedClock()
        let tree = ScriptedTree(looks: [
            TreeSnapshot(
                state: .available, identity: nil, files: [], isSettled: false,
                settlesIn: settlesIn),
            // Written once more: not a short pause each time, or it is never waited for.
            TreeSnapshot(
                state: .available, identity: nil, files: [], isSettled: false,
                settlesIn: .milliseconds(1)),
            TreeSnapshot(state: .available, identity: nil, files: [], isSettled: true),
        ])
        let directory = SpecDirectory(path: "/specs", tree: tree, clock: clock)
        #expect(await directory.read().pruneBlock == nil)
        #expect(clock.sleeps == [first, .milliseconds(20)])
    }
}

/// A clock that stands still, and notes what is waited for.
private final class NotedClock: Clock {
    private let noted = Mutex<[Duration]>([])
    var sleeps: [Duration] { noted.withLock { $0 } }
    let now = ContinuousClock.now
    let minimumResolution = Duration.nanoseconds(1)

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        noted.withLock { $0.append(now.duration(to: deadline)) }
    }
}

/// A directory that is found in one state after the other.
private struct ScriptedTree: SpecTree {
    var looks: [TreeSnapshot<SpecFileContents>]
    mutating func scan() -> TreeSnapshot<SpecFileContents> { looks.removeFirst() }
    func watch(_ changed: @Sendable () async -> Void) async {}
}
