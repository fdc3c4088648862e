import Foundation
import PalEngine
import PalModel
import PalSpecs
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
}
