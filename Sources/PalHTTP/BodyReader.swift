/// Reads the body of an answer as its head says that it ends (RFC 9112, 6.3): after a length, after
/// the last chunk, or with the connection.
struct BodyReader {
    private enum Part: Equatable {
        case counted(Int)
        case chunkSize, chunk(Int), chunkEnd, trailers
        case open
        case complete
    }

    private var part: Part
    private var line: [UInt8] = []
    /// What was read.
    private(set) var bytes: [UInt8] = []

    /// The longest line between chunks, in bytes.
    private static let longestLine = 8 << 10

    init(_ head: ResponseHead) {
        if [204, 304].contains(head.status) {
            part = .complete
        } else if head.headers["Transfer-Encoding"]?.lowercased().contains("chunked") == true {
            part = .chunkSize
        } else if let length = head.headers["Content-Length"].flatMap({ Int($0) }), length >= 0 {
            part = length == 0 ? .complete : .counted(length)
        } else {
            part = .open
        }
    }

    var isComplete: Bool { part == .complete }
    var mayEndWithConnection: Bool { part == .open }

    /// Takes bytes in; what comes after the end is left out.
    mutating func push(_ new: [UInt8], at endpoint: Endpoint) throws(HTTPError) {
        var rest = new[...]
        while !rest.isEmpty {
            switch part {
            case .complete: return
            case .open:
                bytes += rest
                return
            case .counted(let count):
                let taken = take(count, &rest)
                part = taken == count ? .complete : .counted(count - taken)
            case .chunk(let count):
                let taken = take(count, &rest)
                part = taken == count ? .chunkEnd : .chunk(count - taken)
            case .chunkSize, .chunkEnd, .trailers:
                guard let text = try takeLine(&rest, endpoint) else { return }
                try endLine(text, endpoint)
            }
        }
    }

    private mutating func take(_ count: Int, _ rest: inout ArraySlice<UInt8>) -> Int {
        let part = rest.prefix(count)
        bytes += part
        rest = rest.dropFirst(part.count)
        return part.count
    }

    private mutating func takeLine(
        _ rest: inout ArraySlice<UInt8>, _ endpoint: Endpoint
    ) throws(HTTPError) -> String? {
        let end = rest.firstIndex(of: UInt8(ascii: "\n"))
        line += rest[..<(end ?? rest.endIndex)]
        rest = end.map { rest[($0 + 1)...] } ?? []
        guard line.count <= Self.longestLine else { throw malformed(endpoint) }
        guard end != nil else { return nil }
        defer { line = [] }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }

    private mutating func endLine(_ text: String, _ endpoint: Endpoint) throws(HTTPError) {
        switch part {
        case .chunkEnd:
            guard text.isEmpty else { throw malformed(endpoint) }
            part = .chunkSize
        case .trailers:
            if text.isEmpty { part = .complete }
        default:
            let digits = text.prefix { $0 != ";" && $0 != " " }
            guard let size = Int(digits, radix: 16), size >= 0 else { throw malformed(endpoint) }
            part = size == 0 ? .trailers : .chunk(size)
        }
    }

    private func malformed(_ endpoint: Endpoint) -> HTTPError {
        HTTPError(
            .broken(sent: true), message: "\(endpoint) sent a body that is not chunked as it says.")
    }
}
