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
    /// A port of the app's addresses.
    private struct Outside: Hashable {
        var port: Int
        var isUDP: Bool

        init(_ port: FlyPort) { (self.port, isUDP) = (port.outside, port.isUDP) }
        init(_ port: Int, isUDP: Bool) { (self.port, self.isUDP) = (port, isUDP) }
    }

    /// Ports, and the instance that has them; empty for a stranger's.
    private struct Holding {
        var name: String
        var ports: Set<Outside>
        /// The machine that was made with them; nil while it is being made.
        var machine: String?
    }

    private struct Pages {
        /// The ports of each machine, as of the last list; nil before the first.
        var standing: [String: Holding]?
        /// Ports that were chosen and that no list has shown yet, by instance.
        var chosen: [String: Holding] = [:]
    }

    private let pages = Mutex(Pages())

    static let range = 20_000...32_767

    /// Takes what a list shows.
    ///
    /// - Parameter name: The provider's own instance that a machine is; nil for a stranger.
    func replace(_ machines: [Machine], _ name: (Machine) -> String?) {
        let standing = machines.map { machine in
            (
                machine.id,
                Holding(
                    name: name(machine) ?? "",
                    ports: Set(FlyPort.all(machine.config).map(Outside.init)), machine: machine.id)
            )
        }
        pages.withLock { pages in
            let listed = Dictionary(standing) { first, _ in first }
            pages.standing = listed
            // A list may be older than what was made since.
            pages.chosen = pages.chosen.filter { entry in
                entry.value.machine.map { listed[$0] == nil } ?? true
            }
        }
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
            wanted.removeAll {
                $0.internal == port.internal && ($0.protocol ?? "tcp") == (port.protocol ?? "tcp")
            }
            wanted.append(port)
        }
        let first = editorPort
        wanted.sort { $0.internal == first && $1.internal != first }
        return try pages.withLock { pages throws(ProviderFailure) in
            var taken = Self.taken(pages, besides: name)
            var result: [FlyPort] = []
            for port in wanted {
                let isUDP = port.protocol == "udp"
                let outside = try Self.choose(port, kept[port.key], taken, name)
                taken[Outside(outside, isUDP: isUDP)] = name
                result.append(FlyPort(inside: port.internal, outside: outside, isUDP: isUDP))
            }
            pages.chosen[name] = Holding(name: name, ports: Set(result.map(Outside.init)))
            return result
        }
    }

    /// The machine was made, or was not.
    func release(_ name: String, made machine: Machine? = nil) {
        pages.withLock { pages in
            if let machine {
                pages.chosen[name]?.machine = machine.id
            } else {
                pages.chosen[name] = nil
            }
        }
    }

    private static func taken(_ pages: Pages, besides name: String) -> [Outside: String] {
        var taken: [Outside: String] = [:]
        let all = Array((pages.standing ?? [:]).values) + Array(pages.chosen.values)
        for holding in all where holding.name != name {
            for port in holding.ports { taken[port] = holding.name }
        }
        return taken
    }

    private static func choose(
        _ port: PortMapping, _ kept: Int?, _ taken: [Outside: String], _ name: String
    ) throws(ProviderFailure) -> Int {
        let isUDP = port.protocol == "udp"
        func holder(_ number: Int) -> String? { taken[Outside(number, isUDP: isUDP)] }
        if let fixed = port.external {
            guard let holder = holder(fixed) else { return fixed }
            throw .instance(
                .portTaken,
                "'\(name)' wants port \(fixed), which "
                    + (holder.isEmpty ? "a machine of somebody else's" : "'\(holder)'")
                    + " has in the same app; Fly.io would mix the two. Take another port, or put "
                    + "one of them into an app of its own", isRetryable: true)
        }
        if let kept, holder(kept) == nil { return kept }
        guard let free = range.lazy.shuffled().first(where: { holder($0) == nil }) else {
            throw .instance(
                .portTaken,
                "no port between \(range.lowerBound) and \(range.upperBound) is free in the app",
                isRetryable: true)
        }
        return free
    }
}
