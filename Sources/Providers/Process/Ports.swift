import Glibc
import PalFiles
import PalModel
import PalProvider

/// A port of this machine.
struct Port: Sendable, Hashable, Comparable, CustomStringConvertible {
    var number: Int
    var isUDP = false

    var description: String { "\(number)/\(isUDP ? "udp" : "tcp")" }

    static func < (a: Port, b: Port) -> Bool {
        (a.number, a.isUDP ? 1 : 0) < (b.number, b.isUDP ? 1 : 0)
    }

    /// Whether the user may listen on the port, and nobody does on any address.
    ///
    /// - Throws: The system's reason where it is another one than a listener.
    func isFree() throws(SystemError) -> Bool {
        for family in [AF_INET6, AF_INET] {
            let code = tryToBind(family)
            switch code {
            case 0: continue
            case EADDRINUSE: return false
            // A machine without that kind of addresses.
            case EAFNOSUPPORT, EADDRNOTAVAIL, EPROTONOSUPPORT: continue
            default: throw SystemError("listen on", "port \(self)", code: code)
            }
        }
        return true
    }

    /// 0, or the error's number.
    private func tryToBind(_ family: CInt) -> CInt {
        let kind = isUDP ? SOCK_DGRAM : SOCK_STREAM
        let descriptor = socket(family, CInt(kind.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var yes: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        // Connections that have just ended are in nobody's way; for UDP it would hide a listener.
        if !isUDP { setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size) }
        let inOrder = in_port_t(truncatingIfNeeded: number).bigEndian
        if family == AF_INET6 {
            // The other family is asked for itself.
            setsockopt(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &yes, size)
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = inOrder
            return Self.bind(descriptor, &address)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = inOrder
        return Self.bind(descriptor, &address)
    }

    private static func bind<Address>(_ descriptor: CInt, _ address: inout Address) -> CInt {
        let result = withUnsafeBytes(of: &address) { bytes in
            Glibc.bind(
                descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(bytes.count))
        }
        return result == 0 ? 0 : errno
    }
}

/// Who has which port: declared by an instance of this provider, or in use by anything else.
struct PortBook: Sendable {
    /// The ports of the other instances, with the names of these.
    let declared: [Port: String]

    /// - Parameter owner: the instance whose own ports do not count.
    init(_ entries: [RecordStore.Entry], except owner: String?) {
        var declared: [Port: String] = [:]
        for record in entries.map(\.record) where record.providerInstanceId != owner {
            for port in record.ports { declared[port] = record.ownership.name }
        }
        self.declared = declared
    }

    /// The port of an instance: what its config fixes, else what it had, else the first free one.
    func choose(
        _ config: InstanceConfig, kept: [Int]
    ) throws(ProviderFailure) -> Int? {
        switch EditorProfile.declaredPort(config) {
        case .none: return nil
        case .fixed(let port): return port
        case .from(let first):
            for number in kept + Array(first...min(first + 1000, 65_535)) {
                let port = Port(number: number)
                if declared[port] == nil, (try? port.isFree()) == true { return number }
            }
            throw .instance(
                .portTaken, "no port from \(first) to \(first + 1000) is free; set network.port",
                isRetryable: true)
        }
    }

    /// - Parameter inUse: whether a listener of another process counts too: not while the instance
    ///   itself runs.
    /// - Throws: `PortTaken` for the first port that somebody else has.
    func check(_ ports: Set<Port>, of name: String, inUse: Bool) throws(ProviderFailure) {
        for port in ports.sorted() {
            if let other = declared[port] {
                throw .instance(
                    .portTaken,
                    "port \(port) of '\(name)' is declared by '\(other)' too; give one of them "
                        + "another network.port", isRetryable: true)
            }
            guard inUse else { continue }
            let isFree: Bool
            do { isFree = try port.isFree() } catch { throw .system(error) }
            guard isFree else {
                throw .instance(
                    .portTaken,
                    "port \(port) of '\(name)' is in use by another process of this machine; end "
                        + "that process (find it with 'ss -lntup') or change network.port",
                    isRetryable: true)
            }
        }
    }
}
