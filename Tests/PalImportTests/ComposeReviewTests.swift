import PalModel
import Testing

@testable import PalImport

/// What a review against the words of the task found to be lost.
@Suite("Compose files, said and not lost")
struct ComposeReviewTests {
    /// A review found that its password went into a file that nothing there reads.
    @Test func aPasswordThatNoCodeServerReadsStaysAVariable() throws {
        func reference(_ image: String) throws -> SecretReference? {
            var spec = try #require(
                try imported("services: { a: { image: \(image), environment: { PASSWORD: x1 } } }")
                    .specs.first)
            spec.refer("PASSWORD", toFile: "/f")
            return spec.config.secrets?["PASSWORD"]
        }
        #expect(try reference("lscr.io/linuxserver/code-server")?.as == "env")
        #expect(try reference("postgres")?.as == "env")
        #expect(try reference("codercom/code-server")?.as != "env")
    }

    /// A review found that these were dropped, or turned into their opposite, without a word.
    @Test func whatIsSaidInOtherWordsIsReadOrSaid() throws {
        let all = try imported(
            """
            services:
              a:
                image: x
                network_mode: none
                ports: ["8080:80"]
                volumes:
                  - { type: bind, source: /a, target: /b, read_only: "true" }
                  - { type: bind, source: /c, target: /d, read_only: perhaps }
                  - { type: tmpfs, target: /e, tmpfs: { size: 10 } }
            """)
        let specific = all.specs.first?.config.specific
        #expect(specific?["network"] == .string("none"))
        guard case .list(let mounts)? = specific?["mounts"] else {
            Issue.record("no mounts")
            return
        }
        #expect(mounts.prefix(2).allSatisfy { $0["readOnly"] == .bool(true) })
        let said = all.remarks.map { "\($0.location.line): \($0.message)" }
        #expect(said.count == 3, "\(said)")
        #expect(said.contains { $0.hasPrefix("5: Compose publishes a port on every address") })
        #expect(said.contains { $0.hasPrefix("8: read_only 'perhaps'") })
        #expect(said.contains { $0.hasPrefix("9: tmpfs.size '10'") })
    }
}
