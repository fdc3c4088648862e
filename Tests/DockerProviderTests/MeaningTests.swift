import FoundationEssentials
import Logging
import PalHTTP
import PalModel
import PalProvider
import Testing

@testable import DockerProvider

@Suite("What Docker's answers mean")
struct MeaningTests {
    @Test(
        "a missing answer is a connection error with a remedy",
        arguments: [
            (HTTPError.Kind.cannotConnect(.missingSocket), ProviderError.Code.unreachable, "start"),
            (.cannotConnect(.permissionDenied), .notPermitted, "group docker"),
            (.cannotConnect(.refused), .unreachable, "provider: process"),
            (.timedOut(sent: false), .timedOut, "in time"),
            (.broken(sent: false), .unreachable, "broke"),
        ])
    func connection(kind: HTTPError.Kind, code: ProviderError.Code, says: String) {
        let client = EngineClient(endpoint: .unixSocket(path: "/x.sock"))
        defer { client.http.shutdown() }
        let failure = client.failure(HTTPError(kind, message: "m"), changesSomething: true)
        #expect(failure.error?.kind == .connection)
        #expect(failure.error?.code == code)
        #expect(failure.description.contains(says))
        #expect(failure.description.contains("/x.sock"))
    }

    @Test("a lost answer is ambiguous only for a call that changes something")
    func ambiguous() {
        let client = EngineClient(endpoint: .unixSocket(path: "/x.sock"))
        defer { client.http.shutdown() }
        for kind in [HTTPError.Kind.timedOut(sent: true), .broken(sent: true), .tooLarge] {
            let error = HTTPError(kind, message: "m")
            #expect(client.failure(error, changesSomething: false).error?.kind == .connection)
            #expect(client.failure(error, changesSomething: true).error == nil)
        }
    }

    @Test("no Engine at all is said, with both remedies")
    func noEngine() async throws {
        let provider = DockerProvider(
            try dockerSettings(["socketPath": .string("/nonexistent/docker.sock")]),
            logger: Logger(label: "test"))
        let failure = try await failure { () throws(ProviderFailure) in
            try await provider.initialize()
        }
        #expect(failure.error?.code == .unreachable)
        #expect(failure.description.contains("/nonexistent/docker.sock"))
        #expect(failure.description.contains("systemctl start docker"))
        #expect(failure.description.contains("provider: process"))
        await provider.shutdown()
    }

    @Test("the version is the newest that both speak")
    func versions() throws {
        func settle(_ offer: String?) throws -> String {
            try APIVersion.settled(status: 200, offer: offer, at: "x").text
        }
        #expect(try settle("1.41") == "1.41")
        #expect(try settle("1.55") == "1.44")
        #expect(try settle("1.40") == "1.40")
        for wrong in ["1.39", "0.9", "x", nil] {
            #expect(throws: ProviderFailure.self) { try settle(wrong) }
        }
        #expect(try settle("2.0") == "1.44")
    }

    @Test("a port that is taken is read from the message")
    func takenPort() {
        let bind =
            "driver failed programming external connectivity on endpoint x (1f): "
            + "Bind for 127.0.0.1:8080 failed: port is already allocated"
        let listen =
            "Error starting userland proxy: listen tcp4 127.0.0.1:9000: "
            + "bind: address already in use"
        #expect(EngineMessage.takenPort(bind)?.port == 8080)
        #expect(EngineMessage.takenPort(listen)?.port == 9000)
        #expect(EngineMessage.takenPort("no such port") == nil)
    }

