/// Finds the word that somebody probably meant.
public enum Suggestion {
    /// The message for a key that no field has.
    static func unknownKey(_ key: String, known: [String]) -> String {
        if let near = nearest(to: key, among: known) {
            return "unknown key '\(key.shortened)'; did you mean '\(near)'?"
        }
        let list = known.sorted().joined(separator: ", ")
        return "unknown key '\(key.shortened)'; the keys here are: \(list)"
    }

    /// The candidate with the least edit distance, where that is at most a third of the word's
    /// length.
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        guard word.count <= 64 else { return nil }
        let lowered = word.lowercased()
        let limit = max(1, (word.count + 1) / 3)
        return candidates.sorted()
            .map { (word: $0, distance: distance(lowered, $0.lowercased())) }
            .filter { $0.distance <= limit }
            .min { $0.distance < $1.distance }?.word
    }

    /// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
    private static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first)
        let b = Array(second)
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var rows = [Array(0...b.count)]
        for i in 1...a.count {
            var row = [i] + Array(repeating: 0, count: b.count)
            for j in 1...b.count {
                let cost = a[i - 1] == b[j - 1] ? 0 : 1
                row[j] = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + cost)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], rows[i - 2][j - 2] + 1)
                }
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
