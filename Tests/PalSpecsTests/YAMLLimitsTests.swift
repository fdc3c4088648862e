import PalEngine
import PalModel
import PalSpecs
import Testing

/// Inputs that make naive readers hang, crash or fill the memory. Each must give its answer; a
/// reader that does not would not come back within the suite's limit.
@Suite(.timeLimit(.minutes(10))) struct YAMLLimitsTests {
    /// A large text with a short name, for what a failure prints.
    struct Hostile: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String

        init(_ text: String) {
            self.text = text
            testDescription = "\(text.prefix(20).debugDescription)… (\(text.utf8.count))"
        }

        /// `open` so many times, then `close` as often.
        init(_ open: String, _ count: Int, _ close: String = "") {
            self.init(
                String(repeating: open, count: count) + String(repeating: close, count: count))
        }
    }

    static func nested(_ open: String, _ count: Int, _ close: String) -> String {
        Hostile(open, count, close).text
    }

    static func indented(_ count: Int) -> String {
        (0..<count).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
    }

    @Test(arguments: [
        Hostile("[", 10_000, "]"), Hostile("[", 10_000), Hostile("{a: ", 10_000),
        Hostile("{a: ", 900, "}"), Hostile("[a: ", 900, "]"), Hostile("- ", 10_000),
        Hostile("- ", 900), Hostile("[", 4 << 20), Hostile("- ", 2 << 20), Hostile("[{a: ", 10_000),
        Hostile(indented(101)), Hostile(indented(400)), Hostile(indented(2000)),
    ])
    func deepNestingIsRefusedInTime(_ hostile: Hostile) {
        let found = problems(hostile.text)
        #expect(found.count == 1)
        #expect(found.first?.contains("more than 100 levels of nesting") == true, "\(found)")
    }

    @Test func aHundredLevelsAreFine() throws {
        #expect(try yaml("a: " + Self.nested("[", 99, "]")).count == 1)
        #expect(problems("a: " + Self.nested("[", 100, "]")).count == 1)
        #expect(try yaml(Self.indented(100)).count == 1)
    }

    @Test func anAliasBombIsRefused() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let refs = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(refs)]\n"
        }
        let found = problems(text)
        #expect(found.count == 1)
        #expect(found.first?.contains("aliases make this file too large") == true)
    }

    @Test func aBombInKeysIsRefusedBeforeItIsHashed() {
        var text = "a0: &a0 {x: 1, y: 2}\n"
        for level in 1...60 {
            let before = "*a\(level - 1)"
            text += "a\(level): &a\(level) {x: \(before), y: \(before)}\n"
        }
        for key in ["? *a60\n: 1\n", "*a60 : 1\n", "{p: *a60, q: *a60}: 1\n", "[*a60]: 1\n"] {
            #expect(!problems(text + key).isEmpty, "\(key)")
        }
    }

    @Test func aDeepTreeBuiltOfAliasesIsRefused() {
        var text = "a0: &a0 [x]\n"
        for level in 1...200 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        #expect(problems(text).first?.contains("levels of nesting") == true)
    }

    @Test func collectionsAsKeysByTheThousandAreRefused() {
        let key = Self.nested("{", 190, "}: 1")
        let found = problems("[" + String(repeating: key + ",", count: 500) + "]")
        #expect(
            found
                == ["too many lists or mappings are used as keys: keys must be text"].map {
                    " \($0)"
                })
    }

    @Test func honestUseOfAliasesFitsTheBudget() throws {
        let uses = (0..<900).map { "  k\($0): *e\n" }.joined()
        #expect(try yaml("e: &e {a: 1, b: 2, c: 3}\nx:\n" + uses).count == 1)
    }

    @Test func aLargeFileOfManySpecsIsRead() throws {
        let spec = "---\nname: instance\nenv: {A: b}\nlabels:\n  team: '*?'\n"
        let count = SpecText.maximumBytes / 4 / spec.utf8.count
        #expect(try yaml(String(repeating: spec, count: count)).count == count)
    }

    /// Two paths that look the same can be two directories.
    @Test func textsThatLookTheSameKeepTheirBytes() {
        let paths = ["/srv/donn\u{e9}es/projet", "/srv/donne\u{301}es/projet"]
        let text = paths.enumerated().map { "---\nname: n\($0)\nworkspacePath: \($1)\n" }.joined()
        let contents = SpecFileContents(bytes: Array(text.utf8), file: "f.yaml")
        let read = contents.declarations.map { Array(($0.config.workspacePath ?? "").utf8) }
        #expect(read == paths.map { Array($0.utf8) })
    }

    @Test func aFewLinesDoNotDeclareMillions() {
        let text = String(repeating: "---\nname: web\nreplicas: 1000\n", count: 50_000)
        let contents = SpecFileContents(bytes: Array(text.utf8), file: "f.yaml")
        #expect(contents.declarations.count == 10_000)
        #expect(
            contents.broken.first?.problems.map(\.description) == [
                "f.yaml:33:11: more than 10000 instances by replicas in one file: split it"
            ])
    }

    @Test func tenMegabytesAreRefusedWithoutReading() {
        let found = problems([UInt8](repeating: UInt8(ascii: "a"), count: 10 << 20))
        #expect(found.count == 1)
        #expect(found.first?.contains("the file has 10485760 bytes; the limit is 4194304") == true)
    }

    @Test(arguments: [
        Hostile("[" + String(repeating: "[],", count: 1 << 20) + "]"), Hostile("---\n", 1 << 20),
        Hostile(":", 1 << 20), Hostile("\t", 1 << 20), Hostile("\n", 4 << 20),
        Hostile("a: " + String(repeating: "x ", count: 2_000_000)), Hostile("? ", 10_000),
        Hostile("? a\n", 1 << 18), Hostile("*a ", 1 << 18), Hostile("&a ", 1 << 18),
        Hostile("{" + String(repeating: "? a,", count: 1 << 18) + "}"), Hostile("!!", 1 << 18),
        Hostile("- &a x\n", 1 << 18), Hostile("#", 1 << 20), Hostile("- '", 1 << 18),
    ])
    func longMonotonyEndsInTime(_ hostile: Hostile) {
        #expect(problems(hostile.text).count <= 20)
    }
}
