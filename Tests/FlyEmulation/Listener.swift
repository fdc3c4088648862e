import Glibc

/// The socket that FlyingFox listens on, which it keeps to itself.
enum Listener {
    /// Head and body of an answer are sent apart. Without this the second waits for the client to
    /// confirm the first, 40 ms. Connections inherit it.
    static func sendAtOnce(port: UInt16) {
        for descriptor in Int32(3)..<4096 where listens(descriptor, on: port) {
            var (yes, size) = (Int32(1), socklen_t(MemoryLayout<Int32>.size))
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, size)
        }
    }

    private static func listens(_ descriptor: Int32, on port: UInt16) -> Bool {
        var (listens, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens == 1
        else { return false }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        return found == 0 && address.sin_family == AF_INET && address.sin_port.byteSwapped == port
    }
}
