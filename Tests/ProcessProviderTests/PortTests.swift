import Glibc
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct PortTests {
    @Test func aPortThatIsInUseIsRefused() async throws {
        try await Bench.run { bench in
            let listener = try Listener()
            var config = InstanceConfig(name: "alice")
            config.command = ["sleep", "1000"]
            config.network.port = listener.port
            let request = CreateRequest(config: config, ownership: bench.owner("alice"))
            let message = await failure(.portTaken) { () async throws(ProviderFailure) in
                try await bench.provider.createInstance(request)
            }
            #expect(message?.contains("\(listener.port)") == true)
            #expect(try await bench.provider.listInstances(.all).isEmpty)
            try await listener.end()
            let made = try await bench.provider.createInstance(request)
            #expect(made.network.port == listener.port)
        }
    }

    @Test func aPortThatAnotherInstanceDeclaresIsRefused() async throws {
        try await Bench.run { bench in
            try await bench.create("alice", starts: false) { $0.network.port = 46_011 }
            var config = InstanceConfig(name: "bob")
            config.command = ["sleep", "1000"]
            config.network.ports = [PortMapping(internal: 46_011)]
            let request = CreateRequest(config: config, ownership: bench.owner("bob"))
            let message = await failure(.portTaken) { () async throws(ProviderFailure) in
                try await bench.provider.createInstance(request)
            }
            #expect(message?.contains("'alice'") == true)
        }
    }

    @Test func aStartLooksAgain() async throws {
        try await Bench.run { bench in
            let listener = try Listener()
            let made = try await bench.create("alice", starts: false) {
                $0.network.port = listener.port
            }
            _ = await failure(.portTaken) { () async throws(ProviderFailure) in
                try await bench.provider.startInstance(made.reference)
            }
            // Another test's fork may hold a copy of the instance's lock until its exec.
            var status = try await bench.get(made).status
            for _ in 0..<500 where status != .stopped {
                try await Task.sleep(for: .milliseconds(10))
                status = try await bench.get(made).status
            }
            #expect(status == .stopped)
            try await listener.end()
            try await bench.provider.startInstance(made.reference)
        }
    }

    @Test func aCommandWithAPortIsReadyWhenItListens() async throws {
        try await Bench.run { bench in
            let listener = try Listener()
            let port = listener.port
            try await listener.end()
            let script = "read go < go; exec busybox httpd -f -p 127.0.0.1:$PORT"
            #expect(mkfifo("\(bench.directory)/go", 0o600) == 0)
            let made = try await bench.create("alice", script) {
                $0.workspacePath = bench.directory
                $0.network.port = port
            }
            #expect(made.readiness != .ready)
            let pipe = open("\(bench.directory)/go", O_WRONLY)
            _ = write(pipe, "go\n", 3)
            close(pipe)
            var readiness = made.readiness
            while !readiness.isReady {
                try await Task.sleep(for: .milliseconds(5))
                readiness = try await bench.get(made).readiness
            }
        }
    }

    @Test func otherPortsOutsideAreRefused() async throws {
        try await Bench.run { bench in
            var config = InstanceConfig(name: "alice")
            config.command = ["true"]
            config.network.ports = [PortMapping(internal: 80, external: 8080)]
            let problems = bench.provider.validateInstanceConfig(config)
            #expect(problems.map(\.path) == ["network.ports"])
            config.network.ports = [PortMapping(internal: 8080, external: 8080)]
            #expect(bench.provider.validateInstanceConfig(config).isEmpty)
        }
    }
}

/// A socket that listens on a port of its own, or on a certain one.
final class Listener: Sendable {
    let port: Int
    private let descriptor: CInt

    init(port wanted: Int = 0) throws {
        let descriptor = socket(
            AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        self.descriptor = descriptor
        var yes: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        var address = sockaddr_in()
        address.sin_port = in_port_t(truncatingIfNeeded: wanted).bigEndian
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutableBytes(of: &address) { bytes in
            let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            guard bind(descriptor, pointer, size) == 0, listen(descriptor, 8) == 0,
                let pointer
            else { return false }
            return getsockname(descriptor, pointer, &size) == 0
        }
        try #require(bound)
        port = Int(in_port_t(bigEndian: address.sin_port))
    }

    /// Returns when the port is free: a process that is being forked by another test at this moment
    /// has a copy of the descriptor until its exec.
    func end() async throws {
        close(descriptor)
        while try !Port(number: port).isFree() { try await Task.sleep(for: .milliseconds(1)) }
    }
}
