import Foundation

/// The rules of style that neither the compiler nor the formatter keeps.
enum Style {
    static let maximumColumns = 100
    static let maximumLines = 400

    // Put together here, so that this file keeps the rules itself.
    private static let words = ["try" + "!", "fatal" + "Error(", "TO" + "DO", "FIX" + "ME"]
    private static let vagueNames = ["Ut" + "ils", "Com" + "mon", "Man" + "ager", "Hel" + "per"]
    private static let unchecked = "@un" + "checked"

    /// What is wrong with a source file: `path:line: what`.
    static func problems(in text: String, file: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var problems = vague(URL(filePath: file).deletingPathExtension().lastPathComponent)
            .map { "\(file): the file's name says \($0), not what it is" }
        // The last line ends with a line feed too.
        if lines.count - 1 > maximumLines {
            problems.append("\(file): \(lines.count - 1) lines, more than \(maximumLines)")
        }
        for (index, line) in lines.enumerated() {
            if line.utf8.count > maximumColumns, line.count > maximumColumns {
                let columns = "\(line.count) columns, more than \(maximumColumns)"
                problems.append("\(file):\(index + 1): \(columns)")
            }
        }
        // Most files say none of these words, and need not be looked at line by line.
        guard (words + vagueNames + [unchecked]).contains(where: { text.contains($0) }) else {
            return problems
        }
        for (index, line) in lines.enumerated() {
            problems += self.problems(in: line).map { "\(file):\(index + 1): \($0)" }
            if line.contains(unchecked), !hasComment(lines, at: index) {
                problems.append("\(file):\(index + 1): \(unchecked) without a reason beside it")
            }
        }
        return problems
    }

    private static func problems(in line: Substring) -> [String] {
        let declaration = /\b(?:struct|class|enum|actor|protocol|typealias|func)\s+(\w+)/
        let declared = vague(line).isEmpty ? [] : line.matches(of: declaration).map { $0.1 }
        return words.filter { line.contains($0) }.map { "says \($0)" }
            + declared.flatMap { name in
                vague(name).map { "\(name) says \($0), not what it is" }
            }
    }

    /// The words in a name that say nothing.
    private static func vague(_ name: some StringProtocol) -> [String] {
        vagueNames.filter { name.contains($0) }
    }

    /// On the line itself, or among the three above it.
    private static func hasComment(_ lines: [Substring], at index: Int) -> Bool {
        lines[max(0, index - 3)...index].contains { $0.contains("//") }
    }
}
