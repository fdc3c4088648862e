import Glibc

/// Resolving a path component by component, so that every place that it depends on is known.
public enum RealPath {
    /// The absolute path without symbolic links, `.` and `..` that `path` leads to.
    ///
    /// Like `realpath(3)`, with one difference: `visiting` is told each directory and the name that
    /// is about to be looked up in it, links included. Whoever watches these sees every way in
    /// which the answer can change. The last component must exist; a missing one is `ENOENT`.
    ///
    /// - Parameters:
    ///   - path: absolute, or relative to the working directory.
    ///   - visiting: called before the lookup, with a resolved directory and a name in it.
    public static func resolve(
        _ path: String, visiting: (_ directory: String, _ name: String) -> Void = { _, _ in }
    ) throws(SystemError) -> String {
        var pending = components(of: try absolute(path))
        var resolved = ""
        var linksLeft = 40  // What Linux itself allows: path_resolution(7).
        while let name = pending.popLast() {
            if name == ".." {
                resolved = parent(of: resolved)
                continue
            }
            let directory = resolved.isEmpty ? "/" : resolved
            visiting(directory, name)
            let next = "\(resolved)/\(name)"
            let found: FileFingerprint
            do { found = try FileFingerprint(at: next, followingLinks: false) } catch {
                throw SystemError("find", path, code: error.code)
            }
            guard found.kind == .link else {
                resolved = next
                continue
            }
            linksLeft -= 1
            guard linksLeft > 0 else { throw SystemError("find", path, code: ELOOP) }
            let target = try link(at: next)
            if target.hasPrefix("/") { resolved = "" }
            pending += components(of: target)
        }
        return resolved.isEmpty ? "/" : resolved
    }

    /// Joins a directory and a name below it.
    public static func join(_ directory: String, _ name: String) -> String {
        if directory.isEmpty { return name }
        return directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
    }

    /// The directory that a path's last name stands in, and that name; `.` where a slash ends it.
    public static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let (directory, name) = (path[..<slash], path[path.index(after: slash)...])
        return (directory.isEmpty ? "/" : String(directory), name.isEmpty ? "." : String(name))
    }

    private static func absolute(_ path: String) throws(SystemError) -> String {
        if path.hasPrefix("/") { return path }
        if path.isEmpty { throw SystemError("find", path, code: ENOENT) }
        guard let current = getcwd(nil, 0) else { throw SystemError("find", path, code: errno) }
        defer { free(current) }
        return "\(String(cString: current))/\(path)"
    }

    /// Last component first: a stack.
    private static func components(of path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.map(String.init).reversed()
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[..<slash])
    }

    private static func link(at path: String) throws(SystemError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink(path, &buffer, buffer.count)
        guard length > 0 else { throw SystemError("read the link", path, code: errno) }
        return String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
