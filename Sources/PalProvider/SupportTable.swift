public import PalModel

/// What each provider does with every method, every field and every key of `specific`, in specs and
/// in pal.yaml, as tables in Markdown: asked of the providers themselves, so that no page says
/// something else.
public struct SupportTable: Sendable {
    private let providers: [any Provider]
    private let settings: [[Shape.Member]]

    /// - Parameters:
    ///   - providers: As they are made, before any of them was contacted: what they can do at best.
    ///   - settings: For each of them, the keys that its entry's `specific` in pal.yaml has.
    public init(_ providers: [any Provider], settings: [[Shape.Member]]) {
        (self.providers, self.settings) = (providers, settings)
    }

    /// All tables, each below a line that says what it is of.
    public var markdown: String {
        let methods = Self.methods.map { method in
            row("`\(method.name)`", providers.map { method.isThere($0) ? "yes" : "no" })
        }
        let fields = FieldTable.all.filter { $0.role == .platform }.map { field in
            row("`\(field.path)`", providers.map { word(for: field, at: $0) })
        }
        return """
            \(head("method"))
            \(methods.joined(separator: "\n"))

            \(head("field"))
            \(fields.joined(separator: "\n"))

            \(reasons.joined(separator: "\n"))

            \(head("key of `specific` in a spec"))
            \(keys(providers.map { $0.specificKeys ?? [] }).joined(separator: "\n"))

            \(head("key of `specific` in pal.yaml"))
            \(keys(settings).joined(separator: "\n"))

            """
    }

    /// What each key means, where it means anything; it may mean something else elsewhere.
    private func keys(_ members: [[Shape.Member]]) -> [String] {
        Set(members.joined().map(\.name)).sorted().map { key in
            row("`\(key)`", members.map { $0.first { $0.name == key }?.summary ?? "no" })
        }
    }

    private func head(_ title: String) -> String {
        row(title, providers.map(\.name)) + "\n" + row("---", providers.map { _ in "---" })
    }

    private func row(_ first: String, _ cells: [String]) -> String {
        "| \(([first] + cells).joined(separator: " | ")) |"
    }

    private func word(for field: Field, at provider: any Provider) -> String {
        switch provider.getCapabilities().support(for: field.path) {
        case .honoured(let change):
            switch change {
            case .live: "live"
            case .restart: "restart"
            case .replace, .replaceLosingData: "replace"
            }
        case .fixed: "its own only"
        case .notEnforced: "not enforced"
        case .unsupported: "no"
        }
    }

    /// Why a field is not honoured whatever it says, one line for each.
    private var reasons: [String] {
        providers.flatMap { provider in
            FieldTable.all.filter { $0.role == .platform }.compactMap { field in
                reason(field, at: provider).map { "- \(provider.name), `\(field.path)`: \($0)" }
            }
        }
    }

    private func reason(_ field: Field, at provider: any Provider) -> String? {
        switch provider.getCapabilities().support(for: field.path) {
        case .honoured: nil
        case .fixed(let why), .notEnforced(let why), .unsupported(let why): why
        }
    }

    private struct Method: Sendable {
        var name: String
        var isThere: @Sendable (any Provider) -> Bool = { _ in true }
    }

    /// In the order of the protocols. The first ones every provider has.
    private static let methods: [Method] = [
        Method(name: "getCapabilities"), Method(name: "validateInstanceConfig"),
        Method(name: "initialize"), Method(name: "prepareInstance"),
        Method(name: "createInstance"), Method(name: "getInstance"),
        Method(name: "listInstances"), Method(name: "startInstance"),
        Method(name: "stopInstance"), Method(name: "deleteInstance"),
        Method(name: "updateInstance"), Method(name: "getInstanceLogs"),
        Method(name: "executeCommand"), Method(name: "shutdown"),
        Method(name: "watchEvents") { $0 is any EventfulProvider },
        Method(name: "fetchNewer") { $0 is any FollowingProvider },
        Method(name: "listStorage") { $0 is any StorageProvider },
        Method(name: "deleteStorage") { $0 is any StorageProvider },
        Method(name: "followInstanceLogs") { $0 is any LogFollowingProvider },
        Method(name: "openSession") { $0 is any InteractiveProvider },
        Method(name: "fetchArchive") { $0 is any CopyingProvider },
        Method(name: "storeArchive") { $0 is any CopyingProvider },
        Method(name: "getUsage") { $0 is any MetricsProvider },
        Method(name: "getAccess") { $0 is any AccessProvider },
        Method(name: "describeForeign") { $0 is any DescribingProvider },
        Method(name: "listInstances(adopting:)") {
            $0.getCapabilities().features.contains(.adoption)
        },
    ]
}
