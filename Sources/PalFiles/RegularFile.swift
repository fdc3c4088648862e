import Glibc

/// Reading whole regular files without the ways in which `open` can hang.
public enum RegularFile {
    /// Why a file's bytes are not to be had.
    public enum Failure: Error, Hashable, Sendable {
        /// The system refused.
        case system(SystemError)
        /// It is a FIFO, socket, device or directory; it was not read.
        case notRegular(FileFingerprint.Kind)
        /// It has more bytes than the caller wanted to read.
        case tooLarge(size: Int64)
        /// It changed while it was read, each time that it was tried.
        case changing
    }

    /// The whole content, and the fingerprint that it had before *and* after it was read.
    ///
    /// A FIFO or device is not opened. Links are followed.
    ///
    /// - Parameters:
    ///   - limit: the most bytes to read.
    ///   - attempts: how often to read again when the file changes meanwhile.
    public static func read(
        at path: String, limit: Int, attempts: Int = 3
    ) throws(Failure) -> (bytes: [UInt8], fingerprint: FileFingerprint) {
        for _ in 0..<attempts {
            do {
                if let result = try readOnce(path, limit) { return result }
            } catch let error as SystemError {
                throw .system(error)
            } catch let failure as Failure {
                throw failure
            } catch {
                throw .changing
            }
        }
        throw .changing
    }

    /// Nil where the file changed between the first look and the last.
    private static func readOnce(
        _ path: String, _ limit: Int
    ) throws -> (bytes: [UInt8], fingerprint: FileFingerprint)? {
        // Looked at before it is opened: opening a device can have effects of its own.
        let seen = try FileFingerprint(at: path)
        guard seen.kind == .file else { throw Failure.notRegular(seen.kind) }
        // Between the two it may have become a FIFO: that must not block.
        let descriptor = try retrying("open", path) {
            open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        }
        defer { close(descriptor) }
        let before = try FileFingerprint(descriptor: descriptor, path: path)
        guard before.kind == .file else { throw Failure.notRegular(before.kind) }
        guard before.size <= Int64(limit) else { throw Failure.tooLarge(size: before.size) }

        let bytes = try readAll(descriptor, path, expecting: Int(before.size), limit: limit)
        let after = try FileFingerprint(descriptor: descriptor, path: path)
        guard before == after else { return nil }
        // Files of /proc and the like say 0 and have content; everything else must agree.
        guard before.size == 0 || bytes.count == Int(before.size) else { return nil }
        return (bytes, after)
    }

    private static func readAll(
        _ descriptor: CInt, _ path: String, expecting: Int, limit: Int
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        // One more than expected, so that the end is seen without a second buffer.
        var room = expecting + 1
        while true {
            let count = bytes.count
            bytes.reserveCapacity(count + room)
            let chunk = try [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
                filled = try retrying("read", path) {
                    Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                }
            }
            if chunk.isEmpty { return bytes }
            bytes += chunk
            if bytes.count > limit { throw Failure.tooLarge(size: Int64(bytes.count)) }
            room = max(expecting + 1 - bytes.count, 4096)
        }
    }
}
