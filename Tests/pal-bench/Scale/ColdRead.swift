import Foundation
import PalEngine
import PalSpecs
import Yams

/// Reading, decoding and validating all files with nothing known before, against what Yams alone
/// takes to compose the same files one after the other.
struct ColdRead {
    let tree: SpecFiles
    let rounds: Int

    private(set) var read = Series()
    private(set) var compose = Series()
    private(set) var basicCompose = Series()

    init(tree: SpecFiles, rounds: Int) async throws {
        (self.tree, self.rounds) = (tree, rounds)
        for round in 0..<rounds {
            read.add(try await timed { try await readAll() })
            compose.add(try await timed { try composeAll(.default) })
            basicCompose.add(try await timed { try composeAll(.basic) })
            tell(
                "cold read, round \(round + 1): \(read.last) ms; "
                    + "compose \(compose.last) ms, without resolving \(basicCompose.last) ms")
        }
    }

    var figure: Figure {
        Figure(
            "coldRead",
            "read, decode and validate \(tree.specs) specs in \(tree.files) files / Yams' compose",
            value: read.median / compose.median, aim: 1.5,
            parts: [
                "palMs": read.median, "composeMs": compose.median,
                "composeBasicMs": basicCompose.median,
                "ratioToBasic": read.median / basicCompose.median, "rounds": Double(rounds),
            ])
    }

    private func readAll() async throws {
        let desired = await SpecDirectory(path: tree.path).read()
        guard desired.declarations.count == tree.specs, desired.problems.isEmpty else {
            throw BenchmarkFailure("\(desired.declarations.count) of \(tree.specs) specs were read")
        }
    }

    private func composeAll(_ resolver: Resolver) throws {
        var roots = 0
        for file in 0..<tree.files {
            let text = try String(contentsOfFile: tree.path(of: file), encoding: .utf8)
            var documents = try compose_all(yaml: text, resolver)
            while documents.next() != nil { roots += 1 }
            if let error = documents.error { throw error }
        }
        guard roots == tree.specs else { throw BenchmarkFailure("Yams found \(roots) documents") }
    }
}
