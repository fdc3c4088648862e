internal import PalModel

extension Node {
    /// The node's value without its places.
    ///
    /// A whole number that is not written in plain decimals (`0x1F`, `1_000`) stays text, so that a
    /// field that wants text gets what was written and one that wants a number says so.
    var value: Value {
        switch content {
        case .sequence(let elements): .list(elements.map(\.value))
        case .mapping(let pairs): .map(entries(of: pairs))
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: .null
            case .bool(let flag): .bool(flag)
            case .int(let number) where String(number) == scalar.text: .int(number)
            case .float(let number) where number.isFinite: .double(number)
            case .int, .float, .string: .string(scalar.text)
            }
        }
    }

    private func entries(of pairs: [Pair]) -> [String: Value] {
        var entries = [String: Value](minimumCapacity: pairs.count)
        for pair in pairs where entries[pair.key.text] == nil {
            entries[pair.key.text] = pair.value.value
        }
        return entries
    }

    /// Where the value (or with `isKey` its key) at a path stands; the nearest thing around it
    /// where the path leads nowhere.
    func location(of path: [PathStep], isKey: Bool, in file: String) -> SourceLocation {
        var here = self
        var key: Node.Key?
        for step in path {
            switch step {
            case .key(let name):
                guard let pair = here.mapping?.first(where: { $0.key.text == name }) else {
                    return here.location(in: file)
                }
                (here, key) = (pair.value, pair.key)
            case .index(let index):
                guard let elements = here.sequence, elements.indices.contains(index) else {
                    return here.location(in: file)
                }
                (here, key) = (elements[index], nil)
            }
        }
        if isKey, let key { return key.location(in: file) }
        return here.location(in: file)
    }
}
