import ArgumentParser
import Foundation
import PalModel
import PalSpecs

/// `pal schema`.
struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the JSON Schema of a spec, for editors.",
        discussion: """
              pal schema > .vscode/pal.schema.json
              pal schema --markdown          the reference table of the docs
            """)
    @Flag(help: "Print the fields as a Markdown table.") var markdown = false

    func run() throws {
        if markdown {
            Terminal.write(FieldReference.markdown, to: 1)
        } else {
            try Encoded.show(JSONSchema.spec, .json)
        }
    }
}

/// `pal completion`.
struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a completion script for a shell.",
        discussion: "  pal completion bash > /etc/bash_completion.d/pal")
    @Argument(help: "bash, zsh or fish.") var shell: String

    func run() throws {
        guard let shell = CompletionShell(rawValue: shell) else {
            throw ValidationError("'\(shell)' is not one of bash, zsh, fish")
        }
        Terminal.say(Pal.completionScript(for: shell))
    }
}
