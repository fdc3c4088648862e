import PalModel

/// A mount that a spec adds.
struct ExtraMount: Sendable, Hashable {
    enum Kind: String, Sendable { case bind, volume, tmpfs }

    var kind: Kind
    /// A path on the Engine's host, or a volume's name; nil for memory and for a nameless volume.
    var source: String?
    var target: String
    var isReadOnly: Bool
    /// The size of memory in MiB.
    var size: Int?
    /// Which way mounts below a bind go; the Engine's own way where nil.
    var propagation: String?
    /// Whether a new volume stays without what the image has at its place.
    var isWithoutCopy: Bool

    init?(_ value: Value) {
        guard let kind = value["type"].flatMap({ String($0) }).flatMap(Kind.init(rawValue:)),
            let target = value["target"].flatMap({ String($0) })
        else { return nil }
        self.kind = kind
        self.target = target
        source = value["source"].flatMap { String($0) }
        isReadOnly = value["readOnly"].flatMap { Bool($0) } ?? false
        size = value["size"].flatMap { Int($0) }
        propagation = value["propagation"].flatMap { String($0) }
        isWithoutCopy = value["noCopy"].flatMap { Bool($0) } ?? false
    }

    /// As the Engine takes it.
    var value: Value {
        var entry: [String: Value] = [
            "Type": .string(kind.rawValue), "Target": .string(target),
            "ReadOnly": .bool(isReadOnly),
        ]
        if let source { entry["Source"] = .string(source) }
        if let size { entry["TmpfsOptions"] = .map(["SizeBytes": .int(size << 20)]) }
        if let propagation { entry["BindOptions"] = .texts(["Propagation": propagation]) }
        if isWithoutCopy { entry["VolumeOptions"] = .map(["NoCopy": .bool(true)]) }
        return .map(entry)
    }
}
