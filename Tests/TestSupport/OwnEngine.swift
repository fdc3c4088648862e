import Foundation
import Glibc
import PalHTTP
public import Testing

/// An Engine of the test's own, which may be stopped and killed.
///
/// It has a bridge of its own, because an Engine without one removes `docker0` (as does one that
/// is told of address pools). It changes no rules of the firewall: ports are reached on loopback.
/// Whoever makes networks removes them, while it runs.
public final class OwnEngine {
    /// Where all that it keeps lies.
    public let directory: String
    private var process: Process?
    /// What it is started with besides.
    public var arguments: [String] = []
    /// A socket that listens already, for an Engine that answers outside its network namespace too.
    public var listener: Int32?

    /// A directory that it has in the place of the one in which all Engines look for plug-ins.
    public var plugins: String?

    /// The Engine's program.
    public static let program = "/usr/sbin/dockerd"
    /// The program that makes its bridge.
    public static let network = "/usr/sbin/ip"
    private let bridge = "pal\(UInt32.random(in: 0 ... .max))"

    /// Makes the directory; starts nothing.
    public init() throws {
        directory = "/tmp/pal-engine-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
    }

    /// Where the volumes are, each in a directory of its name.
    public var volumes: String { directory + "/data/volumes" }

    /// Where the Engine answers while it runs.
    public var socket: String { directory + "/docker.sock" }

    /// Starts it and waits until it answers, for about half a minute.
    public func start() async throws {
        try await makeBridge()
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let hands = "export LISTEN_PID=$$ LISTEN_FDS=1; exec 3<&0 0</dev/null; "
        process.standardInput = listener.map { FileHandle(fileDescriptor: $0) }
        process.arguments =
            ["-c", (listener == nil ? "" : hands) + "exec \"$@\"", "sh"] + withItsPlugins
            + [Self.program]
            + (listener == nil ? [] : ["--host", "fd://"]) + [
                "--host", "unix://\(socket)", "--data-root", directory + "/data",
                "--exec-root", directory + "/exec", "--pidfile", directory + "/pid",
                "--bridge", bridge, "--iptables=false", "--ip6tables=false", "--ip-masq=false",
            ] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        try await untilItAnswers()
    }

    /// What gives it mounts of its own, where it has plug-ins of its own.
    private var withItsPlugins: [String] {
        guard let plugins else { return [] }
        let place = "/run/docker/plugins"
        let script = "mkdir -p \(place) && mount --bind \(plugins) \(place) && exec \"$@\""
        return ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, "sh"]
    }

    private func makeBridge() async throws {
        guard access("/sys/class/net/\(bridge)", F_OK) != 0 else { return }
        try await PalProgram.succeed(Self.network, "link", "add", bridge, "type", "bridge")
        let address = "10.\(Int.random(in: 16...79)).\(Int.random(in: 0...255)).1/24"
        try await PalProgram.succeed(Self.network, "address", "add", address, "dev", bridge)
        try await PalProgram.succeed(Self.network, "link", "set", bridge, "up")
    }

    private func removeBridge() {
        let process = Process()
        process.executableURL = URL(filePath: Self.network)
        process.arguments = ["link", "delete", bridge]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return }
        process.waitUntilExit()
    }

    /// Ends it and waits for that; its data stay.
    public func stop() {
        process?.terminate()
        process?.waitUntilExit()
        process = nil
    }

    /// What kills it at once, as a machine that is out of memory does; from any thread.
    public var killer: @Sendable () -> Void {
        let id = process?.processIdentifier ?? 0
        return { if id > 0 { kill(id, SIGKILL) } }
    }

    /// Waits for the end of one that was killed, and of its containerd, which dies with it; its
    /// data and its containers stay.
    ///
    /// `waitUntilExit` waits for the containers too, which inherit what it listens to. Where nobody
    /// takes dead processes away at once, the files with their numbers look true: they go.
    public func bury() async throws {
        for file in ["/pid", "/exec/containerd/containerd.pid"] {
            guard let id = try? String(contentsOfFile: directory + file, encoding: .utf8) else {
                continue
            }
            try await untilItIsGone(id)
            unlink(directory + file)
        }
        process = nil
    }

    /// Ends it and deletes its data.
    public func remove() {
        stop()
        removeBridge()
        // One that was killed left what it had mounted, several times over where it was started
        // again. What lies below goes with it.
        let spaces = directory + "/exec/netns"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: spaces)) ?? []
        for mount in [directory + "/data"] + names.map({ spaces + "/" + $0 }) {
            while umount2(mount, CInt(MNT_DETACH)) == 0 {}
        }
        try? FileManager.default.removeItem(atPath: directory)
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where nobody can start an Engine of the test's own.
    public static var needsOwnEngine: Self {
        .enabled(
            if: !DockerEngine.isPodman && Needs.hasRoot
                && Needs.has(OwnEngine.program, OwnEngine.network),
            "only root can start one, with \(OwnEngine.program) and \(OwnEngine.network)")
    }
}
