/// How the instances of one spec with `replicas` are named: `web-0`, `web-1` and so on.
public enum Replica {
    /// The name of one of them.
    public static func name(_ group: String, _ number: Int) -> String { "\(group)-\(number)" }

    /// The group that a name would belong to; nil where it does not end like a replica's.
    public static func group(of name: String) -> String? {
        guard let dash = name.lastIndex(of: "-"), dash > name.startIndex else { return nil }
        let digits = name[name.index(after: dash)...]
        guard !digits.isEmpty, digits.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
        return String(name[..<dash])
    }
}
