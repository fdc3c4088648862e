/// Which names in a directory can be spec files.
public enum SpecNames {
    /// The extensions that are read; every other file is not looked at.
    public static let extensions = ["yaml", "yml", "json"]

    /// True for a name that is read. Editors' backup, lock and swap files (`x.yaml~`,
    /// `.x.yaml.swp`, `#x.yaml#`, `.#x.yaml`, `x.yaml.tmp`, `4913`) never are.
    public static func isSpec(_ name: String) -> Bool {
        guard !isHidden(name) else { return false }
        return extensions.contains {
            name.utf8.count > $0.utf8.count + 1 && name.hasSuffix("." + $0)
        }
    }

    /// True for a name that is neither read nor entered.
    static func isHidden(_ name: String) -> Bool {
        guard let first = name.utf8.first else { return true }
        return [UInt8(ascii: "."), UInt8(ascii: "#"), UInt8(ascii: "~")].contains(first)
    }
}
