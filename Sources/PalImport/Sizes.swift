import PalModel

/// Sizes as Docker and Compose write them, in the units of a spec.
enum Sizes {
    /// `512m`, `2g`, `1GB`, `1.5GiB`, or bytes: whole MiB, rounded down; nil where it is no size.
    static func mebibytes(_ text: String) -> Int? {
        let lower = text.trimmed.lowercased()
        let digits = lower.prefix { $0.isNumber || $0 == "." }
        guard let number = Double(digits), number > 0 else { return nil }
        let shift: Double
        switch lower.dropFirst(digits.count).trimmed {
        case "", "b": shift = 1
        case "k", "kb", "ki", "kib": shift = 1024
        case "m", "mb", "mi", "mib": shift = 1_048_576
        case "g", "gb", "gi", "gib": shift = 1_073_741_824
        case "t", "tb", "ti", "tib": shift = 1_099_511_627_776
        default: return nil
        }
        let size = number * shift / 1_048_576
        return size >= 1 && size < 1e12 ? Int(size) : nil
    }

    /// Cores, as a number or a text; nil where it is none.
    static func cores(_ text: String) -> Double? {
        Double(text.trimmed).flatMap { $0 > 0 ? $0 : nil }
    }
}

extension StringProtocol {
    /// Without blanks at either end.
    var trimmed: String {
        let head = drop { $0.isWhitespace }
        return String(head.reversed().drop { $0.isWhitespace }.reversed())
    }
}
