import PalModel
import PalProvider
import Synchronization

/// A port of a machine and where the app's addresses pass it on.
struct FlyPort: Sendable, Hashable {
    var inside: Int
    var outside: Int
    var isUDP = false

    /// The ports of a machine's services.
    static func all(_ config: Value?) -> [FlyPort] {
        guard case .list(let services)? = config?["services"] else { return [] }
        return services.flatMap { service -> [FlyPort] in
            guard let inside = service["internal_port"].flatMap({ Int($0) }),
                case .list(let ports)? = service["ports"]
            else { return [] }
            let isUDP = service["protocol"] == .string("udp")
            return ports.compactMap { port in
                port["port"].flatMap { Int($0) }.map {
                    FlyPort(inside: inside, outside: $0, isUDP: isUDP)
                }
            }
        }
    }
}

/// Which ports of the app's addresses are whose.
///
/// Fly.io lets two machines have one port, and spreads over both what comes in: for editors that
/// would mix two people's work. So pal gives each port to one instance.
final class PortBook: Sendable {
    private struct Pages {
        /// The ports of each machine, as of the last list; nil before the first.
        var standing: [String: (name: String, ports: Set<Int>)]?
        /// Ports that were chosen for machines that are being made, by instance.
        var chosen: [String: Set<Int>] = [:]
    }

    private let pages = Mutex(Pages())

    static let range = 20_000...32_767

    /// Takes what a list shows.
    func replace(_ machines: [Machine]) {
        let standing = machines.map {
            ($0.id, (name: $0.metadata["pal_name"] ?? "", ports: Set(outside($0))))
        }
        pages.withLock { $0.standing = Dictionary(standing) { first, _ in first } }
    }

    private func outside(_ machine: Machine) -> [Int] {
        FlyPort.all(machine.config).map(\.outside)
    }

    /// Whether nothing was listed yet.
    var isBlank: Bool { pages.withLock { $0.standing == nil } }

    /// Chooses the ports outside for an instance: the fixed ones, then those that it had, then free
    /// ones. They are its own until `release`.
    /// - Throws: An instance error `PortTaken` for a fixed port that another instance has.
    func assign(
        _ config: InstanceConfig, editorPort: Int?, kept: [Int: Int]
    ) throws(ProviderFailure) -> [FlyPort] {
        let name = config.name
        var wanted = editorPort.map { [PortMapping(internal: $0)] } ?? []
        for port in config.network.ports ?? [] {
            wanted.removeAll { $0.internal == port.internal && $0.protocol == port.protocol }
            wanted.append(port)
        }
        let first = editorPort
        wanted.sort { $0.internal == first && $1.internal != first }
        return try pages.withLock { pages throws(ProviderFailure) in
            var taken = Self.taken(pages, besides: name)
            var result: [FlyPort] = []
            for port in wanted {
                let outside = try Self.choose(port, kept[port.internal], taken, name)
                taken[outside] = name
                result.append(
                    FlyPort(
                        inside: port.internal, outside: outside, isUDP: port.protocol == "udp"))
            }
            pages.chosen[name] = Set(result.map(\.outside))
            return result
        }
    }

    /// The machine was made, or was not: a list says from here on which ports it has.
    func release(_ name: String, made machine: Machine? = nil) {
        let ports = machine.map { Set(outside($0)) }
        pages.withLock { pages in
            pages.chosen[name] = nil
            if let machine, let ports { pages.standing?[machine.id] = (name, ports) }
        }
    }

    private static func taken(_ pages: Pages, besides name: String) -> [Int: String] {
        var taken: [Int: String] = [:]
        for entry in (pages.standing ?? [:]).values where entry.name != name {
            for port in entry.ports { taken[port] = entry.name }
        }
        for (other, ports) in pages.chosen where other != name {
            for port in ports { taken[port] = other }
        }
        return taken
    }

    private static func choose(
        _ port: PortMapping, _ kept: Int?, _ taken: [Int: String], _ name: String
    ) throws(ProviderFailure) -> Int {
        if let fixed = port.external {
            guard let holder = taken[fixed] else { return fixed }
            throw .instance(
                .portTaken,
                "'\(name)' wants port \(fixed), which "
                    + (holder.isEmpty ? "a machine of somebody else's" : "'\(holder)'")
                    + " has in the same app; Fly.io would mix the two. Take another port, or put "
                    + "one of them into an app of its own", isRetryable: true)
        }
        if let kept, taken[kept] == nil { return kept }
        guard let free = range.lazy.shuffled().first(where: { taken[$0] == nil }) else {
            throw .instance(
                .portTaken,
                "no port between \(range.lowerBound) and \(range.upperBound) is free in the app",
                isRetryable: true)
        }
        return free
    }
}
