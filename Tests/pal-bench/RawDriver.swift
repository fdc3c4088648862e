import Foundation
import Glibc
import PalHTTP
import PalModel
import Synchronization
import TestSupport

/// The Engine's API driven directly, with what pal would make as the goal and nothing else in mind:
/// no specs, no record, no look before and none after.
struct RawDriver: Sendable {
    let swarm: String
    /// How many containers are being made at once. Waiting for editors does not count.
    let concurrency: Int

    private let http = HTTPClient(maximumConnections: 64)

    init(swarm: String, concurrency: Int) {
        self.swarm = swarm
        self.concurrency = concurrency
    }

    /// Makes the network, and of each name a volume and a container, starts it, and returns when
    /// all answer.
    func converge(_ names: [String]) async throws {
        let ports = try Self.freePorts(names.count)
        try await makeNetwork()
        let turns = Turns(of: names.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<concurrency {
                group.addTask {
                    try await withThrowingTaskGroup(of: Void.self) { waits in
                        while let index = turns.next() {
                            try await make(names[index], port: ports[index])
                            waits.addTask { try await http.untilReady(ports[index]) }
                        }
                        try await waits.waitForAll()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// One list of all containers of the swarm; the answer's size, in bytes.
    func list() async throws -> Int {
        let filter =
            Value.map(["label": .list([.string("pal.swarm=\(swarm)")])]).canonicalJSON
            .addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return try await call("GET", "/containers/json?all=1&filters=\(filter)", expects: 200)
            .body.count
    }

    /// What the Engine runs inside to see whether the editor answers.
    static let check = "wget -q -O /dev/null http://127.0.0.1:8080/healthz"

    // MARK: Calls

    private func makeNetwork() async throws {
        let network = "pal_\(swarm)"
        try await call("GET", "/networks/\(network)", expects: 404)
        try await call(
            "POST", "/networks/create",
            .map([
                "Name": .string(network), "Driver": .string("bridge"),
                "Labels": .map(["pal.swarm": .string(swarm)]),
            ]), expects: 201)
    }

    private func make(_ name: String, port: Int) async throws {
        let full = "pal_\(swarm)_\(name)"
        try await call("GET", "/volumes/\(full)_home", expects: 404)
        try await call(
            "POST", "/volumes/create",
            .map([
                "Name": .string("\(full)_home"), "Driver": .string("local"),
                "DriverOpts": .map([:]), "Labels": .map(labels(name)),
            ]), expects: 201)
        try await call(
            "POST", "/containers/create?name=\(full)", body(name, full, port), expects: 201)
        try await call("POST", "/containers/\(full)/start", expects: 204)
    }

    /// Another container in the place of one, with another environment.
    func change(_ name: String, to value: Int) async throws {
        let full = "pal_\(swarm)_\(name)"
        let (port, environment) = (try Self.freePorts(1)[0], [Value.string("CHANGED=\(value)")])
        try await call("POST", "/containers/\(full)/stop?t=10", expects: 204)
        try await call("DELETE", "/containers/\(full)?v=1", expects: 204)
        try await call("GET", "/volumes/\(full)_home", expects: 200)
        try await call(
            "POST", "/containers/create?name=\(full)", body(name, full, port, environment),
            expects: 201)
        try await call("POST", "/containers/\(full)/start", expects: 204)
        try await http.untilReady(port)
    }

    /// Stops and deletes all, and then the network.
    func delete(_ names: [String]) async throws {
        try await eachOf(names, atOnce: concurrency) { name in
            let full = "pal_\(swarm)_\(name)"
            try await call("POST", "/containers/\(full)/stop?t=10", expects: 204)
            try await call("DELETE", "/containers/\(full)?v=1", expects: 204)
        }
        try await call("DELETE", "/networks/pal_\(swarm)", expects: 204)
    }

    @discardableResult
    private func call(
        _ method: String, _ path: String, _ body: Value? = nil, expects status: Int
    ) async throws -> HTTPResponse {
        let answer = try await http.send(
            HTTPRequest(
                method, "/v1.41" + path,
                headers: body == nil ? [] : [("Content-Type", "application/json")],
                body: body.map { Array($0.canonicalJSON.utf8) }, timeout: .seconds(180)),
            to: .unixSocket(path: "/var/run/docker.sock"))
        guard answer.status == status else {
            throw BenchmarkFailure(
                "\(method) \(path) was answered with \(answer.status): "
                    + String(decoding: answer.body.prefix(300), as: UTF8.self))
        }
        return answer
    }

    private func labels(_ name: String) -> [String: Value] {
        [
            "pal.swarm": .string(swarm), "pal.name": .string(name),
            "pal.id": .string("raw\(name)"), "pal.generation": .string("1"),
            "pal.spec-hash": .string("v1:raw"), "pal.editor-port": .string("8080"),
            "pal.probe-path": .string("/healthz"),
        ]
    }

    /// The same container as pal makes: labels, port, network, volume, and the Engine's own check.
    private func body(
        _ name: String, _ full: String, _ port: Int, _ environment: [Value] = []
    ) -> Value {
        func seconds(_ number: Int) -> Value { .int(number * 1_000_000_000) }
        let check = Value.map([
            "Test": .list([.string("CMD-SHELL"), .string(Self.check)]), "Interval": seconds(600),
            "Timeout": seconds(5), "StartPeriod": seconds(30), "Retries": .int(3),
        ])
        let binding = Value.map([
            "HostIp": .string("127.0.0.1"), "HostPort": .string(String(port)),
        ])
        let volume = Value.map([
            "Type": .string("volume"), "Target": .string("/home/coder"),
            "Source": .string("\(full)_home"),
            "VolumeOptions": .map(["Labels": .map(labels(name))]),
        ])
        return .map([
            "Image": .string(BusyboxImage.name), "Hostname": .string(name),
            "Env": .list([.string("PORT=8080")] + environment),
            "Labels": .map(labels(name)), "ExposedPorts": .map(["8080/tcp": .map([:])]),
            "Healthcheck": check,
            "HostConfig": .map([
                "RestartPolicy": .map(["Name": .string("unless-stopped")]),
                "NetworkMode": .string("pal_\(swarm)"),
                "PortBindings": .map(["8080/tcp": .list([binding])]),
                "Mounts": .list([volume]),
            ]),
        ])
    }

    /// Different ports that nobody listens on.
    static func freePorts(_ count: Int) throws -> [Int] {
        var ports: [Int] = []
        var candidate = Int.random(in: 20_000..<30_000)
        while ports.count < count, candidate < 32_768 {
            if isFree(candidate) { ports.append(candidate) }
            candidate += 1
        }
        guard ports.count == count else { throw BenchmarkFailure("no \(count) ports are free") }
        return ports
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// Hands out the numbers from 0, each once, to whoever comes.
private final class Turns: Sendable {
    private let count: Int
    private let given = Atomic(0)

    init(of count: Int) { self.count = count }

    func next() -> Int? {
        let turn = given.add(1, ordering: .relaxed).oldValue
        return turn < count ? turn : nil
    }
}
