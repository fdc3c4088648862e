import FoundationEssentials
import PalFiles

/// The provider's small files: JSON, replaced as a whole, readable by the owner only.
enum JSONFile {
    /// Why a file could not be understood; never what is in it.
    struct Failure: Error, Sendable, CustomStringConvertible {
        let description: String
        /// Whether the file is simply not there.
        var isMissing = false
    }

    /// Larger than any file that pal writes: a config has at most a few hundred KiB.
    private static let limit = 4 << 20

    static func read<T: Decodable>(_ type: T.Type, at path: String) throws(Failure) -> T {
        let bytes = try content(of: path)
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        do { return try decoder.decode(type, from: Data(bytes)) } catch {
            throw Failure(description: "\(path) is damaged: it is not what pal writes")
        }
    }

    /// Nil where there is none.
    static func readIfPresent<T: Decodable>(_ type: T.Type, at path: String) throws(Failure) -> T? {
        do { return try read(type, at: path) } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    static func write(_ value: some Encodable, to path: String) throws(Failure) {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            throw Failure(description: "cannot encode \(path)")
        }
        do { try AtomicFile.write(data, to: path, mode: 0o600) } catch {
            throw Failure(description: error.description)
        }
    }

    private static func content(of path: String) throws(Failure) -> [UInt8] {
        do { return try RegularFile.read(at: path, limit: limit).bytes } catch {
            switch error {
            case .system(let error):
                throw Failure(description: error.description, isMissing: error.isMissing)
            case .notRegular: throw Failure(description: "\(path) is not a regular file")
            case .tooLarge(let size):
                throw Failure(description: "\(path) has \(size) bytes, more than pal ever writes")
            case .changing: throw Failure(description: "\(path) changes all the time")
            }
        }
    }
}
