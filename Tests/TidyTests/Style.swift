import Foundation

/// The rules of style that neither the compiler nor the formatter keeps.
enum Style {
    static let maximumColumns = 100
    static let maximumLines = 400

    /// Put together here, so that this file keeps the rule itself.
    private static let words = ["try" + "!", "fatal" + "Error(", "TO" + "DO", "FIX" + "ME"]
    private static let vagueNames = ["Utils", "Common", "Manager", "Helper"]

    /// What is wrong with a source file: `path:line: what`.
    static func problems(in text: String, file: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var problems = vague(URL(filePath: file).deletingPathExtension().lastPathComponent)
            .map { "\(file): the file's name says \($0), not what it is" }
        // The last line ends with a line feed too.
        if lines.count - 1 > maximumLines {
            problems.append("\(file): \(lines.count - 1) lines, more than \(maximumLines)")
        }
        for (index, line) in lines.enumerated() {
            problems += self.problems(in: line).map { "\(file):\(index + 1): \($0)" }
            if line.contains("@unchecked"), !hasComment(lines, at: index) {
                problems.append("\(file):\(index + 1): @unchecked without a reason beside it")
            }
        }
        return problems
    }

    private static func problems(in line: String) -> [String] {
        var problems = words.filter { line.contains($0) }.map { "says \($0)" }
        if line.count > maximumColumns {
            problems.append("\(line.count) columns, more than \(maximumColumns)")
        }
        let type = /\b(?:struct|class|enum|actor|protocol|typealias|func)\s+(\w+)/
        for match in line.matches(of: type) {
            problems += vague(String(match.1)).map { "\(match.1) says \($0), not what it is" }
        }
        return problems
    }

    /// The words in a name that say nothing.
    private static func vague(_ name: String) -> [String] {
        vagueNames.filter { name.contains($0) }
    }

    /// On the line itself, or among the three above it.
    private static func hasComment(_ lines: [String], at index: Int) -> Bool {
        lines[max(0, index - 3)...index].contains { $0.contains("//") }
    }
}
