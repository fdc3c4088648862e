import PalEngine
import PalModel
import Testing

@testable import PalSpecs

@Suite("What files say, put together")
struct MergeTests {
    private func contents(_ text: String, _ file: String = "a.yaml") -> SpecFileContents {
        SpecFileContents(bytes: Array(text.utf8), file: file)
    }

    @Test func aBrokenFileKeepsWhatItLastDeclared() {
        var merge = Merge()
        _ = merge.desired(["a.yaml": contents("name: a\n---\nname: b\n")], specsPath: "/s")
        let broken = merge.desired(["a.yaml": contents("name: [")], specsPath: "/s")
        #expect(broken.declarations.keys.sorted() == ["a", "b"])
        #expect(broken.declarations.values.allSatisfy { $0.staleBecause != nil })
        #expect(broken.pruneBlock == nil)
        #expect(broken.problems.count == 1)
    }

    @Test func aBrokenFileThatWasNeverGoodStopsPruning() {
        var merge = Merge()
        let desired = merge.desired(["a.yaml": contents("name: [")], specsPath: "/s")
        #expect(desired.declarations.isEmpty)
        #expect(desired.pruneBlock?.hasPrefix("a.yaml cannot be read") == true)
    }

    @Test func oneBrokenDocumentLetsTheOthersOfTheFileCarryOn() {
        var merge = Merge()
        _ = merge.desired(["a.yaml": contents("name: a\n---\nname: b\n")], specsPath: "/s")
        let text = "name: a\nimagee: x\n---\nname: b\nprotect: true\n"
        let desired = merge.desired(["a.yaml": contents(text)], specsPath: "/s")
        #expect(desired.declarations["a"]?.staleBecause?.location.line == 2)
        #expect(desired.declarations["a"]?.config.image == nil)
        #expect(desired.declarations["b"]?.staleBecause == nil)
        #expect(desired.declarations["b"]?.config.protect == true)
    }

    @Test func aBrokenDocumentThatWasNeverGoodFreezesItsName() {
        var merge = Merge()
        let text = "name: a\nimagee: x\n---\nname: b\n"
        let desired = merge.desired(["a.yaml": contents(text)], specsPath: "/s")
        #expect(desired.frozen.keys.sorted() == ["a"])
        #expect(desired.declarations.keys.sorted() == ["b"])
    }

    @Test func aNameInTwoFilesIsFrozenWithBothPlaces() {
        var merge = Merge()
        let desired = merge.desired(
            [
                "a.yaml": contents("name: x\n"),
                "b.yaml": contents("name: x\n", "b.yaml"),
            ], specsPath: "/s")
        #expect(desired.declarations.isEmpty)
        #expect(desired.frozen["x"]?.map(\.location.file) == ["a.yaml", "b.yaml"])
    }

    @Test func aNameThatMovesBetweenFilesIsDeclaredAllTheTime() {
        var merge = Merge()
        _ = merge.desired(["a.yaml": contents("name: x\n")], specsPath: "/s")
        let desired = merge.desired(
            ["b.yaml": contents("name: x\n", "b.yaml")], specsPath: "/s")
        #expect(desired.declarations["x"]?.location.file == "b.yaml")
        #expect(desired.problems.isEmpty)
    }

    @Test func onlyNamesOfFilesThatChangedMayHaveChanged() {
        var merge = Merge()
        var files = [
            "a.yaml": contents("name: a\n---\nname: b\n"),
            "c.yaml": contents("name: c\n", "c.yaml"),
        ]
        #expect(merge.desired(files, specsPath: "/s").changed == nil)
        #expect(merge.desired(files, specsPath: "/s").changed == [])
        files["a.yaml"] = contents("name: a\n---\nname: d\n")
        let desired = merge.desired(files, specsPath: "/s")
        #expect(desired.changed == ["a", "b", "d"])
        #expect(desired.declarations.keys.sorted() == ["a", "c", "d"])
        files["c.yaml"] = nil
        #expect(merge.desired(files, specsPath: "/s").changed == ["c"])
    }

    @Test func aNameIsFreeAgainWhenOneOfItsPlacesGoes() {
        var merge = Merge()
        let files = [
            "a.yaml": contents("name: x\n"), "b.yaml": contents("name: x\n", "b.yaml"),
            "c.yaml": contents("name: x\nimagee: y\n", "c.yaml"),
        ]
        #expect(merge.desired(files, specsPath: "/s").frozen["x"]?.count == 3)
        // One good place, and one that was never good.
        var fewer = files
        fewer["a.yaml"] = nil
        let frozen = merge.desired(fewer, specsPath: "/s")
        #expect(frozen.declarations.isEmpty && frozen.frozen["x"]?.count == 1)
        fewer["c.yaml"] = nil
        let free = merge.desired(fewer, specsPath: "/s")
        #expect(free.declarations["x"]?.location.file == "b.yaml")
        #expect(free.frozen.isEmpty && free.problems.isEmpty)
    }

    @Test func anEmptiedFileKeepsWhatItLastDeclared() {
        var merge = Merge()
        _ = merge.desired(["a.yaml": contents("name: x\n")], specsPath: "/s")
        let desired = merge.desired(["a.yaml": contents("")], specsPath: "/s")
        #expect(desired.declarations["x"]?.staleBecause != nil)
    }

    @Test func theSchemaKnowsEveryFieldAndRefusesOthers() {
        let schema = JSONSchema.spec
        for field in FieldTable.all {
            let path = field.path.split(separator: ".").joined(separator: ".properties.")
            #expect(schema["properties.\(path)"] != nil, "\(field.path)")
        }
        #expect(schema["additionalProperties"] == .bool(false))
    }

    @Test func controllerConfigTellsThePlaceOfAProblem() {
        let text = "swarm: team\nproviders:\n  - type: docker\n    nam: x\n"
        #expect(throws: Unparsable.self) {
            try ControllerConfig(bytes: Array(text.utf8), file: "pal.yaml")
        }
        do {
            _ = try ControllerConfig(bytes: Array(text.utf8), file: "pal.yaml")
        } catch {
            #expect(
                error.diagnostics.map(\.description)
                    == ["pal.yaml:4:5: unknown key 'nam'; did you mean 'name'?"])
        }
    }
}
