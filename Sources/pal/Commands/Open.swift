import ArgumentParser
import Glibc
import PalModel
import PalProvider

/// `pal open`.
struct Open: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the address to click, and the password that it asks for.",
        discussion: """
              pal open alice
              pal open alice -o json
              xdg-open "$(pal open alice)"

            The address holds the token where the editor takes one. A password is shown on a
            terminal, and with -o json, and not where the output goes to a file or a pipe.
            """)
    @OptionGroup var world: WorldOptions
    @Argument(help: "The instance.") var name: String
    @Option(name: .shortAndLong, help: "table, json or yaml.") var output = OutputFormat.table

    /// What `-o json` prints.
    private struct Document: Encodable {
        var name: String
        var url: String
        var password: String?
        var token: String?
        /// Why neither is there, or what else to know.
        var note: String?
        var ready: Bool
    }

    func run() async throws {
        let target = try await Target(name, world)
        guard let provider = target.provider as? any AccessProvider else {
            throw CommandFailure(
                "provider '\(target.provider.name)' does not know how an editor is opened; "
                    + "'pal status \(name) -o json' shows its addresses")
        }
        let access: EditorAccess
        do throws(ProviderFailure) {
            access = try await provider.getAccess(target.instance.reference)
        } catch {
            throw CommandFailure("\(name): \(error)")
        }
        let document = describe(access, target.instance)
        switch output {
        case .json, .yaml: try Encoded.show(document, output)
        case .table, .wide: show(document)
        }
    }

    private func describe(_ access: EditorAccess, _ instance: VSCodeInstance) -> Document {
        var document = Document(name: name, url: access.link, ready: instance.readiness.isReady)
        switch access.credential {
        case .password(let password): document.password = password.text
        case .token(let token): document.token = token.text
        case .unknown(let why): document.note = why
        }
        return document
    }

    private func show(_ document: Document) {
        Terminal.say(document.url)
        if let password = document.password {
            if isatty(STDOUT_FILENO) == 1 {
                Terminal.say("password: \(password)")
            } else {
                Terminal.complain(
                    "the password is shown on a terminal, or with 'pal open \(name) -o json'")
            }
        }
        if let note = document.note { Terminal.complain(note) }
        if !document.ready { Terminal.complain("\(name) is not ready yet; 'pal why \(name)'") }
    }
}
