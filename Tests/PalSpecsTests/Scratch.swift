import Foundation

/// A directory of its own for one test, removed when the test lets go of it.
final class Scratch: Sendable {
    /// Absolute, without links.
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("pal-specs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.resolvingSymlinksInPath().path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    subscript(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: self[name]))
        return self[name]
    }

    func directory(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: self[name], withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: self[name], withDestinationPath: target)
    }

    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }
}

extension Scratch {
    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: self[name])
    }

    func move(_ name: String, to target: String) throws {
        try FileManager.default.moveItem(atPath: self[name], toPath: self[target])
    }

    /// Puts a link in the place of another one in one step, as git-sync and the kubelet do.
    func relink(_ name: String, to target: String) throws {
        try link(name + ".new", to: target)
        guard rename(self[name + ".new"], self[name]) == 0 else {
            throw CocoaError(.fileWriteUnknown)
        }
    }
}
