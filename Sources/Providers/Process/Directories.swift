import Glibc
import PalFiles
import PalProvider

/// Making and deleting directories.
enum Directories {
    /// Makes a directory and its parents, for the owner only; one that stands is left as it is.
    static func make(_ path: String) throws(SystemError) {
        if isDirectory(path) { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try make(String(path[..<slash]))
        }
        if mkdir(path, 0o700) != 0 && errno != EEXIST {
            throw SystemError("create", path, code: errno)
        }
    }

    /// Whether the path leads to a directory.
    static func isDirectory(_ path: String) -> Bool {
        (try? FileFingerprint(at: path))?.kind == .directory
    }

    static func exists(_ path: String) -> Bool {
        (try? FileFingerprint(at: path, followingLinks: false)) != nil
    }

    /// Takes a directory out of sight at once, then deletes it. What a crash leaves is invisible.
    static func delete(_ path: String) throws(SystemError) {
        let (parent, name) = RealPath.split(path)
        let hidden = RealPath.join(parent, ".deleted-\(name)-\(UInt64.random(in: 0 ... .max))")
        if rename(path, hidden) != 0 { throw SystemError("delete", path, code: errno) }
        try deleteTree(hidden)
    }

    /// `delete`, for callers that only pass a failure on.
    static func deleteOrFail(_ path: String) throws(ProviderFailure) {
        do { try delete(path) } catch { throw .system(error) }
    }

    /// Deletes what earlier deletions and creations left hidden.
    ///
    /// Half-made directories name their maker's process, and stay while it lives.
    static func sweep(_ directory: String) {
        for case .text(let name) in (try? Directory.names(in: directory)) ?? [] {
            let isDeleted = name.hasPrefix(".deleted-")
            let maker = name.hasPrefix(".new-") ? name.split(separator: "-").dropFirst().first : nil
            let isAbandoned = maker.flatMap { Int32($0) }.map { kill($0, 0) != 0 } ?? false
            if isDeleted || isAbandoned { try? deleteTree(RealPath.join(directory, name)) }
        }
    }

    /// A name for a directory that is being made.
    static func hiddenName() -> String { ".new-\(getpid())-\(UInt64.random(in: 0 ... .max))" }

    /// Deletes all that is below and the directory; links are deleted, never followed.
    static func deleteTree(_ path: String) throws(SystemError) {
        guard let info = try? FileFingerprint(at: path, followingLinks: false) else { return }
        guard info.kind == .directory else {
            if unlink(path) != 0 && errno != ENOENT {
                throw SystemError("delete", path, code: errno)
            }
            return
        }
        // An editor or its tools may have made directories that even their owner cannot list.
        chmod(path, 0o700)
        for name in try Directory.names(in: path) {
            switch name {
            case .text(let text): try deleteTree(RealPath.join(path, text))
            case .notUTF8: try deleteOddNames(in: path)
            }
        }
        if rmdir(path) != 0 && errno != ENOENT { throw SystemError("delete", path, code: errno) }
    }

    /// Names that are no text cannot be made part of a path, so each gets one that can.
    private static func deleteOddNames(in path: String) throws(SystemError) {
        guard let stream = opendir(path) else { throw SystemError("list", path, code: errno) }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard String(validating: bytes, as: UTF8.self) == nil else { continue }
            let plain = RealPath.join(path, "odd-\(UInt64.random(in: 0 ... .max))")
            let old = bytes.map { CChar(bitPattern: $0) } + [0]
            if renameat(dirfd(stream), old, AT_FDCWD, plain) != 0 {
                throw SystemError("delete", path, code: errno)
            }
            try deleteTree(plain)
        }
    }
}
