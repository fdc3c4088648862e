import PalModel

/// How an instance is in one network: by which names and address others there find it.
struct NetworkEnd: Sendable, Hashable {
    var name: String
    /// Beside the container's own name.
    var aliases: [String]
    /// An IPv4 or IPv6 address of its own; any free one where nil.
    var address: String?

    /// An entry of `specific.networks`; nil for what is none.
    init?(_ value: Value) {
        guard let name = value.text("name") else { return nil }
        self.init(
            name: name, aliases: value.texts("aliases") ?? [], address: value.text("ipAddress"))
    }

    init(name: String, aliases: [String], address: String?) {
        (self.name, self.aliases, self.address) = (name, aliases, address)
    }

    /// Whether names and addresses in it are its own: in the Engine's `bridge` there are none.
    var isUserDefined: Bool { !["bridge", "default", "host", "none"].contains(name) }

    /// As the Engine takes it; nil where there is nothing to say.
    var engineValue: Value? {
        var end: [String: Value] = [:]
        if !aliases.isEmpty { end["Aliases"] = .strings(aliases) }
        if let address {
            let key = address.contains(":") ? "IPv6Address" : "IPv4Address"
            end["IPAMConfig"] = .texts([key: address])
        }
        return end.isEmpty ? nil : .map(end)
    }

    /// As an entry of `specific.networks`.
    var value: Value {
        var entry: [String: Value] = ["name": .string(name)]
        if !aliases.isEmpty { entry["aliases"] = .strings(aliases) }
        entry["ipAddress"] = address.map { .string($0) }
        return .map(entry)
    }
}
