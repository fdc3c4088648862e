import Testing

@Suite("House")
struct HouseTests {
    @Test func theTopLevelHoldsWhatItShould() throws {
        let ignored = try Project.text(".gitignore").split(separator: "\n").map(String.init)
        #expect(House.topProblems(try Project.names(), ignored: ignored) == [])
    }

    @Test func specsHoldsTheOneSpecOfTheFirstCommand() throws {
        #expect(try Project.names(in: "specs") == ["hello.yaml"])
    }

    @Test func everyProviderHasTheCoreFiles() throws {
        let providers = try Project.folders(in: "Sources/Providers")
        #expect(providers.count >= 2)
        let problems = try providers.flatMap {
            House.missingCoreFiles(try Project.names(in: "Sources/Providers/\($0)"), provider: $0)
        }
        #expect(problems == [])
    }

    @Test func whatIsTooMuchOrMissingAtTheTopIsReported() {
        let names = [
            ".git", ".ci", "Package.swift", "Sources", "Tests", "specs", "docs", "notes.txt",
        ]
        #expect(
            House.topProblems(names, ignored: []) == [
                "notes.txt does not belong at the top level", "README.md is missing",
            ])
    }

    @Test func whatGitIgnoresIsNotSeen() {
        let names = Array(House.top) + ["Package.resolved", "x.xcodeproj", "build"]
        let ignored = ["# comment", "", "build/", "Package.resolved", "*.xcodeproj"]
        #expect(House.topProblems(names, ignored: ignored) == [])
    }

    @Test func aMissingCoreFileIsReported() {
        let names = House.core.subtracting(["Settings.swift"]) + ["More.swift"]
        #expect(
            House.missingCoreFiles(Array(names), provider: "Next") == [
                "Sources/Providers/Next has no Settings.swift"
            ])
    }
}
