internal import Crypto

/// A digest of what is added to it, in the order in which that happens.
public struct Digest {
    private var hash = SHA256()

    /// Nothing is in it.
    public init() {}

    /// Adds a text; two texts are not the same as the two in one.
    public mutating func add(_ text: String) {
        var bytes = Array(text.utf8)
        bytes.append(0)
        hash.update(data: bytes)
    }

    /// Adds everything that a config says, whatever order it says it in.
    public mutating func add(_ config: InstanceConfig, _ fields: FieldSet = .all) {
        for field in fields.meaningful(in: config) {
            add("\(field.path)=\(field.meaningfulValue(in: config)?.canonicalJSON ?? "")")
        }
    }

    /// 32 hexadecimal digits.
    public var text: String { Hex.text(hash.finalize().prefix(16)) }
}

extension InstanceConfig {
    /// A digest of everything that it says, fields that only the engine reads as well.
    public var digest: String {
        var digest = Digest()
        digest.add(self)
        return digest.text
    }
}
