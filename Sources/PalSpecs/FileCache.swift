public import PalFiles

/// What was made of each file, kept while the file stays as it was.
///
/// For one directory: keyed by path, valid for one fingerprint.
public struct FileCache<Value: Sendable>: Sendable {
    private var entries: [String: (fingerprint: FileFingerprint, value: Value)] = [:]

    /// Remembers nothing yet.
    public init() {}

    /// How many files are remembered.
    public var count: Int { entries.count }

    /// The value made of this file in this state; nil where it has to be made.
    public func value(for path: String, _ fingerprint: FileFingerprint) -> Value? {
        guard let entry = entries[path], entry.fingerprint == fingerprint else { return nil }
        return entry.value
    }

    /// Remembers a value, in place of an older one.
    public mutating func store(_ value: Value, for path: String, _ fingerprint: FileFingerprint) {
        entries[path] = (fingerprint, value)
    }

    /// Forgets a file whose fingerprint cannot be relied on.
    public mutating func remove(_ path: String) {
        entries[path] = nil
    }

    /// Forgets every file that is not in `paths`.
    public mutating func keep(only paths: Set<String>) {
        entries = entries.filter { paths.contains($0.key) }
    }
}
