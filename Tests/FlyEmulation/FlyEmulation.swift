import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

/// An emulation of Fly's Machines API and of its logs API, on loopback.
///
/// Machines are real processes of this computer, volumes are directories. It behaves as the
/// documents and observers of the real API say, quirks included, and can be told to fail.
public final class FlyEmulation: Sendable {
    /// What an emulation is made with.
    public struct Options: Sendable {
        /// Accepted as `Bearer` and as `FlyV1` by the Machines API.
        public var token = "fm2_test"
        /// The organisation that the token may use.
        public var org = "personal"
        /// Where machines and volumes can be.
        public var regions: Set<String> = ["fra", "ams", "iad", "lhr", "sin", "syd"]
        /// Names that other organisations have taken.
        public var foreignApps: Set<String> = []
        /// How long things take.
        public var delays = Delays()
        /// Whether too many calls are refused.
        public var enforcesLimits = true
        /// Leases are answered without the wrapping `status` and `data`.
        public var flatLeases = false
        /// Of a machine whose host does not answer nothing of the config is told.
        public var forgetsAbsentHosts = false
        /// Durations of checks are answered as nanoseconds.
        public var integerDurations = false
        /// The path of the OpenAPI document that calls are held against.
        public var openAPI: String?

        /// The usual ones.
        public init() {}
    }

    /// How long things take on the clock.
    public struct Delays: Sendable {
        /// From `created` to `started`.
        public var boot = Duration.milliseconds(30)
        /// The same for a machine that boots slowly: more than the longest wait.
        public var slowBoot = Duration.seconds(65)
        /// Until a process that ended by itself is restarted.
        public var restart = Duration.milliseconds(15)
        /// At least so long a machine is `stopping`, or `suspending`.
        public var stop = Duration.milliseconds(15)
        /// At least so long a machine is `replacing`.
        public var update = Duration.milliseconds(40)
        /// At least so long a machine is `destroying`.
        public var destroy = Duration.milliseconds(20)
        /// How long it reads `destroyed` before it is 404.
        public var gone = Duration.milliseconds(20)
        /// The same for one that lingers.
        public var linger = Duration.seconds(1)
        /// How long a volume stays attached to a destroyed machine.
        public var detach = Duration.milliseconds(30)
        /// From a volume's `creating` to `created`.
        public var volumeReady = Duration.milliseconds(30)
        /// How long a deleted volume can still be read.
        public var volumeGone = Duration.milliseconds(30)
        /// How long a new app is 404.
        public var appVisible = Duration.milliseconds(30)
        /// How long it takes to find out that there is no such app.
        public var missingApp = Duration.milliseconds(10)
        /// How long a process has to be up before its checks pass.
        public var check = Duration.milliseconds(50)

        /// The usual ones, a few milliseconds each.
        public init() {}
    }

    let cloud: Cloud
    private let front: Front
    private let running = Mutex<Running?>(nil)

    private struct Running: Sendable {
        var server: HTTPServer
        var task: Task<Void, any Error>
        var port: UInt16
    }

    /// Makes one that does not listen yet. Throws where the OpenAPI document cannot be read.
    public init(_ options: Options = Options(), clock: some Clock<Duration> = ContinuousClock())
        throws
    {
        let contract = try options.openAPI.map { try Contract(path: $0) }
        cloud = try Cloud(options, Time(clock))
        front = Front(cloud, contract)
    }

    /// Begins to listen, on a free port of 127.0.0.1.
    public func start() async throws {
        let configuration = HTTPServer.Configuration(
            address: try .inet(ip4: "127.0.0.1", port: 0), timeout: 3600,
            sharedRequestBufferSize: 65536, logger: .disabled)
        let server = HTTPServer(config: configuration, handler: front)
        let task = Task { try await server.run() }
        try await server.waitUntilListening()
        guard case .ip4(_, let port) = await server.listeningAddress else {
            throw SocketError.unsupportedAddress
        }
        Listener.sendAtOnce(port: port)
        running.withLock { $0 = Running(server: server, task: task, port: port) }
    }

    /// Ends the server, and all processes and directories of machines. It cannot be started again.
    public func stop() async {
        let running = running.withLock { running in
            defer { running = nil }
            return running
        }
        if let running {
            await running.server.stop(timeout: 0)
            running.task.cancel()
            _ = await running.task.result
        }
        await cloud.close()
    }

    /// Such as `http://127.0.0.1:8080`: the Machines API is under `/v1`, the logs API under
    /// `/api/v1`. Port 0 while it does not listen.
    public var origin: String { "http://127.0.0.1:\(running.withLock { $0?.port ?? 0 })" }

    /// Lets later calls go wrong; each fault is used up by the first calls that fit.
    public func fail(_ fault: Fault, times: Int = 1) { cloud.faults.arm(fault, times: times) }

    /// Takes back all faults that are still armed.
    public func mend() { cloud.faults.clear() }

    /// The faults that no call has used up yet.
    public var armed: [Fault] { cloud.faults.left }

    /// What did not fit the OpenAPI document, a line each.
    public var mismatches: [String] { front.mismatches }

    /// How many calls were held against the OpenAPI document.
    public var checkedCalls: Int { front.checkedCalls }

    /// Every call so far, or since they were taken.
    public var calls: [Call] { cloud.calls.all }

    /// The calls since the last time.
    public func takeCalls() -> [Call] { cloud.calls.take() }
}
