import PalEngine
import PalModel
import Testing

@testable import PalSpecs

@Suite("Replicas")
struct ReplicaTests {
    private func contents(_ text: String) -> SpecFileContents {
        SpecFileContents(bytes: Array(text.utf8), file: "a.yaml")
    }

    @Test(arguments: [0, 1, 3])
    func becomeInstancesOfTheirOwn(_ count: Int) {
        var merge = Merge()
        let desired = merge.desired(
            ["a.yaml": contents("name: web\nreplicas: \(count)\nimage: x\n")], specsPath: "/s")
        #expect(desired.declarations.keys.sorted() == (0..<count).map { "web-\($0)" })
        #expect(desired.declarations.values.allSatisfy { $0.config.image == "x" })
        #expect(desired.declarations.allSatisfy { $0.key == $0.value.config.name })
        #expect(desired.groups == ["web": count])
        #expect(desired.problems.isEmpty)
    }

    @Test(arguments: [
        ("workspacePath: /w", "a.yaml:3:16: 2 replicas cannot share one workspacePath"),
        (
            "network: { ports: [{ internal: 80, external: 81 }] }",
            "a.yaml:3:19: 2 replicas cannot share one external port"
        ),
        ("id: x", "a.yaml:3:5: id: means one instance"),
    ])
    func refuseWhatEqualInstancesCannotShare(_ line: String, _ message: String) {
        let desired = contents("name: web\nreplicas: 2\n\(line)\n")
        #expect(desired.declarations.isEmpty)
        #expect(desired.broken.first?.name == "web")
        let problem = desired.allProblems.first?.description ?? ""
        #expect(problem.hasPrefix(message), "\(problem)")
    }

    @Test func oneReplicaMayHaveWhatIsFixed() {
        let text = "name: web\nreplicas: 1\nworkspacePath: /w\n"
        #expect(contents(text).declarations.map(\.config.name) == ["web-0"])
    }

    @Test func aNameThatGrowsTooLongIsSaid() {
        let name = String(repeating: "a", count: 62)
        let problems = contents("name: \(name)\nreplicas: 2\n").allProblems
        #expect(problems.first?.message.contains("is too long for replicas") == true)
    }

    @Test func aNameThatAReplicaHasIsADuplicate() {
        var merge = Merge()
        let desired = merge.desired(
            ["a.yaml": contents("name: web\nreplicas: 2\n---\nname: web-1\n")], specsPath: "/s")
        #expect(desired.frozen.keys.sorted() == ["web-1"])
        #expect(desired.declarations.keys.sorted() == ["web-0"])
    }

    @Test func aBrokenGroupKeepsItsLastGoodInstances() {
        var merge = Merge()
        _ = merge.desired(
            ["a.yaml": contents("name: web\nreplicas: 2\n---\nname: b\n")], specsPath: "/s")
        let desired = merge.desired(
            ["a.yaml": contents("name: web\nreplicas: many\n---\nname: b\n")], specsPath: "/s")
        #expect(desired.declarations.keys.sorted() == ["b", "web-0", "web-1"])
        #expect(desired.declarations["web-0"]?.staleBecause?.location.line == 2)
        #expect(desired.declarations["b"]?.staleBecause == nil)
        #expect(desired.groups == ["web": 2])
        #expect(desired.frozen.isEmpty)
    }
}
