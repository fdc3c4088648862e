import Foundation
import PalModel

/// A directory of spec files as a large team would have it, removed with `clear()`.
struct SpecFiles: Sendable {
    /// The specs directory.
    let path: String
    /// How many instances are declared.
    let specs: Int
    /// In how many files.
    let files: Int

    /// Writes the files: as many documents in each as it takes.
    init(in root: String, specs: Int, files: Int) throws {
        (self.specs, self.files) = (specs, files)
        path = "\(root)/specs-\(specs)-\(files)"
        for file in 0..<files {
            try FileManager.default.createDirectory(
                atPath: directory(of: file), withIntermediateDirectories: true)
            try write(file)
        }
        // Long enough for no fingerprint to be as fresh as the clock's tick.
        usleep(100_000)
    }

    /// The files that another process wrote.
    init(existing path: String, specs: Int, files: Int) {
        (self.path, self.specs, self.files) = (path, specs, files)
    }

    /// The path of a file.
    func path(of file: Int) -> String { "\(directory(of: file))/instances-\(file).yaml" }

    private func directory(of file: Int) -> String { "\(path)/team-\(file % 25)" }

    /// Writes a file, with another memory limit in its first instance where one is given.
    func write(_ file: Int, firstLimit: Int? = nil) throws {
        let (start, end) = (specs * file / files, specs * (file + 1) / files)
        let documents = (start..<end).map { number in
            Self.document(
                number, limit: number == start ? firstLimit ?? Self.usualLimit : Self.usualLimit)
        }
        try documents.joined(separator: "---\n").write(
            toFile: path(of: file), atomically: true, encoding: .utf8)
    }

    // MARK: - What is declared

    /// The memory limit of every instance that nobody has changed.
    static let usualLimit = 2048

    /// The name of an instance.
    static func name(_ number: Int) -> String { "dev-\(number)" }

    /// The number in a name.
    static func number(_ name: String) -> Int? { Int(name.dropFirst("dev-".count)) }

    private static func document(_ number: Int, limit: Int) -> String {
        """
        name: \(name(number))
        provider: sim
        image: registry.example.com/editors/code-server:4.96.\(number % 7)
        resources:
          cpu: { cores: \(1 + number % 4) }
          memory: { min: 1024, max: \(limit) }
          storage: { size: 10 }
        network: { port: 8080 }
        env:
          NODE_ENV: development
          WORKSPACE: "team-\(number % 25)"
          # Said by the platform team.
          HTTP_PROXY: http://proxy.example.com:3128
        labels:
          team: team-\(number % 25)
          owner: user-\(number)

        """
    }

    /// What a document says.
    static func config(_ number: Int, limit: Int) -> InstanceConfig {
        var config = InstanceConfig(name: name(number))
        config.provider = "sim"
        config.image = "registry.example.com/editors/code-server:4.96.\(number % 7)"
        config.resources.cpuCores = Double(1 + number % 4)
        config.resources.memoryMin = 1024
        config.resources.memoryMax = limit
        config.resources.storageSize = 10
        config.network.port = 8080
        // Text of its own for each, as it comes from a platform.
        config.env = [
            "NODE_ENV": "development", "WORKSPACE": "team-\(number % 25)",
            "HTTP_PROXY": "http://proxy.example.com:\(3127 + 1)",
        ]
        config.labels = ["team": "team-\(number % 25)", "owner": "user-\(number)"]
        return config
    }
}
