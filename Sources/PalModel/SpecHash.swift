internal import Crypto

/// A versioned hash over the fields of a config whose change replaces the instance.
///
/// It stands in the label `pal.spec-hash` and must be the same in every later release: the golden
/// hashes in the tests may gain entries but never change. A new rule is a new version; a label of
/// an older version is compared with the older rule.
public struct SpecHash: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Numbers where it is one: every instance has its hash several times, which is looked at in
    /// every decision, and a text has a place of its own in memory.
    private enum Form: Sendable, Hashable {
        case v1(UInt64, UInt64)
        /// What is no hash of this release.
        case other(String)
    }

    private let form: Form

    /// A hash as a label holds it, or whatever stands there.
    public init(text: String) { form = Self.form(text) }

    /// `v1:` and 32 hexadecimal digits; or whatever the label holds.
    public var text: String {
        switch form {
        case .v1(let high, let low):
            "v1:"
                + Hex.text(
                    [high, low].flatMap { half in
                        stride(from: 56, through: 0, by: -8).map {
                            UInt8(truncatingIfNeeded: half >> $0)
                        }
                    })
        case .other(let text): text
        }
    }

    /// Exactly what `text` would write is a hash, so that every label is given back as it was.
    private static func form(_ text: String) -> Form {
        let digits = text.utf8.dropFirst(3)
        guard text.hasPrefix("v1:"), digits.count == 32,
            digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }),
            let high = UInt64(Substring(digits.prefix(16)), radix: 16),
            let low = UInt64(Substring(digits.suffix(16)), radix: 16)
        else { return .other(text) }
        return .v1(high, low)
    }

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
        var halves: (UInt64, UInt64) = (0, 0)
        for byte in SHA256.hash(data: bytes).prefix(16) {
            halves = (halves.0 << 8 | halves.1 >> 56, halves.1 << 8 | UInt64(byte))
        }
        form = .v1(halves.0, halves.1)
    }

    /// The order in which fields are hashed: by path, whatever becomes of the table.
    private static let order = FieldTable.all.sorted { $0.path < $1.path }

    /// The hash as a label holds it.
    public var description: String { text }
}

extension SpecHash {
    private enum CodingKeys: CodingKey { case text }

    /// Reads the text.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(text: try container.decode(String.self, forKey: .text))
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(text, forKey: .text)
    }
}
