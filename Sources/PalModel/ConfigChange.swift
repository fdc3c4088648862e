/// How a change of a field is made, from the mildest to the worst.
public enum ChangeClass: String, Sendable, Hashable, Codable, Comparable, CaseIterable {
    /// While it runs, unnoticed.
    case live
    /// By a restart; the object stays.
    case restart
    /// By a new object in the place of the old one; persistent data is kept.
    case replace
    /// By a new object, and persistent data cannot be kept.
    case replaceLosingData

    /// By how much is disturbed: `live` is the least.
    public static func < (a: ChangeClass, b: ChangeClass) -> Bool { a.rank < b.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// One field that differs.
public struct FieldChange: Sendable, Hashable, Codable {
    /// The field's path.
    public var path: String
    /// What was, nil where it was unset.
    public var from: Value?
    /// What shall be, nil where it is cleared.
    public var to: Value?

    /// Makes one of its parts.
    public init(path: String, from: Value?, to: Value?) {
        self.path = path
        self.from = from
        self.to = to
    }

    /// `resources.memory.max: 1024 → 2048`, with `(unset)` where there is nothing.
    public var text: String {
        let old = from.map { $0.canonicalJSON } ?? "(unset)"
        let new = to.map { $0.canonicalJSON } ?? "(unset)"
        return "\(path): \(old) → \(new)"
    }

    /// `image: the tag moved from "sha256:a" to "sha256:b"`: as something that moved by itself.
    public var moved: String {
        let old = from.map { $0.canonicalJSON } ?? "(unknown)"
        let new = to.map { $0.canonicalJSON } ?? "(unknown)"
        return "\(path): the tag moved from \(old) to \(new)"
    }

    /// `resources.memory.max is 1024, not 2048`: as drift, where `to` is what pal made true.
    public var drifted: String {
        let actual = from.map { $0.canonicalJSON } ?? "unset"
        let wanted = to.map { $0.canonicalJSON } ?? "unset"
        return "\(path) is \(actual), not \(wanted)"
    }
}

/// Fields to change: each to a value, or to *cleared*.
public struct PartialConfig: Sendable, Hashable, Codable {
    /// The changes by path, in the order of the table.
    public var changes: [FieldChange]

    /// Makes one of its parts.
    public init(_ changes: [FieldChange]) { self.changes = changes }

    /// The config with the changes made.
    public func applied(to config: InstanceConfig) -> InstanceConfig {
        changes.reduce(into: config) { result, change in
            FieldTable.field(change.path)?.set(&result, change.to)
        }
    }
}

extension FieldTable {
    /// Every platform field whose meaning differs between two configs, in the order of the table.
    public static func difference(
        from old: InstanceConfig, to new: InstanceConfig
    ) -> [FieldChange] {
        FieldSet.platform.differing(old, new).map { field in
            FieldChange(
                path: field.path, from: field.meaningfulValue(in: old),
                to: field.meaningfulValue(in: new))
        }
    }
}
