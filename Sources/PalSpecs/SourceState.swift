import Glibc
import PalFiles

/// Whether there is a specs directory to read.
///
/// Only `available` says anything about what is declared; in every other state nothing is known, so
/// nothing may be deleted.
public enum SourceState: Sendable, Hashable, CustomStringConvertible {
    /// It is there and was listed.
    case available
    /// Nothing has that path.
    case missing
    /// The path, or a part of it, is a file.
    case notADirectory
    /// It is there and cannot be listed: the reason.
    case unreadable(String)

    init(_ error: SystemError) {
        switch error.code {
        case ENOENT: self = .missing
        case ENOTDIR: self = .notADirectory
        default: self = .unreadable(error.reason)
        }
    }

    /// In plain words, after the path: `is missing`.
    public var description: String {
        switch self {
        case .available: "is available"
        case .missing: "does not exist"
        case .notADirectory: "is not a directory"
        case .unreadable(let reason): "cannot be read: \(reason)"
        }
    }
}
