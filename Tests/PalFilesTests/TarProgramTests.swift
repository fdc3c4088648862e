import Foundation
import PalFiles
import Testing

@Suite("Packing and unpacking", .timeLimit(.minutes(2)))
struct TarProgramTests {
    /// What sed, a shell or tar itself would make something of.
    @Test(arguments: [
        "plain", "two words", "a,b", "x&y", "dots.*[a-z]^$", "back\\slash", "-dash", "é",
    ])
    func aNameIsKeptAndGivenWhateverIsInIt(_ name: String) async throws {
        try await inScratch { root in
            try write("\(root)/\(name)/below/file", "content")
            try FileManager.default.createSymbolicLink(
                atPath: "\(root)/\(name)/link", withDestinationPath: name)
            let archive = root + "/archive.tar"
            for new in [name, "other", "with,&\\ signs"] {
                try await TarProgram.pack("\(root)/\(name)", as: new, into: archive)
                let place = "\(root)/out-\(new.count)"
                try FileManager.default.createDirectory(
                    atPath: place, withIntermediateDirectories: true)
                try await TarProgram.unpack(archive, root: new, as: "back", in: place)
                #expect(try names(in: place) == ["back"])
                #expect(
                    try String(contentsOfFile: place + "/back/below/file", encoding: .utf8)
                        == "content")
                // Where a link leads is no name of the archive's.
                #expect(
                    try FileManager.default.destinationOfSymbolicLink(
                        atPath: place + "/back/link") == name)
            }
        }
    }

    @Test func theContentsComeWithoutTheirDirectory() async throws {
        try await inScratch { root in
            try write(root + "/from/a", "1")
            try write(root + "/from/sub/b", "2")
            let archive = root + "/archive.tar"
            try await TarProgram.pack(root + "/from", into: archive)
            try write(root + "/to/kept", "3")
            try await TarProgram.unpack(archive, root: "from", as: nil, in: root + "/to")
            #expect(try names(in: root + "/to") == ["a", "kept", "sub"])
        }
    }

    @Test func aFailureIsToldInOneLine() async throws {
        try await inScratch { root in
            let failure = await #expect(throws: TarProgram.Failure.self) {
                try await TarProgram.pack(root + "/gone", into: root + "/archive.tar")
            }
            #expect(failure?.description.contains("gone") == true)
            #expect(failure?.description.contains("\n") == false)
        }
    }

    private func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    private func write(_ path: String, _ text: String) throws {
        try FileManager.default.createDirectory(
            atPath: URL(filePath: path).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func inScratch(_ body: (String) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "pal-tar-\(UUID())").path
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try await body(root)
    }
}
