import FlyingFox
import FlyingSocks
import Foundation
import Glibc
import PalModel
import Synchronization
import TestSupport

@testable import DockerProvider

/// A driver of volumes as the Engine talks to one, at a socket in its directory of plug-ins. Its
/// volumes are memory of the size that it is told, so that the size is enforced.
///
/// https://docs.docker.com/engine/extend/plugins_volume/
final class VolumePlugin: HTTPHandler {
    let name = "pal-test-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    /// Where its socket is.
    var sockets: String { root + "/sockets" }
    private let root: String
    private let state = Mutex(State())

    private struct State {
        var options: [String: [String: String]] = [:]
        var refusal: String?
    }

    private init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: name).path
        for directory in [volumesRoot, sockets] {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true)
        }
        // What is mounted below is seen where the Engine has mounts of its own, too.
        guard mount(volumesRoot, volumesRoot, nil, UInt(MS_BIND), nil) == 0,
            mount(nil, volumesRoot, nil, UInt(MS_SHARED), nil) == 0
        else { throw TestFailure("mount: \(errno)") }
    }

    private var volumesRoot: String { root + "/volumes" }

    private func remove() {
        for volume in volumes.keys { umount2(place(volume), Int32(MNT_DETACH)) }
        umount2(volumesRoot, Int32(MNT_DETACH))
        try? FileManager.default.removeItem(atPath: root)
    }

    /// Serves as long as the body runs.
    static func run(_ body: (VolumePlugin) async throws -> Void) async throws {
        let plugin = try VolumePlugin()
        defer { plugin.remove() }
        let path = "\(plugin.sockets)/\(plugin.name).sock"
        let server = HTTPServer(
            config: .init(address: .unix(path: path), logger: .disabled), handler: plugin)
        let task = Task { try await server.run() }
        try await server.waitUntilListening()
        let result: Result<Void, any Error>
        do { result = .success(try await body(plugin)) } catch { result = .failure(error) }
        await server.stop(timeout: 0)
        _ = await task.result
        try result.get()
    }

    /// What each volume was made with.
    var volumes: [String: [String: String]] { state.withLock(\.options) }

    /// Makes no more volumes, for that reason.
    func refuse(_ reason: String) { state.withLock { $0.refusal = reason } }

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        let wish = try? JSONDecoder().decode(Wish.self, from: try await request.bodyData)
        let answer: Value
        do {
            answer = try self.answer(to: request.path, wish?.Name ?? "", wish?.Opts ?? [:])
        } catch {
            answer = .texts(["Err": "\(error)"])
        }
        return HTTPResponse(
            statusCode: .ok,
            headers: [.contentType: "application/vnd.docker.plugins.v1.1+json"],
            body: Data(answer.canonicalJSON.utf8))
    }

    private struct Wish: Decodable {
        var Name: String?
        var Opts: [String: String]?
    }

    private func answer(
        to call: String, _ volume: String, _ options: [String: String]
    ) throws -> Value {
        switch call {
        case "/Plugin.Activate": return .map(["Implements": .strings(["VolumeDriver"])])
        case "/VolumeDriver.Capabilities":
            return .map(["Capabilities": .texts(["Scope": "local"])])
        case "/VolumeDriver.Create": try make(volume, options)
        case "/VolumeDriver.Remove": try remove(volume)
        case "/VolumeDriver.Get", "/VolumeDriver.Path", "/VolumeDriver.Mount":
            guard volumes[volume] != nil else { throw TestFailure("no volume \(volume)") }
            return .map([
                "Mountpoint": .string(place(volume)), "Volume": described(volume),
                "Err": .string(""),
            ])
        case "/VolumeDriver.List":
            return .map(["Volumes": .list(volumes.keys.map(described)), "Err": .string("")])
        default: break
        }
        return .texts(["Err": ""])
    }

    private func place(_ volume: String) -> String { "\(volumesRoot)/\(volume)" }

    private func described(_ volume: String) -> Value {
        .texts(["Name": volume, "Mountpoint": place(volume)])
    }

    private func make(_ volume: String, _ options: [String: String]) throws {
        if let refusal = state.withLock(\.refusal) { throw TestFailure(refusal) }
        try FileManager.default.createDirectory(
            atPath: place(volume), withIntermediateDirectories: true)
        let size = "size=" + (options["size"] ?? "1M")
        guard mount("tmpfs", place(volume), "tmpfs", 0, size) == 0 else {
            throw TestFailure("mount: \(errno)")
        }
        state.withLock { $0.options[volume] = options }
    }

    private func remove(_ volume: String) throws {
        guard umount2(place(volume), 0) == 0 else { throw TestFailure("umount: \(errno)") }
        state.withLock { $0.options[volume] = nil }
    }
}
