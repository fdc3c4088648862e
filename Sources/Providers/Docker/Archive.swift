import PalEditors
import PalProvider

/// An archive as the Engine unpacks it into a container: plain ustar, every entry root's.
struct Archive: Sendable {
    private var bytes: [UInt8] = []

    /// An archive of these files, in this order.
    ///
    /// Directories are not listed: the Engine makes those that are missing, and would change the
    /// mode of those that are there.
    init(_ files: [PlacedFile]) {
        for file in files { add(file) }
        bytes += [UInt8](repeating: 0, count: 1024)
    }

    /// The archive as it is sent.
    var content: [UInt8] { bytes }

    /// The longest name of a file, without its directory, that fits into an entry.
    static let longestName = 100

    private mutating func add(_ file: PlacedFile) {
        let path = file.path.drop { $0 == "/" }
        let slash = path.lastIndex(of: "/")
        let content = file.content.bytes
        var header = Header()
        header.put(String(slash.map { path[path.index(after: $0)...] } ?? path), at: 0)
        header.put(octal: file.mode, width: 7, at: 100)
        header.put(octal: 0, width: 7, at: 108)
        header.put(octal: 0, width: 7, at: 116)
        header.put(octal: content.count, width: 11, at: 124)
        header.put(octal: 0, width: 11, at: 136)
        header.put("0", at: 156)
        header.put("ustar", at: 257)
        header.put("00", at: 263)
        header.put(slash.map { String(path[..<$0]) } ?? "", at: 345)
        bytes += header.sealed
        bytes += content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    private struct Header {
        private var bytes = [UInt8](repeating: 0, count: 512)

        mutating func put(_ text: String, at offset: Int) {
            bytes.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
        }

        mutating func put(octal number: Int, width: Int, at offset: Int) {
            let digits = String(number, radix: 8)
            put(String(repeating: "0", count: width - digits.count) + digits, at: offset)
        }

        /// With the sum over all bytes, its own field taken as spaces.
        var sealed: [UInt8] {
            var copy = self
            copy.put(String(repeating: " ", count: 8), at: 148)
            let sum = copy.bytes.reduce(0) { $0 + Int($1) }
            copy.put(octal: sum, width: 6, at: 148)
            copy.bytes[154] = 0
            return copy.bytes
        }
    }
}
