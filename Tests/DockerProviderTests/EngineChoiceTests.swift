import Foundation
import PalHTTP
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

/// A directory as the docker command keeps its configuration in.
struct DockerContextFiles {
    let directory: String

    init(_ directory: String) { self.directory = directory }

    func write(_ path: String, _ text: String) throws {
        let url = URL(filePath: "\(directory)/\(path)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: url, atomically: true, encoding: .utf8)
    }

    /// - Parameter certificates: A directory whose three files are copied; nil for none.
    func add(
        _ name: String, host: String, skipsCheck: Bool = false, certificates: String? = nil
    ) throws {
        let id = Digest.sha256(name)
        try write(
            "contexts/meta/\(id)/meta.json",
            """
            {"Name":"\(name)","Metadata":{},"Endpoints":{"docker":{"Host":"\(host)",\
            "SkipTLSVerify":\(skipsCheck)}}}
            """)
        guard let certificates else { return }
        for file in ["ca.pem", "cert.pem", "key.pem"] {
            try write(
                "contexts/tls/\(id)/docker/\(file)",
                String(contentsOfFile: "\(certificates)/\(file)", encoding: .utf8))
        }
    }
}

@Suite("Which Engine is meant")
struct EngineChoiceTests {
    private let scratch: Scratch
    private let files: DockerContextFiles
    private let variables: [String: String]

    init() throws {
        scratch = try Scratch()
        files = DockerContextFiles(scratch["docker"])
        variables = ["DOCKER_CONFIG": files.directory]
        try files.add("one", host: "unix:///one.sock")
        try files.add("two", host: "tcp://192.0.2.2:2376")
        try files.write("config.json", #"{"auths":{},"currentContext":"two"}"#)
    }

    private func endpoint(
        _ specific: [String: Value] = [:], _ more: [String: String] = [:]
    ) throws -> Endpoint {
        try dockerSettings(specific, environment: variables.merging(more) { $1 }).endpoint
    }

    @Test("the hash of a context's name is the docker command's")
    func hash() {
        // sha256sum of "desktop-linux", as Docker Desktop's directory is called.
        #expect(
            Digest.sha256("desktop-linux")
                == "fe9c6bd7a66301f49ca9b6a70b217107cd1284598bfc254700c989b916da791e")
    }

