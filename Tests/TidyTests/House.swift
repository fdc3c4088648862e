import Foundation

/// What lies where.
enum House {
    /// The top level, dot-files aside.
    static let top: Set = ["Package.swift", "Sources", "Tests", "specs", "README.md", "docs"]
    /// What every provider's folder has, so that who knows one knows where to look in the others.
    static let core: Set = [
        "Provider.swift", "ProviderClass.swift", "Capabilities.swift", "Settings.swift",
        "Instance.swift",
    ]

    /// What is too much or missing at the top level.
    ///
    /// - Parameter ignored: the lines of .gitignore.
    static func topProblems(_ names: [String], ignored: [String]) -> [String] {
        let patterns = ignored.filter { !$0.isEmpty && !$0.hasPrefix("#") }.map {
            $0.hasSuffix("/") ? String($0.dropLast()) : $0
        }
        let seen = names.filter { name in
            !name.hasPrefix(".") && !patterns.contains { fnmatch($0, name, 0) == 0 }
        }
        return seen.filter { !top.contains($0) }.map { "\($0) does not belong at the top level" }
            + top.subtracting(seen).sorted().map { "\($0) is missing" }
    }

    /// The core files that a provider's folder lacks.
    static func missingCoreFiles(_ names: [String], provider: String) -> [String] {
        core.subtracting(names).sorted().map { "Sources/Providers/\(provider) has no \($0)" }
    }
}
