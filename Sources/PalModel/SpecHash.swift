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
    /// - Parameter fields: The fields that count.
    public init(of config: InstanceConfig, fields: FieldSet) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        for field in Self.order where fields.contains(field) {
            guard let value = field.meaningfulValue(in: config) else { continue }
            bytes.append(contentsOf: field.path.utf8)
            bytes.append(UInt8(ascii: "="))
            value.writeCanonicalJSON(to: &bytes)
            bytes.append(UInt8(ascii: "\n"))
        }
        text = "v1:" + Hex.text(SHA256.hash(data: bytes).prefix(16))
    }

    /// The order in which fields are hashed: by path, whatever becomes of the table.
    private static let order = FieldTable.all.sorted { $0.path < $1.path }

    /// The hash as a label holds it.
    public var description: String { text }
}
