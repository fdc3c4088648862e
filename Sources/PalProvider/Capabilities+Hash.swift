public import PalModel

extension Capabilities {
    /// The config without what only steers pal: what an instance is made from.
    public func making(_ config: InstanceConfig) -> InstanceConfig {
        guard !steeringKeys.isEmpty, let specific = config.specific else { return config }
        let rest = specific.filter { !steeringKeys.contains($0.key) }
        guard rest.count < specific.count else { return config }
        var made = config
        made.specific = rest.isEmpty ? nil : rest
        return made
    }

    /// The hash of what an instance is made from.
    public func hash(of config: InstanceConfig) -> SpecHash {
        SpecHash(of: making(config), fields: hashedFields)
    }
}
