import Foundation
import PalHTTP
import Subprocess
import TestSupport

/// Debian's `docker-compose`, with the same containers as pal makes; it does not wait until they
/// answer, so that is asked here.
struct ComposeContender: Contender {
    static let title = "docker-compose"
    let name = title
    private let directory: String
    private let project: String
    private let names: [String]
    private let ports: [Int]
    private let http = HTTPClient()

    /// Nil where there is none.
    init?(_ bench: BenchSwarm, _ names: [String]) throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/docker-compose") else {
            tell("docker-compose is not installed; its rows are left out")
            return nil
        }
        self.names = names
        directory = try bench.writeSpecs([])
        project = bench.swarm
        ports = try RawDriver.freePorts(names.count)
    }

    mutating func fromNothing() async throws {
        try write(changed: 0)
        try await compose("up", "--detach")
        try await untilAllAnswer(ports[...])
    }

    var looks: Int { 3 }
    mutating func nothingToDo() async throws { try await compose("up", "--detach") }

    mutating func changeOne(to value: Int) async throws {
        try write(changed: value)
        try await compose("up", "--detach")
        try await untilAllAnswer(ports.prefix(1))
    }

    mutating func deleteAll() async throws { try await compose("down") }

    mutating func end() async {
        // Also where all this was cancelled.
        let own = self
        await Task {
            do { try await own.compose("down", "--volumes") } catch {
                tell("not everything of Compose's was removed: \(error)")
            }
        }.value
    }

    private func write(changed value: Int) throws {
        var text = "version: \"2.4\"\nservices:\n"
        for (index, name) in names.enumerated() {
            text += """
                  \(name):
                    image: \(BusyboxImage.name)
                    hostname: \(name)
                    restart: unless-stopped
                    ports: ["127.0.0.1:\(ports[index]):8080"]
                    volumes: ["\(name)_home:/home/coder"]
                    networks: [swarm]
                    environment: { PORT: "8080", CHANGED: "\(index == 0 ? value : 0)" }
                    healthcheck:
                      test: \(RawDriver.check)
                      interval: 600s
                      timeout: 5s
                      start_period: 30s
                      retries: 3

                """
        }
        text += "networks: { swarm: {} }\nvolumes:\n"
        for name in names { text += "  \(name)_home: {}\n" }
        try text.write(
            toFile: directory + "/docker-compose.yml", atomically: true, encoding: .utf8)
    }

    private func compose(_ arguments: String...) async throws {
        let all =
            ["--project-name", project, "--file", directory + "/docker-compose.yml"] + arguments
        let result = try await Subprocess.run(
            .name("docker-compose"), arguments: .init(all), input: .none, output: .discarded,
            error: .bytes(limit: 1 << 20))
        guard case .exited(0) = result.terminationStatus else {
            let said = String(decoding: result.standardError.suffix(500), as: UTF8.self)
            throw BenchmarkFailure("docker-compose \(arguments.joined(separator: " ")): \(said)")
        }
    }

    private func untilAllAnswer(_ ports: ArraySlice<Int>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for port in ports { group.addTask { try await http.untilReady(port) } }
            try await group.waitForAll()
        }
    }
}

extension HTTPClient {
    /// Asks the editor at a port at once, and then every 10 ms.
    func untilReady(_ port: Int) async throws {
        for _ in 0..<3000 {
            let answer = await probe(
                url: "http://127.0.0.1:\(port)/healthz", timeout: .seconds(5))
            if case .success(200) = answer { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw BenchmarkFailure("the container on port \(port) never answered")
    }
}
