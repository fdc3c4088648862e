/// A key of a spec, as it is encoded.
struct FieldKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}

/// As a document, and only what is set. Typed by the table, and not checked again: pal wrote it.
extension InstanceConfig: Codable {
    /// Reads a config that pal itself wrote; what an older or newer release wrote and this one does
    /// not know is left out.
    public init(from decoder: any Decoder) throws {
        guard case .branch(let children) = FieldTree.root else { return }
        read(children, try decoder.container(keyedBy: FieldKey.self))
    }

    private mutating func read(
        _ children: [String: FieldTree], _ container: KeyedDecodingContainer<FieldKey>
    ) {
        for key in container.allKeys {
            switch children[key.stringValue] {
            case .field(let field): field.decode(&self, container, key)
            case .branch(let inner):
                guard
                    let nested = try? container.nestedContainer(
                        keyedBy: FieldKey.self, forKey: key)
                else { continue }
                read(inner, nested)
            case nil: continue
            }
        }
    }

    /// Writes the config as a document: only what is set.
    public func encode(to encoder: any Encoder) throws {
        guard case .branch(let children) = FieldTree.root else { return }
        var container = encoder.container(keyedBy: FieldKey.self)
        try write(children, to: &container)
    }

    private func write(
        _ children: [String: FieldTree], to container: inout KeyedEncodingContainer<FieldKey>
    ) throws {
        for (name, child) in children {
            let key = FieldKey(name)
            switch child {
            case .field(let field): try field.encode(self, &container, key)
            case .branch(let inner):
                guard isSet(inner) else { continue }
                var nested = container.nestedContainer(keyedBy: FieldKey.self, forKey: key)
                try write(inner, to: &nested)
            }
        }
    }

    /// Whether a field of a branch is set.
    private func isSet(_ children: [String: FieldTree]) -> Bool {
        children.values.contains { child in
            switch child {
            case .field(let field): field.get(self) != nil
            case .branch(let inner): isSet(inner)
            }
        }
    }
}
