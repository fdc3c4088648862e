internal import Crypto

/// The ownership name of a swarm whose configuration gives none.
public enum SwarmName {
    /// `<directory>-<6 hexadecimal digits of its real path>`: a DNS label, the same each time, and
    /// another one for every directory.
    public static func derived(fromSpecsPath path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? "root"
        let label = DNSLabel.words(in: last).prefix(40)
        let digest = Hex.text(SHA256.hash(data: Array(path.utf8)).prefix(3))
        return "\(label.isEmpty ? "specs" : label)-\(digest)"
    }
}

/// Names of others as labels of DNS.
public enum DNSLabel {
    /// The letters and digits of a text, in small letters, with one '-' for whatever is between
    /// them. Empty where there are none; it may be too long.
    static func words(in text: String) -> String {
        let allowed = "abcdefghijklmnopqrstuvwxyz0123456789"
        return String(text.lowercased().map { allowed.contains($0) ? $0 : "-" })
            .split(separator: "-").joined(separator: "-")
    }

    /// The nearest label: `My_Editor` is `my-editor`; nil where nothing is left of the text.
    public static func nearest(to text: String) -> String? {
        let label = words(in: String(words(in: text).prefix(63)))
        return label.isEmpty ? nil : label
    }
}

/// Bytes as hexadecimal digits.
enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
