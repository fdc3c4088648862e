import PalModel
import PalSpecs
import Testing

@Suite struct JSONTests {
    @Test func objectsAndListsOfObjectsAreDocuments() throws {
        #expect(
            try json(#"{"name": "a", "n": [1, -2.5, true, null, {}]}"#)
                == [["name": "a", "n": [1, -2.5, true, nil, [:]]]])
        #expect(try json(#" [ {"name":"a"} , {"name":"b"} ] "#) == [["name": "a"], ["name": "b"]])
        #expect(try json("[]") == [])
        #expect(try json(" \n") == [])
        #expect(try json("") == [])
    }

    @Test func numbersKeepTheirKind() throws {
        for (text, value): (String, Plain) in [
            ("0", 0), ("-0", 0), ("10", 10), ("1.0", 1.0), ("1e2", 100.0), ("1E-2", 0.01),
            ("9223372036854775807", 9_223_372_036_854_775_807),
            ("9223372036854775808", 9223372036854775808.0),
        ] {
            #expect(try json("{\"a\": \(text)}") == [["a": value]], "\(text)")
        }
    }

    @Test func escapesAreResolved() throws {
        #expect(
            try json(#"{"a": "\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"}"#)
                == [["a": "\"\\/\u{8}\u{C}\n\r\té😀"]])
    }

    @Test func everythingKnowsItsPlace() throws {
        let text = "{\r\n  \"ü\": [1,\r  {\"k\": \"v\"}]}"
        let root = try SpecText.documents(in: Array(text.utf8), file: "f.json")[0]
        #expect(root.mapping?.first?.key.location(in: "f").description == "f:2:3")
        #expect(root["ü"]?.location(in: "f").description == "f:2:8")
        let inner = root["ü"]?.sequence?.last
        #expect(inner?.location(in: "f").description == "f:3:3")
        #expect(inner?["k"]?.location(in: "f").description == "f:3:9")
    }

    @Test(arguments: [
        (#"{"a": 1,}"#, "1:9: expected a key in double quotes after ',', found '}'"),
        (#"{"a": [1,]}"#, "1:10: expected a value, found ']'"),
        (#"{a: 1}"#, "1:2: expected a key in double quotes or '}', found 'a'"),
        (#"{"a" 1}"#, "1:6: expected ':' after the key, found '1'"),
        (#"{"a": 1 "b": 2}"#, "1:9: expected ',' or '}', found '\"'"),
        (#"{"a": [1 2]}"#, "1:10: expected ',' or ']', found '2'"),
        (#"{"a": 1} x"#, "1:10: expected the end of the file, found 'x'"),
        ("{\"a\": 1,\n \"a\": 2}", "2:2: the key \"a\" is already on line 1"),
        (
            #"{"a\n\u001B": 1, "a\n\u001B": 2}"#,
            #"1:18: the key "a\u{A}\u{1B}" is already on line 1"#
        ),
        (#"{"a": 01}"#, "1:7: a number cannot start with 0"),
        (#"{"a": 1.}"#, "1:9: expected a digit after '.', found '}'"),
        (#"{"a": -}"#, "1:8: expected a digit after '-', found '}'"),
        (#"{"a": 1e}"#, "1:9: expected a digit in the exponent"),
        (#"{"a": 1e999}"#, "1:7: the number is too large"),
        (#"{"a": .5}"#, "1:7: expected a value, found '.'"),
        (#"{"a": yes}"#, "1:7: expected a value: text must stand in double quotes"),
        (#"{"a": 'x'}"#, "1:7: expected a value, found '''"),
        (#"{"a": "x"#, "1:7: the text is never closed"),
        ("{\"a\": \"x\ny\"}", "1:9: a line break or tab in text must be escaped"),
        (#"{"a": "\x"}"#, "1:8: unknown escape"),
        (#"{"a": "\uD800"}"#, "1:8: \\ud800 is half of a surrogate pair"),
        (#"{"a": "\uDC00\uD800"}"#, "1:8: \\udc00 is half of a surrogate pair"),
        (#"{"a": "\uD800\u0041"}"#, "1:8: \\ud800 is half of a surrogate pair"),
        (#"{"a": "\u12"}"#, "1:10: expected four hexadecimal digits"),
        (#"{"a": "\u+123"}"#, "1:10: expected four hexadecimal digits"),
        (#"{"a""#, "1:5: expected ':' after the key, found the end of the file"),
        ("{", "1:2: expected a key in double quotes or '}', found the end of the file"),
        ("[1]", "1:2: expected a mapping with a `name`, found the number 1"),
        ("\"x\"", "1:1: expected a mapping with a `name`, found text"),
        ("// c\n{}", "1:1: expected a value, found '/'"),
    ])
    func whatIsWrongIsToldWithItsPlace(_ text: String, _ message: String) {
        let found = problems(text, file: "f.json")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix(message) == true, "\(found)")
    }

    @Test func nestingEndsAtAHundred() throws {
        func nested(_ count: Int) -> String {
            String(repeating: "[", count: count) + String(repeating: "]", count: count)
        }
        #expect(try json("{\"a\": \(nested(99))}").count == 1)
        for text in [
            "{\"a\": \(nested(100))}", nested(10_000), String(repeating: "{\"a\":", count: 100_000),
        ] {
            #expect(
                problems(text, file: "f.json").first?.contains("more than 100 levels") == true)
        }
    }
}
