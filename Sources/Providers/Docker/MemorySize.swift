/// Sizes as options of a tmpfs write them.
enum MemorySize {
    /// `64m`, `1g`, `65536k`, or bytes; nil for a share of all memory, such as `50%`.
    static func bytes(_ text: Substring) -> Int? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let number = Int(digits) else { return nil }
        let shift: Int
        switch text.dropFirst(digits.count).lowercased() {
        case "", "b": shift = 0
        case "k": shift = 10
        case "m": shift = 20
        case "g": shift = 30
        default: return nil
        }
        let (bytes, isTooMuch) = number.multipliedReportingOverflow(by: 1 << shift)
        return isTooMuch ? nil : bytes
    }
}