    @Test("the entry, DOCKER_HOST, DOCKER_CONTEXT, the current context: in this order")
    func order() throws {
        let two = Endpoint.origin("http://192.0.2.2:2376")
        let one = Endpoint.unixSocket(path: "/one.sock")
        let host = ["DOCKER_HOST": "unix:///host.sock"]
        let context = ["DOCKER_CONTEXT": "one"]
        #expect(try endpoint() == two)
        #expect(try endpoint([:], context) == one)
        #expect(
            try endpoint([:], context.merging(host) { $1 }) == .unixSocket(path: "/host.sock"))
        #expect(try endpoint(["context": .string("two")], host) == two)
        #expect(
            try endpoint(["host": .string("tcp://192.0.2.3")], host)
                == .origin("http://192.0.2.3:2375"))
        #expect(try endpoint([:], ["DOCKER_CONTEXT": ""]) == two)
    }

    @Test("the context default is no context")
    func standard() throws {
        let usual = Endpoint.unixSocket(path: "/var/run/docker.sock")
        #expect(try endpoint(["context": .string("default")]) == usual)
        #expect(try endpoint([:], ["DOCKER_CONTEXT": "default"]) == usual)
        let bare = try dockerSettings([:], environment: ["HOME": scratch["nobody"]])
        #expect(bare.endpoint == usual)
    }

    @Test("contexts are found below HOME where DOCKER_CONFIG is not set")
    func home() throws {
        let home = DockerContextFiles(scratch["home/.docker"])
        try home.add("x", host: "unix:///x.sock")
        try home.write("config.json", #"{"currentContext":"x"}"#)
        let settings = try dockerSettings([:], environment: ["HOME": scratch["home"]])
        #expect(settings.endpoint == .unixSocket(path: "/x.sock"))
    }

    @Test("a context brings its certificates, and whether the server's is checked")
    func certificates() throws {
        for file in ["ca.pem", "cert.pem", "key.pem"] { try files.write("pem/\(file)", "x") }
        try files.add(
            "safe", host: "tcp://192.0.2.4", certificates: files.directory + "/pem")
        try files.add("loose", host: "tcp://192.0.2.5:99", skipsCheck: true)
        let safe = try dockerSettings(["context": .string("safe")], environment: variables)
        #expect(safe.endpoint == .origin("https://192.0.2.4:2376"))
        let directory = "\(files.directory)/contexts/tls/\(Digest.sha256("safe"))/docker"
        #expect(
            safe.tls
                == TLSFiles(
                    authority: directory + "/ca.pem", certificate: directory + "/cert.pem",
                    key: directory + "/key.pem"))
        let loose = try dockerSettings(["context": .string("loose")], environment: variables)
        #expect(loose.endpoint == .origin("https://192.0.2.5:99"))
        #expect(loose.tls == TLSFiles(verifiesServer: false))
    }

    @Test("the variables about TLS go with DOCKER_HOST")
    func variablesOfTLS() throws {
        for file in ["ca.pem", "cert.pem", "key.pem"] { try files.write("pem/\(file)", "x") }
        let pem = files.directory + "/pem"
        var more = ["DOCKER_HOST": "tcp://192.0.2.6", "DOCKER_CERT_PATH": pem]
        #expect(try endpoint([:], more) == .origin("http://192.0.2.6:2375"))
        more["DOCKER_TLS"] = "1"
        let loose = try dockerSettings([:], environment: more)
        #expect(loose.endpoint == .origin("https://192.0.2.6:2376"))
        #expect(loose.tls?.verifiesServer == false)
        more["DOCKER_TLS_VERIFY"] = "1"
        let safe = try dockerSettings([:], environment: more)
        #expect(safe.tls?.verifiesServer == true)
        #expect(safe.tls?.key == pem + "/key.pem")
        let own = try dockerSettings(
            ["host": .string("tcp://192.0.2.7:1")], environment: more)
        #expect(own.tls == nil)
        more["DOCKER_HOST"] = "unix:///a.sock"
        #expect(try dockerSettings([:], environment: more).tls == nil)
    }

    @Test(
        "addresses are written as for the docker command",
        arguments: [
            ("tcp://192.0.2.1:80/", "http://192.0.2.1:80"), ("192.0.2.1:80", "http://192.0.2.1:80"),
            ("tcp://[::1]:80", "http://[::1]:80"),
            ("tcp://[2001:db8::1]", "http://[2001:db8::1]:2375"),
            ("tcp://", "http://localhost:2375"), ("https://e.example", "https://e.example:2376"),
        ])
    func addresses(text: String, origin: String) throws {
        #expect(try endpoint(["host": .string(text)]) == .origin(origin))
    }

    @Test(
        "what cannot be meant is a configuration error that says what to do",
        arguments: [
            (["host": .string("ssh://me@there")], [:], "ssh -N -L"),
            ([:], ["DOCKER_HOST": "ssh://me@there"], "specific.socketPath"),
            (["host": .string("npipe:////./pipe/x")], [:], "unix:///path or tcp://host:port"),
            (["host": .string("tcp://me:secret@there:1")], [:], "without a user"),
            (["host": .string("tcp://a"), "socketPath": .string("/b")], [:], "keep one"),
            (["certPath": .string("/x")], [:], "needs specific.host"),
            (["tlsVerify": .string("no")], [:], "true or false"),
            (
                ["host": .string("tcp://a"), "certPath": .string("/nonexistent")], [:],
                "/nonexistent/ca.pem"
            ),
            (["context": .string("three")], [:], "docker context ls"),
            ([:], ["DOCKER_CONTEXT": "three"], "DOCKER_CONTEXT names the context 'three'"),
            ([:], ["DOCKER_CONTEXT": "broken"], "not what docker writes"),
            ([:], ["DOCKER_CONTEXT": "swarm"], "has no Docker Engine"),
            ([:], ["DOCKER_CONTEXT": "far"], "the address of the context 'far' is an ssh://"),
        ] as [([String: Value], [String: String], String)])
    func refused(specific: [String: Value], more: [String: String], says: String) throws {
        try files.write("contexts/meta/\(Digest.sha256("broken"))/meta.json", "{")
        try files.write(
            "contexts/meta/\(Digest.sha256("swarm"))/meta.json",
            #"{"Name":"swarm","Endpoints":{"kubernetes":{}}}"#)
        try files.add("far", host: "ssh://me@far.example")
        let error = #expect(throws: ProviderFailure.self) { try endpoint(specific, more) }
        #expect(error?.error?.kind == .configuration)
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
        #expect(error?.description.contains("secret") == false)
    }
}
