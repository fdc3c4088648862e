import Foundation
import PalHTTP

/// A container whose removal breaks off midway, as it does on a disk with errors: the Engine can
/// neither start it nor delete it until `mend`.
public struct BrokenRemoval: Sendable {
    /// Lies in the container's own layer, and cannot be deleted.
    public let file: String

    /// Lets the Engine remove a container, in vain.
    public init(of id: String) async throws {
        struct Details: Decodable {
            struct Driver: Decodable { var Data: [String: String] }
            var GraphDriver: Driver
        }
        let answer = try await DockerEngine.shared.call("GET", "/containers/\(id)/json")
        let details = try JSONDecoder().decode(Details.self, from: Data(answer.body))
        guard let layer = details.GraphDriver.Data["UpperDir"] else {
            throw TestFailure("the container's layer is not a directory: \(details)")
        }
        file = layer + "/stuck"
        try Data().write(to: URL(filePath: file))
        try await PalProgram.succeed("/usr/bin/chattr", "+i", file)
        let removal = try await DockerEngine.shared.call("DELETE", "/containers/\(id)?force=1")
        guard removal.status == 500 else {
            throw TestFailure("the removal did not break off: \(removal.status)")
        }
    }

    /// From here on the container can be removed.
    public func mend() async throws { try await PalProgram.succeed("/usr/bin/chattr", "-i", file) }
}
