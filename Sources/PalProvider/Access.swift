public import PalModel

/// How a person gets into an editor. It holds secrets: for a terminal, never for a log, an event,
/// the ledger or an argument. It is not `Codable` for that reason.
public struct EditorAccess: Sendable {
    /// What the editor asks for.
    public enum Credential: Sendable, Hashable {
        /// It shows a page that asks for this.
        case password(SecretValue)
        /// It wants this in the address, once.
        case token(SecretValue)
        /// pal cannot say it; the sentence says why, and what to do.
        case unknown(String)
    }

    /// The editor's address, without anything secret.
    public var address: String
    /// The folder that it opens; nil where the editor decides.
    public var folder: String?
    /// What it asks for.
    public var credential: Credential

    /// Makes one of its parts.
    public init(address: String, folder: String? = nil, credential: Credential) {
        self.address = address
        self.folder = folder
        self.credential = credential
    }

    /// The address to click, with the token where there is one.
    public var link: String {
        var query: [String] = []
        if case .token(let token) = credential, let text = token.text {
            query.append("tkn=\(Self.encoded(text))")
        }
        if let folder { query.append("folder=\(Self.encoded(folder))") }
        guard !query.isEmpty else { return address }
        return "\(address)\(address.hasSuffix("/") ? "" : "/")?\(query.joined(separator: "&"))"
    }

    /// RFC 3986: a query holds unreserved characters and slashes as they are.
    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
    }
}

/// A provider that knows how a person gets into an instance's editor.
public protocol AccessProvider: Provider {
    /// The editor's address and what it asks for, as they are now.
    /// - Throws: An instance error `WrongState` where the instance has no address now.
    func getAccess(_ reference: InstanceReference) async throws(ProviderFailure) -> EditorAccess
}
