import Testing

@testable import PalHTTP

@Suite("The reader of heads")
struct ResponseHeadTests {
    private func read(_ lines: [String]) -> [ResponseHead] {
        var reader = ResponseHeadReader()
        return lines.compactMap { line in
            if case .complete(let head) = reader.read(Array(line.utf8)) { head } else { nil }
        }
    }

    @Test("takes the last of several heads, and none after it")
    func heads() throws {
        let heads = read([
            "HTTP/1.1 100 Continue\r\n", "A: interim\r\n", "\r\n", "HTTP/1.1 200\r\n", "B: c\r\n",
            "\r\n", "D: trailer\r\n", "\r\n",
        ])
        #expect(heads.map(\.status) == [200])
        #expect(try #require(heads.first).headers.map { "\($0.name)=\($0.value)" } == ["B=c"])
    }

    @Test("takes 101 as the last, for what follows is no head")
    func upgraded() {
        #expect(read(["HTTP/1.1 101 UPGRADED\r\n", "\r\n"]).map(\.status) == [101])
    }

    @Test("joins folded lines, keeps colons in values, and skips what is no header")
    func oddLines() throws {
        let head = try #require(
            read([
                "HTTP/1.1 200 OK\r\n", "A: b:\r\n", "\t c \r\n", "nonsense\r\n", "E:\r\n", "\r\n",
            ]).first)
        #expect(head.headers.map { "\($0.name)=\($0.value)" } == ["A=b: c", "E="])
    }
}
