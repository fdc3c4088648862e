import PalModel
import PalSpecs
import Testing

@Suite struct YAMLTests {
    @Test func scalarsMeanWhatYAML12Says() throws {
        let cases: [(String, Plain)] = [
            ("no", "no"), ("NO", "NO"), ("on", "on"), ("off", "off"), ("yes", "yes"), ("y", "y"),
            ("true", true), ("False", false), ("TRUE", true), ("tRue", "tRue"),
            ("null", nil), ("~", nil), ("", nil), ("Null", nil), ("nULL", "nULL"),
            ("8080", 8080), ("-1", -1), ("+7", 7), ("0777", 777), ("0o17", 15), ("0x1F", 31),
            ("0x", "0x"), ("0o8", "0o8"), ("0xg", "0xg"), ("1_000", "1_000"),
            ("12:30:45", "12:30:45"),
            ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0), ("1.5.2", "1.5.2"), (".", "."),
            ("+", "+"), ("1e", "1e"), (".inf", .scalar(.float(.infinity), "")),
            ("-.Inf", .scalar(.float(-.infinity), "")), ("99999999999999999999", 1e20),
            ("0xFFFFFFFFFFFFFFFFF", .scalar(.float(295147905179352825856), "")),
            ("2024-01-01", "2024-01-01"), ("'8080'", "8080"), ("\"true\"", "true"), ("''", ""),
            ("!!str 8080", "8080"), ("=", "="), ("٣", "٣"),
        ]
        for (text, meaning) in cases {
            #expect(try yaml("a: \(text)") == [["a": meaning]], "\(text)")
        }
        #expect(try yaml("a: |\n  8080\n") == [["a": "8080\n"]])
    }

    @Test func documentsAreSeparateAndEmptyOnesAreSkipped() throws {
        #expect(try yaml("") == [])
        #expect(try yaml("# only a comment\n") == [])
        #expect(try yaml("---\n---\n~\n...\n") == [])
        #expect(try yaml("---\na: 1\n---\n---\nb: 2\n") == [["a": 1], ["b": 2]])
    }

    @Test func everythingKnowsItsPlace() throws {
        let text = "name: a\nnetwork:\n  ports:\n    - {internal: 1}\n---\n  ü: [x]\n"
        let documents = try SpecText.documents(in: Array(text.utf8), file: "d/f.yaml")
        let port = documents[0]["network"]?["ports"]?.sequence?.first
        #expect(port?.location(in: "x").description == "x:4:7")
        #expect(port?.mapping?.first?.key.location(in: "x").description == "x:4:8")
        #expect(documents[1].mapping?.first?.value.location(in: "x").description == "x:6:6")
    }

    @Test func marksOrderMarksAndLineEndsOfWindowsAreFine() throws {
        let text = "\u{FEFF}name: a\r\nenv:\r\n  A: b\r\n"
        let documents = try SpecText.documents(in: Array(text.utf8), file: "f.yaml")
        #expect(documents.map(Plain.init) == [["name": "a", "env": ["A": "b"]]])
        #expect(documents[0].line == 1 && documents[0].column == 1)
        #expect(documents[0]["env"]?.line == 3)
    }

    @Test func aliasesRepeatValues() throws {
        #expect(
            try yaml("a: &x [1, 2]\nb: *x\nc: *x") == [["a": [1, 2], "b": [1, 2], "c": [1, 2]]])
        #expect(try yaml("a: &x 1\nb: &x 2\nc: *x") == [["a": 1, "b": 2, "c": 2]])
        #expect(try yaml("a: &x-1_b {k: v}\nb: [*x-1_b , {c: *x-1_b}]").count == 1)
    }

    @Test func starsAndQuestionMarksInTextStay() throws {
        #expect(
            try yaml("cron: '* * *'\nwhy: what? 5*5 \u{E000}\nsh: |\n  rm *.?\nx: ?y\n")
                == [
                    [
                        "cron": "* * *", "why": "what? 5*5 \u{E000}", "sh": "rm *.?\n", "x": "?y",
                    ]
                ])
        #expect(try yaml("a*b?: 1") == [["a*b?": 1]])
    }

    @Test func mergeKeysBringInWhatIsNotSaid() throws {
        let text = """
            env:
              base: &base {A: 1, B: 2}
              more: &more {B: 3, C: 4}
              one: {<<: *base, B: 9}
              two:
                <<: [*base, *more]
            """
        #expect(
            try yaml(text) == [
                [
                    "env": [
                        "base": ["A": 1, "B": 2], "more": ["B": 3, "C": 4],
                        "one": ["B": 9, "A": 1], "two": ["A": 1, "B": 2, "C": 4],
                    ]
                ]
            ])
        #expect(try yaml("a: {'<<': 1}") == [["a": ["<<": 1]]])
        #expect(
            problems("a:\n  <<: 5")
                == ["2:7: `<<` merges a mapping or a list of mappings, not the number 5"])
    }

    @Test(arguments: [
        ("a: 1\nb: 2\na: 3\n", "3:1: the key \"a\" is already on line 1"),
        ("x:\n  - k: 1\n    j: 2\n    k: 3\n", "4:5: the key \"k\" is already on line 2"),
        ("a: {b: 1, b: 2}", "1:5: the key \"b\" is in this mapping twice"),
        ("a*: 1\na*: 2", "2:1: the key \"a*\" is already on line 1"),
        ("a: 1\n'a': 2", "1:1: the key \"a\" is in this mapping twice"),
        ("8080: x", "1:1: a key must be text: write \"8080\" in quotes"),
        ("a:\n  true: x", "2:3: a key must be text: write \"true\" in quotes"),
        (": x", "1:1: expected a key"), ("a: {'': x, ~: y}", "1:12: a key must be text"),
        ("[a, b]: x", "1:1: a key must be text, not a list or a mapping"),
        ("&a x: 1\n*a : 2", "2:1: a key cannot be an alias: write the key out"),
        ("? a\n: b", "1:1: explicit keys"),
        ("a: !!binary aGk=", "1:4: the tag !!binary is not supported: remove it"),
        ("a: !secret x", "1:4: the tag !secret is not supported: remove it"),
        ("a: !!int \"3\"", "1:4: the tag !!int is not supported: remove it"),
        ("a: !!set {b: 1}", "1:4: the tag !!set is not supported: remove it"),
        ("a: *none", "1:4: nothing before this is marked `&none`"),
        ("a: &x 1\n---\nb: *x", "3:4: nothing before this is marked `&x`"),
        ("a: &x [*x]", "1:8: nothing before this is marked `&x`"),
        ("a: *.txt", "1:4: text that starts with '*' must stand in quotes"),
        ("a: *x y", "1:4: text that starts with '*' must stand in quotes"),
        ("- a\n- b", "1:1: expected a mapping with a `name`, found a list"),
        ("just text", "1:1: expected a mapping with a `name`, found text"),
    ])
    func whatASpecCannotMeanIsToldWithItsPlace(_ text: String, _ message: String) {
        let found = problems(text)
        #expect(found.first?.hasPrefix(message) == true, "\(found)")
    }

    @Test(arguments: [
        ("a: b: c", "1:5: a ':' cannot stand here"),
        ("a:\n\tb: 1", "2:1: a tab cannot be used for indentation"),
        ("a: @b", "1:4: text cannot start with '@': put it in quotes"),
        ("a: %b", "1:4: text cannot start with '%': put it in quotes"),
        ("a: 'b\nc: d\n", "1:4: the quote that opens here is never closed"),
        ("a: [1, 2\nb: 3\n", "2:2: expected ',' or ']' in the list"),
        ("a: {b: 1\n", "2:1: expected ',' or '}' in the mapping (in what begins on line 1)"),
        ("a: 1\n b: 2\n", "2:3: a ':' cannot stand here"),
        ("a:\n  b: 1\n c: 2\n", "3:2: expected a key: indent this line"),
        ("a: \"\\q\"", "1:5: unknown escape in double quotes"),
        ("a: 1\nbcd\n", "2:1: expected ':' and a value after this key"),
        ("- a\nb: c\n", "2:1: expected '-'"),
        ("a: b\n---\nc: 'd\n", "3:4: the quote"),
        ("a: {\nb", "2:2: expected ',' or '}'"), ("a: {\u{2028}b", "2:2: expected ',' or '}'"),
    ])
    func aSyntaxErrorIsOneDiagnosticInPlainWords(_ text: String, _ message: String) {
        let found = problems(text)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix(message) == true, "\(found)")
        #expect(found.allSatisfy { !$0.contains("\n") })
    }

    /// Each reading of such a file used to name another of its keys.
    @Test func severalKeysThatStandTwiceGiveTheSameAtEveryReading() {
        for text in ["{a}: 1\n{a}: 2\nb: 1\nb: 2\n", "a: 1\n!!str a: 2\na: 3\n!!str a: 4\n"] {
            #expect(Set((0..<50).map { _ in problems(text) }).count == 1, "\(text)")
        }
        #expect(problems("b: 1\na: 1\na: 2\nb: 2\n").first?.hasPrefix("3:1: the key \"a\"") == true)
    }

    @Test func severalMistakesAreToldAtOnceInOrder() {
        let found = problems("1: a\nb: !x c\nd: *e\n---\n2: f\n")
        #expect(found.map { String($0.prefix(4)) } == ["1:1:", "2:4:", "3:4:", "5:1:"])
        let many = String(repeating: "- !x a\n", count: 1000)
        #expect(problems("a:\n" + many).count == 20)
    }
}
