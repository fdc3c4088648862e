internal import Crypto

/// A versioned hash over the fields of a config whose change replaces the instance.
///
/// It stands in the label `pal.spec-hash` and must be the same in every later release: the golden
/// hashes in the tests may gain entries but never change. A new rule is a new version; a label of
/// an older version is compared with the older rule.
public struct SpecHash: Sendable, Hashable, Codable, CustomStringConvertible {
    /// `v1:` and 32 hexadecimal digits.
    public let text: String

    /// A hash as a label holds it.
    public init(text: String) { self.text = text }

    /// The hash of a config.
    ///
    /// - Parameter fields: The paths of the fields that count, in any order.
    public init(of config: InstanceConfig, fields: Set<String>) {
        var digest = SHA256()
        for path in fields.sorted() {
            guard let value = FieldTable.field(path)?.meaningfulValue(in: config) else { continue }
            digest.update(data: Array("\(path)=\(value.canonicalJSON)\n".utf8))
        }
        text = "v1:" + Hex.text(digest.finalize().prefix(16))
    }

    /// The hash as a label holds it.
    public var description: String { text }
}
