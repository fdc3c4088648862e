import Foundation
import PalFiles
import TestSupport
import Testing

@Suite struct RealPathTests {
    @Test func followsLinksLikeTheSystemDoes() throws {
        let scratch = try Scratch()
        try scratch.directory("a/b")
        try scratch.write("", to: "a/b/f")
        try scratch.link("l", to: "a/b")
        try scratch.link("a/up", to: "../l/./f")
        try scratch.link("abs", to: scratch["a//b/"])
        for (path, real) in [
            ("l/f", "a/b/f"), ("a/up", "a/b/f"), ("abs", "a/b"), ("l/../b", "a/b"), ("a/b/..", "a"),
        ] {
            #expect(try RealPath.resolve(scratch[path]) == scratch[real], "\(path)")
        }
        #expect(try RealPath.resolve("/") == "/")
        #expect(try RealPath.resolve("/..") == "/")
    }

    @Test func failuresAreTheSystemsOwn() throws {
        let scratch = try Scratch()
        try scratch.write("", to: "f")
        try scratch.link("loop", to: "loop")
        try scratch.link("dangling", to: "gone")
        for (path, code) in [
            ("none", ENOENT), ("f/x", ENOTDIR), ("loop", ELOOP), ("dangling", ENOENT),
        ] {
            let error = #expect(throws: SystemError.self) { try RealPath.resolve(scratch[path]) }
            #expect(error?.code == code, "\(path)")
        }
        #expect(throws: SystemError.self) { try RealPath.resolve("") }
    }

    @Test func tellsEveryLookupOnTheWay() throws {
        let scratch = try Scratch()
        try scratch.directory("real")
        try scratch.link("link", to: "real")
        var visits: [String] = []
        _ = try? RealPath.resolve(scratch["link/none/deeper"]) { visits.append("\($0)|\($1)") }
        let wanted = ["\(scratch.path)|link", "\(scratch.path)|real", "\(scratch["real"])|none"]
        #expect(Array(visits.suffix(3)) == wanted)
        #expect(visits.first?.hasPrefix("/|") == true)
    }
}
