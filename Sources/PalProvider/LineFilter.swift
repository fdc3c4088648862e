internal import FoundationEssentials

/// What `LogOptions` say of single lines, understood.
public struct LineFilter {
    private let options: LogOptions
    private let regex: Regex<AnyRegexOutput>?

    /// - Throws: A configuration error where the pattern is none.
    public init(_ options: LogOptions) throws(ProviderFailure) {
        self.options = options
        guard let pattern = options.pattern else {
            regex = nil
            return
        }
        do {
            regex = try Regex(pattern)
        } catch {
            throw .invalid(
                "'\(pattern)' is not a regular expression; correct it, or put \\ before characters "
                    + "that stand for themselves", cause: String(describing: error))
        }
    }

    /// Whether the line is wanted.
    public func takes(_ line: LogLine) -> Bool {
        if let since = options.since, let at = line.at, at < since { return false }
        guard let regex else { return true }
        return line.text.contains(regex)
    }

    /// So many from the end, and of these the ones that are wanted.
    public func select(_ lines: [LogLine]) -> [LogLine] {
        let recent = options.lines.map { lines.suffix(max(0, $0)) } ?? lines[...]
        return recent.filter(takes)
    }
}
