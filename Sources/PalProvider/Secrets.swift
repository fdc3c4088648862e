public import PalModel

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The value of a secret. It says nothing of itself, however it is printed, and is not `Codable`:
/// whoever wants the value has to ask for it in so many words.
public struct SecretValue: Sendable, Hashable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    /// The value, as it was found.
    public let bytes: [UInt8]

    /// A value of bytes.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// A value of text.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// The value as an environment variable can hold it, without the one line end that editors and
    /// `echo` leave at the end of a file; nil where it is no UTF-8 or holds a zero byte.
    public var text: String? {
        var bytes = bytes[...]
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Never the value.
    public var description: String { "(secret)" }
    /// Never the value.
    public var debugDescription: String { "(secret)" }
    /// Nothing of the value.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// Finds the values that a spec's `secrets` refer to: in the controller's environment and in files
/// of its machine. Errors name the reference, never a value.
public struct SecretReader: Sendable, Hashable {
    /// The largest value, in bytes: as large as Docker's own secrets may be.
    public static let limit = 500 << 10

    private let environment: [String: String]

    /// - Parameter environment: The controller's, as `ProviderSettings` has it.
    public init(environment: [String: String]) { self.environment = environment }

    /// The values of all secrets of a config, by their names.
    ///
    /// - Throws: An instance error `SecretMissing` where a value is not to be had, is empty or is
    ///   larger than `limit`. A file must be a regular one, links are followed.
    public func values(of config: InstanceConfig) throws(ProviderFailure) -> [String: SecretValue] {
        var values: [String: SecretValue] = [:]
        for (name, reference) in (config.secrets ?? [:]).sorted(by: { $0.key < $1.key }) {
            do throws(Problem) {
                values[name] = try value(of: reference)
            } catch {
                throw .error(
                    ProviderError(
                        .instance, .secretMissing,
                        "secret '\(name)' of '\(config.name)': \(error.text)", isRetryable: true))
            }
        }
        return values
    }

    private struct Problem: Error { var text: String }

    private func value(of reference: SecretReference) throws(Problem) -> SecretValue {
        if let variable = reference.fromEnv {
            guard let text = environment[variable] else {
                throw Problem(
                    text: "the controller's environment has no variable \(variable); "
                        + "set it and start pal again, or use fromFile")
            }
            return try checked(Array(text.utf8), "the variable \(variable)")
        }
        guard let path = reference.fromFile else {
            throw Problem(text: "it needs either fromEnv or fromFile")
        }
        return try checked(try content(of: path), "the file \(path)")
    }

    private func checked(_ bytes: [UInt8], _ place: String) throws(Problem) -> SecretValue {
        guard !bytes.isEmpty else { throw Problem(text: "\(place) is empty; give it a value") }
        guard bytes.count <= Self.limit else {
            throw Problem(
                text: "\(place) has more than \(Self.limit >> 10) KiB, too much for a secret; "
                    + "mount a directory instead")
        }
        return SecretValue(bytes)
    }

    /// At most one byte more than the limit. What is no regular file is not opened.
    private func content(of path: String) throws(Problem) -> [UInt8] {
        var info = stat()
        guard stat(path, &info) == 0 else { throw unreadable(path, errno) }
        let descriptor = try regular(info, path) {
            // Between the two it may have become a FIFO: that must not block.
            open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        }
        defer { close(descriptor) }
        guard fstat(descriptor, &info) == 0 else { throw unreadable(path, errno) }
        _ = try regular(info, path) { 0 }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Self.limit {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path, errno) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    private func regular(
        _ info: stat, _ path: String, then open: () -> CInt
    ) throws(Problem) -> CInt {
        guard info.st_mode & S_IFMT == S_IFREG else {
            throw Problem(text: "\(path) is not a regular file; name one that holds the value")
        }
        let descriptor = open()
        guard descriptor >= 0 else { throw unreadable(path, errno) }
        return descriptor
    }

    private func unreadable(_ path: String, _ code: CInt) -> Problem {
        let why = String(cString: strerror(code))
        return Problem(
            text: "the file \(path) cannot be read (\(why)); make it, or correct fromFile")
    }
}

extension ProviderError.Code {
    /// A secret's value is not where its reference says.
    public static let secretMissing = ProviderError.Code(rawValue: "SecretMissing")
}