    @Test(
        "what Engines from 28 on say of the same is understood, too",
        arguments: [
            ("for 0.0.0.0:7148:172.18.0.2:8080/tcp", 7148), ("0.0.0.0:53/udp", 53),
            ("[::]:8443/tcp", 8443), ("for [::1]:8443:172.18.0.2:8080/tcp", 8443),
        ])
    func newerEngines(place: String, port: Int) {
        let setUp = "failed to set up container networking: "
        let driver = "driver failed programming external connectivity on endpoint x (1f): "
        let bind = "failed to bind host port \(place): address already in use"
        #expect(EngineMessage.takenPort(bind)?.port == port)
        #expect(EngineMessage.takenPort(setUp + driver + bind)?.port == port)
        #expect(EngineMessage.takenPort(setUp + "failed to bind host port 0.0.0.0:80/tcp") == nil)
        #expect(EngineMessage.missingNetwork(setUp + "network lsio not found") == "lsio")
        #expect(EngineMessage.missingNetwork("network lsio not found") == "lsio")
        let listen = setUp + "failed to listen on TCP socket: address already in use"
        #expect(EngineMessage.takenPort(listen) == EngineMessage.TakenPort(port: nil))
        let pasta =
            "pasta failed with exit code 1: Failed to bind port \(port) (Address already in use)"
        #expect(EngineMessage.takenPort(pasta)?.port == port)
        for said in [
            "all predefined address pools have been fully subnetted",
            "could not find free subnet from subnet pools",
            "could not find an available, non-overlapping IPv4 address pool among the defaults",
        ] { #expect(EngineMessage.isOutOfAddresses(said)) }
        for said in [
            "failed to discover GPU vendor from CDI: no known GPU vendor found",
            "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all",
        ] { #expect(EngineMessage.isGPUDriverMissing(said)) }
        let platform = "was found but does not provide the specified platform (linux/s390x)"
        #expect(EngineMessage.isOtherPlatform("image with reference a:1 \(platform)"))
        #expect(EngineMessage.missingNetwork("no such container: x") == nil)
        #expect(EngineMessage.isAddressTaken("Address already in use"))
        #expect(
            !EngineMessage.isAddressTaken(
                "failed to bind udp listener on 10.89.0.1:53: Address already in use (os error 98)")
        )
        #expect(EngineMessage.isDiskFull("mkdir /x: no space left on device"))
        #expect(!EngineMessage.isDiskFull("mkdir /sys/fs/cgroup/x: no space left on device"))
    }

    @Test(
        "what an image is made for is compared in Docker's words",
        arguments: [
            ("linux/amd64", ["linux", "amd64", nil], true),
            ("linux/x86_64", ["linux", "amd64", ""], true),
            ("Linux/AArch64", ["linux", "arm64", "v8"], true),
            ("linux/arm64", ["linux", "amd64", nil], false),
            ("linux/arm/v7", ["linux", "arm", "v6"], true),
            ("linux/arm/v6", ["linux", "arm", "v7"], false),
            ("linux/armhf", ["linux", "arm", "v7"], true),
            ("windows/amd64", ["linux", "amd64", nil], false),
            ("linux/amd64", [nil, nil, nil], true),
        ] as [(String, [String?], Bool)])
    func platforms(wanted: String, own: [String?], isIt: Bool) throws {
        let image = ImageDetail(
            id: "x", system: own[0], architecture: own[1], variant: own[2])
        #expect(image.isMade(for: wanted) == isIt)
        #expect(image.isMade(for: nil))
    }

    @Test("times are read as the Engine and Podman write them")
    func times() {
        #expect(
            Timestamp.date("2026-11-23T12:00:00Z") == Date(timeIntervalSince1970: 1_795_435_200))
        #expect(
            Timestamp.date("2026-11-23T13:30:00.5+01:30")
                == Date(timeIntervalSince1970: 1_795_435_200.5))
        #expect(
            Timestamp.date("2024-02-29T00:00:00Z") == Date(timeIntervalSince1970: 1_709_164_800))
        #expect(Timestamp.date("1969-12-31T23:59:59Z") == Date(timeIntervalSince1970: -1))
        #expect(Timestamp.date("0001-01-01T00:00:00Z") == nil)
        for wrong in ["", "2026", "2026-11-23 12:00:00Z", "2026-13-01T00:00:00Z", "x"] {
            #expect(Timestamp.date(wrong) == nil)
        }
        let date = Date(timeIntervalSince1970: 1_795_435_200.25)
        #expect(Timestamp.sinceParameter(date) == "1795435200.249999000")
    }

    @Test("a list's mark is what counts of its status")
    func marks() {
        func mark(_ state: String, _ status: String) -> String {
            ContainerSummary(id: "x", labels: nil, state: state, status: status).mark
        }
        #expect(mark("running", "Up 5 minutes") == mark("running", "Up 2 hours"))
        #expect(mark("running", "Up 5 minutes (healthy)") == mark("running", "Up 1 hour (healthy)"))
        #expect(
            mark("running", "Up 5 minutes (healthy)") != mark("running", "Up 5 minutes (unhealthy)")
        )
        #expect(mark("exited", "Exited (0) 1 hour ago") != mark("exited", "Exited (1) 1 hour ago"))
    }
}
