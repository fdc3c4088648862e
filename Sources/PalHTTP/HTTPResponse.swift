/// A whole answer.
///
/// Every status is a normal result, 404 and 500 too: what it means is the caller's to say.
public struct HTTPResponse: Sendable {
    /// The status, such as 200.
    public let status: Int
    /// The headers, without those of interim (1xx) answers and without trailers.
    public let headers: HTTPHeaders
    /// The body; empty for `HEAD` and for statuses that have none.
    public let body: [UInt8]
}

/// The headers of an answer, in the order in which they came.
public struct HTTPHeaders: Sendable, Sequence {
    private var fields: [(name: String, value: String)] = []

    /// Headers from pairs.
    public init(_ fields: [(name: String, value: String)] = []) {
        self.fields = fields
    }

    /// The value of the first header of this name, in any case.
    public subscript(name: String) -> String? {
        let name = name.lowercased()
        return fields.first { $0.name.lowercased() == name }?.value
    }

    /// Every header of this name, in any case.
    public func all(_ name: String) -> [String] {
        let name = name.lowercased()
        return fields.filter { $0.name.lowercased() == name }.map(\.value)
    }

    /// Iterates over names and values.
    public func makeIterator() -> IndexingIterator<[(name: String, value: String)]> {
        fields.makeIterator()
    }

    mutating func append(name: String, value: String) {
        fields.append((name, value))
    }

    /// Continues the last value: a line that starts with a blank (RFC 9112, 5.2, obsolete).
    mutating func extendLast(with text: String) {
        guard !fields.isEmpty else { return }
        fields[fields.count - 1].value += " " + text
    }
}
