internal import Crypto

extension Digest {
    /// The SHA-256 of a text's UTF-8 and of nothing else, in 64 hexadecimal digits: what other
    /// tools make file names of.
    public static func sha256(_ text: String) -> String {
        Hex.text(SHA256.hash(data: Array(text.utf8)))
    }
}
