import PalModel
import PalProvider
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A port to be published, and where.
struct PortAssignment: Sendable, Hashable {
    var inside: PortKey
    var outside: Int
    /// Whether the spec fixes it; otherwise another one will do.
    var isFixed: Bool
    /// The address of the host that the spec says for it; nil for the provider's.
    var address: String?
}

/// What a config wants published: the editor's port first.
struct WantedPort: Sendable, Hashable {
    var inside: PortKey
    /// The port outside that the spec fixes.
    var fixed: Int?
    /// The address of the host that the spec says for it; nil for the provider's.
    var address: String?

    /// The ports of a config. An entry of `network.ports` for the editor's own port fixes that one.
    static func all(_ config: InstanceConfig, editorPort: Int?) -> [WantedPort] {
        // There a port inside is one outside, and nothing is published.
        if Specifics(config).hasHostNetwork { return [] }
        var wanted = editorPort.map { [WantedPort(inside: PortKey($0), fixed: nil)] } ?? []
        for port in config.network.ports ?? [] {
            let entry = WantedPort(
                inside: PortKey(port.internal, port.protocol), fixed: port.external)
            if let place = wanted.firstIndex(where: { $0.inside == entry.inside }) {
                wanted[place] = entry
            } else {
                wanted.append(entry)
            }
        }
        let addresses = Specifics(config).portAddresses
        for index in wanted.indices { wanted[index].address = addresses[wanted[index].inside] }
        return wanted
    }
}

/// Chooses ports outside for those that a spec leaves open.
///
/// A container keeps its port over stops and reboots, so the port is concrete, and from below the
/// range from which Linux takes the ports of outgoing connections (from 32768): there a connection
/// of some program could hold it when the container starts again.
final class PortChooser: Sendable {
    private let settings: DockerSettings
    /// The last ports that were handed out: two creations at once must not get the same one, and
    /// a container that was made and not started holds none yet.
    private let recent = Mutex<[Int]>([])

    static let range = 20_000...32_767
    private static let memory = 1024
    private static let attempts = 400

    init(_ settings: DockerSettings) { self.settings = settings }

    /// Assigns a port to everything that is wanted.
    ///
    /// - Parameters:
    ///   - kept: ports outside by `PortMapping.key` of the port inside, to be used where they are
    ///     free.
    ///   - taken: ports outside that are known not to be free.
    /// - Throws: An instance error where no free port was found.
    func assign(
        _ wanted: [WantedPort], kept: [Int: Int], taken: Set<Int>
    ) throws(ProviderFailure) -> [PortAssignment] {
        var taken = taken.union(wanted.compactMap(\.fixed))
        var result: [PortAssignment] = []
        for port in wanted {
            if let fixed = port.fixed {
                result.append(
                    PortAssignment(
                        inside: port.inside, outside: fixed, isFixed: true, address: port.address))
                continue
            }
            let outside = try choose(port, kept: kept[port.inside.key], taken: taken)
            taken.insert(outside)
            result.append(
                PortAssignment(
                    inside: port.inside, outside: outside, isFixed: false, address: port.address))
        }
        return result
    }

    private func choose(
        _ port: WantedPort, kept: Int?, taken: Set<Int>
    ) throws(ProviderFailure) -> Int {
        let inside = port.inside
        if let kept, !taken.contains(kept), isFree(kept, port) { return kept }
        for _ in 0..<Self.attempts {
            let candidate = Int.random(in: Self.range)
            guard !taken.contains(candidate), isFree(candidate, port), claim(candidate)
            else { continue }
            return candidate
        }
        throw .instance(
            .portTaken,
            "no free port between \(Self.range.lowerBound) and \(Self.range.upperBound) was found "
                + "for port \(inside.text); free some, or fix one with network.ports[].external",
            isRetryable: true)
    }

    /// Takes a port for this caller; false where another one took it just now.
    private func claim(_ port: Int) -> Bool {
        recent.withLock { recent in
            guard !recent.contains(port) else { return false }
            recent.append(port)
            if recent.count > Self.memory { recent.removeFirst() }
            return true
        }
    }

    /// Whether nothing listens on a port. Of another machine nothing is known: the Engine says.
    private func isFree(_ port: Int, _ wanted: WantedPort) -> Bool {
        guard settings.isLocal else { return true }
        let kind = wanted.inside.kind
        let type = kind == "udp" ? SOCK_DGRAM : SOCK_STREAM
        let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        if kind != "udp" {
            // As the Engine's proxy does: a port in TIME_WAIT is free.
            var yes: Int32 = 1
            setsockopt(
                descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        inet_pton(AF_INET, wanted.address ?? settings.publishAddress, &address.sin_addr)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                // An address of another machine, whose Engine's socket was forwarded to here.
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                    || errno == EADDRNOTAVAIL
            }
        }
    }
}
