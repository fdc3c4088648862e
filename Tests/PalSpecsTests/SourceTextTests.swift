import PalModel
import PalSpecs
import Testing

/// What is refused before a parser sees it, in both languages.
@Suite struct SourceTextTests {
    @Test(arguments: ["f.yaml", "f.json"])
    func bytesThatAreNotUTF8AreFound(_ file: String) {
        #expect(
            problems(Array("é\r\nab".utf8) + [0xFF], file: file)
                == ["2:3: the byte at offset 6 is not UTF-8: save the file as UTF-8"])
        // Overlong, a surrogate, cut off.
        for bytes: [UInt8] in [[0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
            #expect(problems(bytes, file: file).first?.hasPrefix("1:1: the byte") == true)
        }
        #expect(
            problems([0xFF, 0xFE, 0x61, 0], file: file) == [" the file is UTF-16: save it as UTF-8"]
        )
    }

    @Test(arguments: ["f.yaml", "f.json"])
    func controlCharactersAreFound(_ file: String) {
        #expect(
            problems("{}\n \u{0}", file: file).first?.hasPrefix("2:2: the control character U+0000")
                == true)
        for character in ["\u{1}", "\u{7F}", "\u{9F}", "\u{FEFF}", "\u{FFFE}", "\u{1B}"] {
            #expect(
                problems("{\"a\": \"\(character)\"}", file: file).first?.hasPrefix("1:8: ") == true)
        }
        #expect(problems("{\"a\": \"\u{85}\u{A0}\u{10FFFF}\"}", file: file) == [])
    }

    @Test func aByteOrderMarkIsNotText() throws {
        #expect(try json("\u{FEFF}{\"a\": 1}") == [["a": 1]])
        #expect(try yaml("\u{FEFF}") == [])
    }
}
