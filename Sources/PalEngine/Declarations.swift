internal import HashTreeCollections

/// Declarations by name.
///
/// A copy in which something changes shares all the rest with what it was copied from: of 100,000
/// declarations a reading of the specs changes one, and the one before it is still there.
public struct Declarations: Sendable, Equatable, ExpressibleByDictionaryLiteral, Sequence {
    private var tree: TreeDictionary<String, Declaration>

    /// Makes one of pairs; of a name that comes twice the last one counts.
    public init(_ pairs: some Sequence<(String, Declaration)>) {
        tree = TreeDictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// Makes one of pairs; of a name that comes twice the last one counts.
    public init(dictionaryLiteral pairs: (String, Declaration)...) { self.init(pairs) }

    /// What is declared of a name; nil for nothing.
    public subscript(name: String) -> Declaration? {
        get { tree[name] }
        set { tree[name] = newValue }
    }

    /// How many names are declared.
    public var count: Int { tree.count }
    /// Whether nothing is declared.
    public var isEmpty: Bool { tree.isEmpty }
    /// The names, in no order.
    public var keys: [String] { tree.map(\.key) }
    /// The declarations, in no order.
    public var values: [Declaration] { tree.map(\.value) }

    /// Name by name, in no order.
    public func makeIterator() -> some IteratorProtocol<(key: String, value: Declaration)> {
        tree.makeIterator()
    }
}
