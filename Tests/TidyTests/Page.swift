import Foundation
import PalModel
import PalSpecs

/// A page of Markdown: as much of it as can be wrong without anybody noticing.
struct Page {
    /// The path from the package's root.
    var path: String
    var text: String

    /// A fenced block of code.
    struct Block: Equatable {
        /// The line that it begins on, from 1.
        var line: Int
        /// What stands behind the fence: `yaml`, or `yaml title=pal.yaml`.
        var info: String
        var text: String
    }

    /// The fenced blocks, also those in lists, and what is outside of them.
    var parts: (blocks: [Block], prose: String) {
        var blocks: [Block] = []
        var prose = ""
        var open: Block?
        var indent = 0
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let content = line.drop { $0 == " " }
            let isFence = content.hasPrefix("```")
            if var block = open {
                let spaces = min(indent, line.count - content.count)
                if isFence {
                    blocks.append(block)
                } else {
                    block.text += line.dropFirst(spaces) + "\n"
                }
                open = isFence ? nil : block
            } else if isFence {
                indent = line.count - content.count
                let info = content.dropFirst(3).trimmingCharacters(in: .whitespaces)
                open = Block(line: index + 1, info: info, text: "")
            } else {
                prose += line + "\n"
            }
        }
        return (blocks + (open.map { [$0] } ?? []), prose)
    }

    /// What is wrong with the specs in it: each block of `yaml` is a whole spec file.
    var specProblems: [String] {
        parts.blocks.filter { $0.info.hasPrefix("yaml") }.flatMap { problems(in: $0) }
    }

    private func problems(in block: Block) -> [String] {
        let place = "\(path):\(block.line)"
        let bytes = Array(block.text.utf8)
        switch block.info {
        case "yaml":
            return SpecFileContents(bytes: bytes, file: place).allProblems.map(\.description)
        case "yaml title=pal.yaml":
            do {
                _ = try ControllerConfig(bytes: bytes, file: place)
                return []
            } catch {
                return error.diagnostics.map(\.description)
            }
        default:
            return ["\(place): '\(block.info)' is neither 'yaml' nor 'yaml title=pal.yaml'"]
        }
    }

    /// The places in the package that it links to or names, as paths from the root.
    var places: [String] {
        let link = /\]\(([^)\s]+)\)/
        let linked = parts.prose.matches(of: link).map { String($0.1) }
            .filter { !$0.contains(":") && !$0.hasPrefix("#") }
            .map { target in
                let folder = URL(filePath: "/" + path).deletingLastPathComponent()
                let file = target.prefix { $0 != "#" }
                return String(folder.appending(path: file).standardized.path.dropFirst())
            }
        let name = /\b(?:Sources|Tests|docs)\/[\w\/.+-]*\w/
        let named = text.matches(of: name).map { String($0.0) }
        return Set(linked + named).sorted()
    }

    /// What stands between the two lines that mark the generated table of fields.
    var fieldTable: String? {
        guard let start = text.range(of: Self.tableStart + "\n"),
            let end = text.range(of: Self.tableEnd + "\n", range: start.upperBound..<text.endIndex)
        else { return nil }
        return text[start.upperBound..<end.lowerBound].trimmingCharacters(in: .newlines) + "\n"
    }

    static let tableStart = "<!-- made by: pal schema --markdown -->"
    static let tableEnd = "<!-- end of what is made -->"

    /// The first paragraph under the title.
    var firstParagraph: String {
        text.split(separator: "\n\n").first { !$0.hasPrefix("#") }.map(String.init) ?? ""
    }

    /// The commands that have a heading of their own: `` ### `pal run` `` and the like.
    var headedCommands: Set<String> {
        let heading = /^#+ `pal (\w+)/.anchorsMatchLineEndings()
        return Set(parts.prose.matches(of: heading).map { String($0.1) })
    }

    /// The commands that a source file defines.
    static func commands(in source: String) -> Set<String> {
        let command = /^struct (\w+): (?:Async)?ParsableCommand/.anchorsMatchLineEndings()
        return Set(source.matches(of: command).map { $0.1.lowercased() })
    }
}
