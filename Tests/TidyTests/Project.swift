import Foundation

/// The package as it lies on the disk.
enum Project {
    /// The directory with Package.swift.
    static let root: URL = {
        var place = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        while place.path != "/", !exists(place.appending(path: "Package.swift")) {
            place.deleteLastPathComponent()
        }
        return place
    }()

    /// The text of a file.
    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The bytes of a file.
    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appending(path: path)))
    }

    /// Whether something has that path.
    static func exists(_ path: String) -> Bool { exists(root.appending(path: path)) }

    private static func exists(_ url: URL) -> Bool {
        FileManager.default.fileExists(atPath: url.path)
    }

    /// The names in a folder, sorted.
    static func names(in folder: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
            .sorted()
    }

    /// The folders in a folder, sorted.
    static func folders(in folder: String) throws -> [String] {
        try names(in: folder).filter { name in
            var isDirectory: ObjCBool = false
            let path = root.appending(path: "\(folder)/\(name)").path
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
                && isDirectory.boolValue
        }
    }

    /// The files below a folder with one of the extensions, as paths from the root, sorted.
    static func files(below folder: String, _ extensions: Set<String>) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
            .filter { extensions.contains(URL(filePath: $0).pathExtension) }
            .map { "\(folder)/\($0)" }.sorted()
    }

    /// Everything that is written for people.
    static func pages() throws -> [String] { ["README.md"] + (try files(below: "docs", ["md"])) }
}
