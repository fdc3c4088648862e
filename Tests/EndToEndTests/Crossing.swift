import Foundation
import PalHTTP
import TestSupport

/// A change of the specs that is crashed into, and what must be true when it is done.
struct Crossing: Sendable {
    var title: String
    /// The specs after the change: text by file.
    var files: [String: String]
    /// The names that the files declare.
    var names: Set<String>
    /// Those whose object must be the same as before.
    var keeps: Set<String>
    /// The names that have persistent storage afterwards.
    var stores: Set<String>
    /// The names whose storage still has the mark that was left in it.
    var marked: Set<String> = []
}

/// What is done to instances `a` and `b`, again and again, while `c` stands by.
enum Scenario: String, Sendable, CaseIterable {
    case createAndDelete, update, replace

    /// The specs at the start.
    func start(_ scene: Scene, _ platform: Scene.Platform) -> [String: String] {
        var files = ["c.yaml": scene.spec("c", platform)]
        if self == .createAndDelete { return files }
        let more = self == .replace && platform == .process ? Self.losing : ""
        for name in ["a", "b"] { files["\(name).yaml"] = scene.spec(name, platform, more) }
        return files
    }

    private static let losing = "resources: { storage: { persistent: false } }\nonReplace: discard"
    private static let keeping = "resources: { storage: { persistent: true } }\nonReplace: discard"

    /// The changes of one round, the first of which can follow the last.
    func round(_ number: Int, _ scene: Scene, _ platform: Scene.Platform) -> [Crossing] {
        let all: Set = ["a", "b", "c"]
        func files(_ more: String) -> [String: String] {
            var files = ["c.yaml": scene.spec("c", platform)]
            for name in ["a", "b"] { files["\(name).yaml"] = scene.spec(name, platform, more) }
            return files
        }
        let shade = "env: { SHADE: \"\(number)\" }"
        switch (self, platform) {
        case (.createAndDelete, _):
            var both = files("")
            both["a.yaml"]? += "onDelete: delete\n"
            let alone = both.filter { $0.key == "c.yaml" }
            return [
                .init(title: "create", files: both, names: all, keeps: ["c"], stores: all),
                .init(
                    title: "delete", files: alone, names: ["c"], keeps: ["c"], stores: ["b", "c"]),
            ]
        case (.update, .process):
            return [
                .init(title: "update", files: files(shade), names: all, keeps: all, stores: all)
            ]
        case (.update, .docker):
            let limit = "resources: { memory: { max: \(256 + number) } }"
            return [
                .init(title: "update", files: files(limit), names: all, keeps: all, stores: all)
            ]
        case (.replace, .docker):
            return [
                .init(
                    title: "replace", files: files(shade), names: all, keeps: ["c"], stores: all,
                    marked: ["a", "b"])
            ]
        case (.replace, .process):
            return [
                .init(
                    title: "replace", files: files(Self.keeping), names: all, keeps: ["c"],
                    stores: all),
                .init(
                    title: "replace losing data", files: files(Self.losing), names: all,
                    keeps: ["c"], stores: ["c"]),
            ]
        }
    }
}

extension Scene {
    private static let mark = "left before the crash"

    /// Leaves a mark in the storage of containers.
    func leaveMark(in names: Set<String>) async throws {
        for name in names.sorted() {
            let outcome = try await pal(
                "exec", name, "--", "sh", "-c", "echo '\(Self.mark)' > /home/coder/mark")
            guard outcome.code == 0 else { throw TestFailure("no mark in \(name): \(outcome)") }
        }
    }

    /// Whether a container's storage has the mark.
    func hasMark(_ object: String) async throws -> Bool {
        let answer = try await DockerEngine.shared.call(
            "GET", "/containers/\(object)/archive?path=/home/coder/mark")
        return answer.status == 200
            && String(decoding: answer.body, as: UTF8.self).contains(Self.mark)
    }

    /// All that is wrong after a crossing, with what stands now.
    func complaints(
        after crossing: Crossing, on platform: Platform, ids: [String: String],
        before: [Standing]
    ) async throws -> [String] {
        let now = try await standing(platform)
        var objects: [String: String] = [:]
        for one in before where crossing.keeps.contains(one.name) { objects[one.name] = one.object }
        var complaints = Expected(names: crossing.names, ids: ids, objects: objects)
            .complaints(about: now)
        let stores = try await stored(platform)
        if stores != crossing.stores {
            complaints.append(
                "storage is there for \(stores.sorted()), not for \(crossing.stores.sorted())")
        }
        for one in now where crossing.marked.contains(one.name) {
            if try await !hasMark(one.object) { complaints.append("'\(one.name)' lost its data") }
        }
        if platform == .process {
            let count = try supervisors()
            if count != now.count { complaints.append("\(count) supervisors for \(now.count)") }
        }
        return try await complaints + unfinished()
    }
}
