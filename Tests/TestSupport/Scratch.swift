import Foundation

/// A directory of its own for one test, removed when the test lets go of it.
public final class Scratch: Sendable {
    /// Absolute, without links.
    public let path: String

    /// Makes an empty one.
    public init() throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("pal-scratch-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.resolvingSymlinksInPath().path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The absolute path of a name in it.
    public subscript(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file. Gives its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: self[name]))
        return self[name]
    }

    /// Makes a directory, and those that it lies in.
    public func directory(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: self[name], withIntermediateDirectories: true)
    }

    /// Makes a symbolic link.
    public func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: self[name], withDestinationPath: target)
    }

    /// What lies in it, sorted.
    public func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    /// Removes a file, or a directory with all in it.
    public func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: self[name])
    }

    /// Moves a file or a directory.
    public func move(_ name: String, to target: String) throws {
        try FileManager.default.moveItem(atPath: self[name], toPath: self[target])
    }

    /// Puts a link in the place of another one in one step, as git-sync and the kubelet do.
    public func relink(_ name: String, to target: String) throws {
        try link(name + ".new", to: target)
        guard rename(self[name + ".new"], self[name]) == 0 else {
            throw CocoaError(.fileWriteUnknown)
        }
    }
}
