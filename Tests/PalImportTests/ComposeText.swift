import PalModel
import Testing

@testable import PalImport

/// What an import makes of a Compose file in `/srv/team`.
func imported(
    _ text: String, only names: [String] = [], environment: [String: String] = [:],
    files: [String: String] = [:]
) throws -> Imported {
    try ComposeFile(path: "compose.yaml", directory: "/srv/team", environment: environment) {
        files[$0]
    }.specs(from: Array(text.utf8), only: names)
}

/// What an import makes of one service.
func importedConfig(
    _ service: String, environment: [String: String] = [:], files: [String: String] = [:]
) throws -> InstanceConfig {
    let indented = service.split(separator: "\n").map { "    \($0)\n" }.joined()
    let all = try imported(
        "services:\n  web:\n\(indented)", environment: environment, files: files)
    return try #require(all.specs.first).config
}
