import PalModel

/// One file of the simulated specs directory: what its writer means, and what stands in it.
struct SpecFile: Sendable, Hashable {
    /// What stands in a file.
    enum Form: Sendable, Hashable {
        case good
        /// Only the first part: it is being written.
        case torn(keeping: Double)
        /// No YAML at all.
        case garbage
        /// The document at this index has a field that nobody knows.
        case strange(Int)
        /// The document at this index has a secret's value where a reference belongs.
        case blabbing(Int)
    }

    /// The documents that its writer means.
    var documents: [InstanceConfig]
    var form = Form.good
    var isReadable = true
    /// The names of its documents when it was last good; nil where it never was.
    var lastGood: Set<String>?

    /// Its bytes.
    var text: String {
        let whole = documents.enumerated().map { index, document in
            var shown = document
            if form == .blabbing(index) { shown.secrets = nil }
            var text = FieldTable.encode(shown).canonicalJSON
            if form == .strange(index) { text = text.dropLast() + ",\"imagge\":\"x\"}" }
            if form == .blabbing(index) {
                text = text.dropLast() + ",\"secrets\":{\"LOGIN\":\"\(SecretScan.mark)7\"}}"
            }
            return text
        }.joined(separator: "\n---\n")
        switch form {
        case .good, .strange, .blabbing: return whole + "\n"
        case .garbage: return "name: [a, b\n\t}: {"
        case .torn(let share): return String(whole.prefix(Int(Double(whole.count) * share)))
        }
    }

    /// The names of all documents.
    var names: Set<String> { Self.names(documents) }

    private static func names(_ documents: [InstanceConfig]) -> Set<String> {
        Set(documents.flatMap { $0.instances.map(\.name) })
    }

    /// The names that a reader can know from it now.
    var declared: Set<String> {
        switch form {
        case .good: isReadable ? names : []
        case .strange(let index), .blabbing(let index):
            isReadable
                ? Self.names(documents.enumerated().filter { $0.offset != index }.map(\.element))
                : []
        case .torn, .garbage: []
        }
    }

    /// The names that it stands for all the same: nobody said that they should go.
    var hidden: Set<String> {
        (form == .good && isReadable ? [] : names.union(lastGood ?? [])).subtracting(declared)
    }
}
