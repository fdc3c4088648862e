import Glibc

/// Listing one directory.
public enum Directory {
    /// One entry's name. Whether it is a file, link or directory is for the caller to look at.
    public enum Name: Hashable, Sendable {
        /// A name that a path can be made of.
        case text(String)
        /// A name that is not UTF-8, repaired: good for a message, not for a path.
        case notUTF8(String)
    }

    /// The names in `path`, without `.` and `..`, sorted by their bytes.
    ///
    /// The list is complete or an error. Entries that come or go meanwhile may be in it or not: a
    /// caller that must know compares the directory's fingerprint before and after.
    public static func names(in path: String) throws(SystemError) -> [Name] {
        guard let stream = opendir(path) else { throw SystemError("list", path, code: errno) }
        defer { closedir(stream) }
        var names: [(bytes: [UInt8], name: Name)] = []
        while true {
            // The end and a failure both are nil; only this tells them apart.
            errno = 0
            guard let entry = readdir(stream) else {
                let code = errno
                if code != 0 { throw SystemError("list", path, code: code) }
                break
            }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if bytes == [0x2E] || bytes == [0x2E, 0x2E] { continue }
            let name =
                String(validating: bytes, as: UTF8.self).map(Name.text)
                ?? .notUTF8(String(decoding: bytes, as: UTF8.self))
            names.append((bytes, name))
        }
        return names.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }.map(\.name)
    }
}
