import Testing

/// SwiftPM lets a target import what another one depends on, so the floors need a test.
@Suite("Floors")
struct FloorTests {
    @Test func eachTargetImportsOnlyLowerFloors() throws {
        var imports: [Floors.Target: Set<String>] = [:]
        for file in try Project.files(below: "Sources", ["swift", "c", "h"]) {
            let target = try #require(
                Floors.Target(ofFile: file), "\(file) lies in no target's folder")
            imports[target, default: []].formUnion(Floors.imports(in: try Project.text(file)))
        }
        #expect(imports.count > 5)
        let problems = imports.flatMap { Floors.problems(of: $0.key, importing: $0.value) }.sorted()
        #expect(problems == [])
    }

    @Test func theMapHoldsNothingThatIsGone() throws {
        let folders = try Project.folders(in: "Sources")
        #expect(Floors.map.keys.filter { !folders.contains($0) } == [], "remove it from the map")
    }

    @Test(arguments: [
        ("Sources/PalModel/Value.swift", "PalEngine"),
        ("Sources/PalHTTP/HTTPClient.swift", "PalProvider"),
        ("Sources/PalSpecs/Merge.swift", "PalLedger"),
        ("Sources/Providers/Docker/Create.swift", "ProcessProvider"),
        ("Sources/Providers/Docker/Create.swift", "PalEngine"),
        ("Sources/Providers/Docker/Create.swift", "PalLedger"),
        ("Sources/Providers/Next/Provider.swift", "pal"),
    ])
    func aHigherOrEqualFloorIsRefused(_ file: String, _ module: String) throws {
        let target = try #require(Floors.Target(ofFile: file))
        #expect(Floors.problems(of: target, importing: [module]).count == 1)
    }

    @Test func lowerFloorsAndLibrariesAreFine() throws {
        let target = try #require(Floors.Target(ofFile: "Sources/Providers/Docker/Create.swift"))
        let modules: Set = ["PalModel", "PalHTTP", "PalProvider", "Logging", "DockerProvider"]
        #expect(Floors.problems(of: target, importing: modules) == [])
    }

    @Test func anUnknownTargetMustBeAdded() throws {
        let target = try #require(Floors.Target(ofFile: "Sources/NewProvider/File.swift"))
        let problems = Floors.problems(of: target, importing: [])
        #expect(problems.count == 1)
        #expect(problems.first?.contains("add it to the map") == true)
    }

    @Test func everyFormOfImportIsSeen() {
        let text = """
            import One
            @testable import Two
            public import Three
            #if canImport(Four)
                @preconcurrency internal import struct Four.Thing
            #endif
            // import Five
            let important = "no import Six"
            """
        #expect(Floors.imports(in: text) == ["One", "Two", "Three", "Four"])
    }
}
