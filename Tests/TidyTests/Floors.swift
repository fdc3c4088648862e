/// The floors of the house: a target imports only targets of lower floors.
enum Floors {
    /// Every target of Sources/ but the providers, which all stand on the same floor.
    static let map = [
        "CCurl": 0, "CLinux": 0, "PalModel": 0,
        "PalFiles": 1, "PalHTTP": 1, "PalProvider": 1,
        "PalEngine": 2, "PalEditors": 2,
        "PalSpecs": 3, "PalLedger": 3,
        "PalImport": 4,
        "pal": 5,
    ]

    static let providers = 3

    /// What a provider must not know, though some of it is on a lower floor.
    private static let closedToProviders: Set<String> = ["PalEngine", "PalLedger", "PalSpecs"]

    /// A folder of Sources/ with its own module.
    struct Target: Hashable {
        var name: String
        var isProvider = false

        /// The target that a file belongs to: `Providers/Docker` is `DockerProvider`.
        init?(ofFile path: String) {
            let parts = path.split(separator: "/").map(String.init)
            guard parts.count >= 3, parts[0] == "Sources" else { return nil }
            isProvider = parts[1] == "Providers" && parts.count >= 4
            name = isProvider ? parts[2] + "Provider" : parts[1]
        }
    }

    /// The modules that a file imports.
    static func imports(in text: String) -> Set<String> {
        let statement =
            #/
            ^\h*
            (?: @\w+ (?:\(\w+\))? \s+ )*
            (?: (?:public|package|internal|fileprivate|private) \s+ )?
            import \s+
            (?: (?:struct|class|enum|protocol|typealias|func|let|var|actor) \s+ )?
            (\w+)
            /#.anchorsMatchLineEndings()
        return Set(text.matches(of: statement).map { String($0.1) })
    }

    /// What is wrong with the imports of a target; modules that are no targets are libraries.
    static func problems(of target: Target, importing modules: Set<String>) -> [String] {
        guard let own = target.isProvider ? providers : map[target.name] else {
            return ["the target \(target.name) has no floor: add it to the map in Floors.swift"]
        }
        return modules.subtracting([target.name]).sorted().compactMap { module in
            if target.isProvider, closedToProviders.contains(module) {
                return "\(target.name) is a provider and imports \(module)"
            }
            guard let other = floor(of: module), other >= own else { return nil }
            return "\(target.name) (floor \(own)) imports \(module) (floor \(other))"
        }
    }

    private static func floor(of module: String) -> Int? {
        map[module] ?? (module.hasSuffix("Provider") ? providers : nil)
    }
}
