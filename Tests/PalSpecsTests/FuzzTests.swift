import PalModel
import PalSpecs
import TestSupport
import Testing

/// Whatever bytes come, both readers give documents or located problems, and come back.
@Suite(.timeLimit(.minutes(10))) struct FuzzTests {
    static let fragments: [String] = [
        "a", "name: x", ": ", ":", "- ", "-", "? ", "?", "[", "]", "{", "}", ",", "\n", "\n  ",
        "\n    ", " ", "\t", "\"", "'", "\\", "|\n", ">-\n", "|2+\n", "#", "# c\n", "&a ", "*a",
        "*a ", "<<: ", "!!str ", "!t ", "!", "---\n", "...\n", "%YAML 1.2\n", "%TAG ! x\n", "1",
        "-0",
        "1e9", "0x1F", ".inf", "~", "null", "true", "\u{FEFF}", "é", "😀", "\u{E000}", "\u{E001}",
        "\u{85}", "\u{2028}", "\r", "\r\n", "\u{0}", "\\u12", "\\uD83D\\uDE00", "\"a\": ",
        "{\"a\": ",
        "\"b\",", "@", "`", "=", "\\x41", "\\\n",
    ]

    static func text(seed: UInt64) -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        var bytes: [UInt8] = []
        if Bool.random(using: &random) {
            for _ in 0..<Int.random(in: 0...40, using: &random) { bytes += fragment(&random) }
        } else {
            // Something in order, and then up to three things that do not belong there.
            bytes = Array("{\"k\": \(value(depth: 0, &random))}".utf8)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let start = Int.random(in: 0...bytes.count, using: &random)
                let end = min(start + Int.random(in: 0...2, using: &random), bytes.count)
                bytes.replaceSubrange(start..<end, with: fragment(&random))
            }
        }
        // A tenth gets bytes that are nothing in particular.
        if Int.random(in: 0..<10, using: &random) == 0, !bytes.isEmpty {
            let index = Int.random(in: bytes.indices, using: &random)
            bytes[index] = UInt8.random(in: 0...255, using: &random)
        }
        return bytes
    }

    private static func fragment(_ random: inout SeededGenerator) -> [UInt8] {
        Array((fragments.randomElement(using: &random) ?? "").utf8)
    }

    @Test(arguments: ["f.yaml", "f.json"])
    func anyTextIsAnswered(_ file: String) {
        var good = 0
        for seed in 0..<10_000 as Range<UInt64> {
            let bytes = Self.text(seed: seed)
            do throws(Unparsable) {
                let documents = try SpecText.documents(in: bytes, file: file)
                good += documents.isEmpty ? 0 : 1
                for document in documents { check(document, seed, depth: 0) }
            } catch {
                #expect(!error.diagnostics.isEmpty, "seed \(seed)")
                for problem in error.diagnostics {
                    let place = problem.location
                    #expect(place.file == file && place.line >= 0 && place.column >= 0)
                    #expect(
                        !problem.message.isEmpty && !problem.message.contains("\n"), "seed \(seed)")
                }
            }
        }
        // Otherwise the fragments have become useless.
        #expect(good > 1000)
    }

    /// JSON is YAML: what the strict reader takes, the other one takes too, and means the same.
    @Test func whatIsJSONMeansTheSameInYAML() throws {
        var compared = 0
        for seed in 0..<2_000 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let text = "{\"k\": \(Self.value(depth: 0, &random))}"
            #expect(try json(text) == yaml(text), "seed \(seed): \(text)")
            compared += 1
        }
        #expect(compared == 2_000)
    }

    private static func value(depth: Int, _ random: inout SeededGenerator) -> String {
        switch Int.random(in: depth > 4 ? 2...6 : 0...6, using: &random) {
        case 0:
            return "["
                + (0..<Int.random(in: 0...3, using: &random))
                .map { _ in value(depth: depth + 1, &random) }.joined(separator: ", ") + "]"
        case 1:
            return "{"
                + (0..<Int.random(in: 0...3, using: &random))
                .map { "\"k\($0)*?\": " + value(depth: depth + 1, &random) }
                .joined(separator: ", ") + "}"
        case 2: return "\(Int.random(in: -1000...1000, using: &random))"
        case 3: return "\(Double(Int.random(in: -1000...1000, using: &random)) / 8)"
        case 4: return ["true", "false", "null"].randomElement(using: &random) ?? "null"
        default:
            return ["\"*a\"", "\"? \"", "\"\\n\\u00e9\"", "\"no\""].randomElement(using: &random)
                ?? "1"
        }
    }

    private func check(_ node: Node, _ seed: UInt64, depth: Int) {
        #expect(
            node.line >= 1 && node.column >= 1 && depth <= SpecText.maximumDepth, "seed \(seed)")
        for pair in node.mapping ?? [] {
            #expect(pair.key.line >= 1 && pair.key.column >= 1, "seed \(seed)")
            check(pair.value, seed, depth: depth + 1)
        }
        for element in node.sequence ?? [] { check(element, seed, depth: depth + 1) }
    }
}
