import Testing

@Suite("Style")
struct StyleTests {
    @Test func everySourceFileKeepsTheRules() throws {
        let kinds: Set = ["swift", "c", "h"]
        let files =
            try Project.files(below: "Sources", kinds) + Project.files(below: "Tests", kinds)
        #expect(files.count > 50)
        let problems = try files.flatMap { Style.problems(in: try Project.text($0), file: $0) }
        #expect(problems == [])
    }

    @Test(arguments: [
        String(repeating: "x", count: 101),
        "let value = try" + "! read()",
        "fatal" + "Error(\"no\")",
        "// TO" + "DO: later",
        "// FIX" + "ME",
        "struct StringUt" + "ils {}",
        "final class ConnectionMan" + "ager {",
        "enum Com" + "mon {",
        "private func loadHel" + "per() {",
        "final class Box: @un" + "checked Sendable {}",
    ])
    func aBreachIsReportedWithItsLine(_ line: String) {
        let problems = Style.problems(in: "import Foundation\n\(line)\n", file: "Sources/A/B.swift")
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("Sources/A/B.swift:2: ") == true)
    }

    @Test func aLongFileAndAVagueFileNameAreReported() {
        let long = String(repeating: "let x = 1\n", count: 401)
        #expect(Style.problems(in: long, file: "A.swift") == ["A.swift: 401 lines, more than 400"])
        #expect(Style.problems(in: "", file: "Sources/A/TextUt" + "ils.swift").count == 1)
    }

    @Test func whatTheRulesAllowIsNotReported() {
        let text = """
            // The C side has one owner.
            final class Box: @unchecked Sendable {}
            let files = FileManager.default
            \(String(repeating: "ä", count: 100))

            """
        #expect(Style.problems(in: text, file: "Sources/A/Box.swift") == [])
        let full = String(repeating: "let x = 1\n", count: 400)
        #expect(Style.problems(in: full, file: "A.swift") == [])
    }
}
