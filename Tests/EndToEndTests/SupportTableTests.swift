import Foundation
import TestSupport
import Testing

/// The table of the docs is what the built program says.
@Suite("Table of providers", .timeLimit(.minutes(2)))
struct SupportTableTests {
    @Test func theDocsHaveTheTableAsItIsMade() async throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/providers/support.md").standardized
        let parts = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "<!-- ")
        let (start, end) = ("made by: pal providers list --markdown -->", "end of what is made -->")
        let made = try #require(parts.first { $0.hasPrefix(start) }).dropFirst(start.count)
        #expect(parts.last?.hasPrefix(end) == true)
        try await Scene.play { scene in
            let printed = try await scene.pal("providers", "list", "--markdown").out
            #expect(
                made.trimmingCharacters(in: .newlines)
                    == printed.trimmingCharacters(in: .newlines),
                "put the output of 'pal providers list --markdown' between the two marks")
        }
    }
}
