import Foundation
import Glibc
import TestSupport
import Testing

/// Everything that can be wrong with a file: one clear message with its place, and the others carry
/// on.
@Suite("Bad input", .timeLimit(.minutes(10)))
struct BadInputTests {
    private static let good =
        "name: good\nprovider: process\neditor: custom\ncommand: [sleep, \"10000\"]\n"

    /// A file, and how the message about it begins.
    private static let files: [(name: String, bytes: [UInt8], message: String)] = [
        (
            "key.yaml", text("name: a\nimagee: x\n"),
            "key.yaml:2:1: unknown key 'imagee'; did you mean 'image'?"
        ),
        (
            "type.yaml", text("name: b\nprotect: maybe\n"),
            "type.yaml:2:10: protect must be true or false, not 'maybe'"
        ),
        (
            "range.yaml", text("name: c\nnetwork: { port: 0 }\n"),
            "range.yaml:2:18: network.port must be a whole number from 1 to 65535, not 0"
        ),
        ("slash.yaml", text("name: a/b\n"), "slash.yaml:1:7: name must be a DNS label"),
        ("dots.yaml", text("name: ..\n"), "dots.yaml:1:7: name must be a DNS label"),
        ("utf8.yaml", [0x6E, 0xFF, 0xFE], "utf8.yaml:1:2:"),
        ("empty.yaml", [], "empty.yaml: the file declares nothing"),
        ("bomb.yaml", bomb(), "bomb.yaml"),
        ("big.yaml", [UInt8](repeating: 0x23, count: 10 << 20), "big.yaml: the file has 10485760"),
        ("deep.yaml", [UInt8](repeating: 0x5B, count: 10_000), "deep.yaml:1:"),
        ("deep.json", [UInt8](repeating: 0x5B, count: 10_000), "deep.json:1:"),
        ("json.json", text("{\"name\": \"j\",}"), "json.json:1:"),
    ]

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func bomb() -> [UInt8] {
        var lines = ["name: x", "a0: &a0 [x,x,x,x,x,x,x,x,x]"]
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ",")
            lines.append("a\(level): &a\(level) [\(aliases)]")
        }
        return text(lines.joined(separator: "\n"))
    }

    @Test func eachIsToldOnceWithItsPlaceAndTheOthersCarryOn() async throws {
        try await Scene.play { scene in
            for file in Self.files {
                let path = scene.specs + "/" + file.name
                #expect(FileManager.default.createFile(atPath: path, contents: Data(file.bytes)))
            }
            mkfifo(scene.specs + "/pipe.yaml", 0o600)
            try FileManager.default.createSymbolicLink(
                atPath: scene.specs + "/null.yaml", withDestinationPath: "/dev/null")
            try scene.write("good.yaml", "\u{FEFF}" + Self.good.replacing("\n", with: "\r\n"))
            let checked = try await scene.pal("validate")
            #expect(checked.code == 1)
            let lines = checked.out.split(separator: "\n").map(String.init)
            for file in Self.files {
                let about = lines.filter { $0.hasPrefix(file.name) }
                #expect(about.count == 1, "\(file.name): \(about)")
                #expect(about.first?.hasPrefix(file.message) == true, "\(about)")
            }
            for file in ["pipe.yaml", "null.yaml"] {
                #expect(lines.filter { $0.hasPrefix(file) }.count == 1, "\(lines)")
            }
            #expect(lines.filter { $0.hasPrefix("good.yaml") }.isEmpty)
            let applied = try await scene.pal("apply")
            #expect(applied.code == 1, "there are problems, and apply says so")
            let status = try await scene.status()
            #expect(status["good"]?.ready == true)
        }
    }

    /// It was said once for each of them.
    @Test func aMistakeInADocumentWithReplicasIsToldOnce() async throws {
        try await Scene.play { scene in
            let wrong = Self.good.replacing("name: good", with: "name: many\nreplicas: 3")
            try scene.write("many.yaml", wrong + "specific: {nonsense: 1}\n")
            let checked = try await scene.pal("validate", "-o", "json")
            #expect(checked.code == 1)
            #expect(checked.out.components(separatedBy: "nonsense").count == 2, "\(checked)")
            #expect(checked.out.contains(#""instance" : "many""#), "\(checked)")
        }
    }

    @Test func aDuplicateInOneFileIsFrozen() async throws {
        try await Scene.play { scene in
            try scene.write("two.yaml", Self.good + "---\n" + Self.good)
            let checked = try await scene.pal("validate")
            #expect(checked.code == 1)
            #expect(checked.out.contains("two.yaml:1:7: 'good' is declared more than once"))
            #expect(checked.out.contains("two.yaml:6:7: 'good' is declared more than once"))
            _ = try await scene.pal("apply")
            #expect(try await scene.status()["good"]?.instance == nil)
        }
    }

    @Test func wrongArgumentsAreToldWithWhatToDo() async throws {
        try await Scene.play { scene in
            try scene.write("good.yaml", Self.good)
            try await scene.apply()
            let unknown = try await scene.pal("stop", "godo")
            #expect(unknown.code == 1)
            #expect(unknown.err == "no instance is named 'godo'; did you mean 'good'?\n")
            let verb = try await scene.pal("statsu")
            #expect(verb.code != 0)
            #expect(verb.err.contains("statsu"), "\(verb)")
            let config = try await scene.pal("status", "--config", "nowhere.yaml")
            #expect(config.code == 1)
            #expect(config.err == "cannot read nowhere.yaml; check the path given with --config\n")
            try "swarrm: x\n".write(
                toFile: scene.root + "/bad.yaml", atomically: true, encoding: .utf8)
            let key = try await scene.pal("status", "--config", "bad.yaml")
            #expect(key.err == "bad.yaml:1:1: unknown key 'swarrm'; did you mean 'swarm'?\n")
        }
    }
}
