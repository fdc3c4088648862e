import PalFiles
import PalModel
public import PalProvider

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The editors' generated passwords and tokens, on the controller's machine: a file each, which its
/// owner alone can read, by pal's id. They are kept over replacements.
public struct PasswordStore: Sendable, Hashable {
    /// Where the files are.
    public let directory: String

    /// - Parameter directory: Where the files are; it is made with the first of them.
    public init(directory: String) { self.directory = directory }

    /// The password of an instance; nil where there is none any more.
    public func password(of id: String) throws(ProviderFailure) -> SecretValue? {
        let path = try path(of: id)
        do throws(RegularFile.Failure) {
            let bytes = try RegularFile.read(at: path, limit: 4096).bytes
            return bytes.isEmpty ? nil : SecretValue(bytes)
        } catch {
            if case .system(let error) = error, error.isMissing { return nil }
            throw unusable("read", path, "\(error)")
        }
    }

    /// The password of an instance; a new one where there is none.
    public func passwordOrNew(of id: String) throws(ProviderFailure) -> SecretValue {
        if let known = try password(of: id) { return known }
        let made = SecretValue(Self.random())
        let path = try path(of: id)
        do throws(SystemError) {
            try Self.makeDirectory(directory)
            try AtomicFile.write(made.bytes, to: path, mode: 0o600)
        } catch {
            throw unusable("save", path, error.description)
        }
        return made
    }

    /// Where the password of an instance is. An id is a label, so that it leads nowhere else.
    public func path(of id: String) throws(ProviderFailure) -> String {
        guard TextRule.isDNSLabel(id) else {
            throw .invalid("the id '\(id)' is no DNS label; nothing can be kept under it")
        }
        return RealPath.join(directory, id)
    }

    private func unusable(_ verb: String, _ path: String, _ cause: String) -> ProviderFailure {
        .error(
            ProviderError(
                .provider, .platformFailure,
                "cannot \(verb) an editor's password at \(path); make room, or let pal's user "
                    + "write there", cause: cause, isRetryable: true))
    }

    /// 128 random bits from the system's generator, in the letters that a token may have.
    private static func random() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Makes a directory and its parents, for the owner only.
    private static func makeDirectory(_ path: String) throws(SystemError) {
        if (try? FileFingerprint(at: path))?.kind == .directory { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectory(String(path[..<slash]))
        }
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw SystemError("create", path, code: errno)
        }
    }
}
