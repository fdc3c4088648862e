import Foundation
import Glibc
import PalFiles
import TestSupport
import Testing

@Suite struct AtomicFileTests {
    @Test func writesContentModeAndNothingElse() throws {
        let scratch = try Scratch()
        try AtomicFile.write("hello".utf8, to: scratch["a"])
        #expect(try String(contentsOfFile: scratch["a"], encoding: .utf8) == "hello")
        #expect(try mode(scratch["a"]) == 0o600)
        #expect(try scratch.names() == ["a"])
    }

    @Test func theModeIsExactWhateverTheUmask() throws {
        let scratch = try Scratch()
        try AtomicFile.write([], to: scratch["a"], mode: 0o666)
        #expect(try mode(scratch["a"]) == 0o666)
    }

    @Test func aReaderHasTheOldOrTheNewContent() async throws {
        let scratch = try Scratch()
        let contents = ["a", "b"].map { [UInt8]($0.utf8) }.map { letter in
            [UInt8]([[UInt8]](repeating: letter, count: 100_000).joined())
        }
        try AtomicFile.write(contents[0], to: scratch["f"])
        await withThrowingTaskGroup { group in
            group.addTask {
                for round in 0..<50 { try AtomicFile.write(contents[round % 2], to: scratch["f"]) }
            }
            for _ in 0..<200 {
                let bytes = try? RegularFile.read(at: scratch["f"], limit: 1 << 20).bytes
                #expect(bytes == nil || contents.contains(bytes ?? []))
            }
        }
        #expect(try scratch.names() == ["f"])
    }

    @Test func aFailureLeavesTheOldFileAndNoTemporary() throws {
        let scratch = try Scratch()
        try scratch.directory("taken")
        try scratch.write("x", to: "taken/x")
        #expect(throws: SystemError.self) { try AtomicFile.write([1], to: scratch["taken"]) }
        #expect(try scratch.names() == ["taken"])
        let error = #expect(throws: SystemError.self) {
            try AtomicFile.write([1], to: scratch["none/x"])
        }
        #expect(error?.isMissing == true)
        #expect(error?.description.contains("No such file") == true)
    }

    @Test func aLinkIsReplacedNotFollowed() throws {
        let scratch = try Scratch()
        try scratch.write("target", to: "t")
        try scratch.link("l", to: "t")
        try AtomicFile.write("new".utf8, to: scratch["l"])
        #expect(try String(contentsOfFile: scratch["t"], encoding: .utf8) == "target")
        #expect(try String(contentsOfFile: scratch["l"], encoding: .utf8) == "new")
    }

    @Test func aLongNameStillHasRoomForTheTemporary() throws {
        let scratch = try Scratch()
        let name = String(repeating: "n", count: 255)
        try AtomicFile.write("x".utf8, to: scratch[name])
        #expect(try scratch.names() == [name])
    }

    private func mode(_ path: String) throws -> mode_t {
        var info = stat()
        try #require(stat(path, &info) == 0)
        return info.st_mode & 0o7777
    }
}
