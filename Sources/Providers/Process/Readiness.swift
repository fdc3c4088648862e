import FoundationEssentials
import Glibc
import PalHTTP
import PalModel
import Synchronization

extension ProcessProvider {
    /// The time that one probe may take where the spec sets none.
    private static let probeTimeout = Duration.seconds(2)
    /// How long a good answer is believed where the spec sets no interval.
    private static let interval = Duration.seconds(30)

    /// Whether the instance answers.
    ///
    /// By HTTP where a path is known, by a connection where only a port is; one that has neither is
    /// ready as soon as it runs. A good answer is believed for the interval, within the same run.
    func readiness(
        _ record: InstanceRecord, _ state: RunState, _ launch: LaunchFile?
    ) async -> Readiness {
        guard state.status == .running, let run = state.run?.run, let launch, launch.run == run
        else { return .unknown }
        guard let port = record.port else { return .ready }
        let health = record.config.health
        if verdicts.isReady(run) { return .ready }
        let timeout = health.timeout?.duration ?? Self.probeTimeout
        let verdict: Readiness
        if let path = health.path ?? launch.readinessPath {
            verdict = await askHTTP("http://127.0.0.1:\(port)\(path)", timeout)
        } else {
            let code = await runOffPool { LoopbackPort.connect(port, timeout) }
            verdict =
                code == 0
                ? .ready
                : .notReady("port \(port): \(String(cString: strerror(code)))")
        }
        if verdict.isReady {
            verdicts.note(run, for: health.interval?.duration ?? Self.interval)
        }
        return Self.excusing(verdict, state, health.grace)
    }

    /// A failure within the grace after the start is no failure yet, and says so.
    private static func excusing(
        _ verdict: Readiness, _ state: RunState, _ grace: TimeSpan?
    ) -> Readiness {
        guard case .notReady(let reason) = verdict, let grace, let start = state.run?.startedAt,
            Date() < start.addingTimeInterval(Double(grace.milliseconds) / 1000)
        else { return verdict }
        return .notReady("still starting: \(reason)")
    }

    private func askHTTP(_ url: String, _ timeout: Duration) async -> Readiness {
        switch await http.probe(url: url, timeout: timeout) {
        case .success(200): .ready
        case .success(let status): .notReady("GET \(url) answers \(status), not 200")
        case .failure(let error): .notReady(error.message)
        }
    }
}

/// Which runs answered, and until when that is believed.
final class ReadyVerdicts: Sendable {
    private let until = Mutex<[String: ContinuousClock.Instant]>([:])

    func isReady(_ run: String) -> Bool {
        until.withLock { $0[run].map { ContinuousClock.now < $0 } ?? false }
    }

    func note(_ run: String, for interval: Duration) {
        let now = ContinuousClock.now
        until.withLock { verdicts in
            verdicts = verdicts.filter { $0.value > now }
            verdicts[run] = now + interval
        }
    }
}

/// A TCP port of this machine's loopback.
enum LoopbackPort {
    /// 0 where somebody accepts a connection, else the error's number. Blocks up to the timeout.
    static func connect(_ port: Int, _ timeout: Duration) -> CInt {
        let kind = CInt(SOCK_STREAM.rawValue)
        let flags = CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_INET, kind | flags, 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafeBytes(of: &address) { bytes in
            Glibc.connect(
                descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(bytes.count))
        }
        if result == 0 { return 0 }
        guard errno == EINPROGRESS else { return errno }
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        let milliseconds = timeout / Duration.milliseconds(1)
        guard poll(&entry, 1, CInt(min(milliseconds, 60_000))) > 0 else { return ETIMEDOUT }
        var code: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        return code
    }
}
