import DockerProvider
import FlyEmulation
import FlyProvider
import Foundation
import Logging
import PalModel
import PalProvider
import TestSupport
import Testing

/// The one suite, against every real provider.
@Suite("Conformance", .timeLimit(.minutes(10)))
struct ConformanceTests {
    @Test func process() async throws {
        try await Scene.play { scene in
            var template = InstanceConfig(name: "verify")
            template.provider = "process"
            template.editor = .custom
            template.command = ["sh", "-c", "exec busybox httpd -f -p 127.0.0.1:$PORT -h /"]
            template.network.port = Scene.port(scene.swarm)
            template.health.path = "/etc/hostname"
            try await check(try scene.processProvider(), scene.swarm, template)
        }
    }

    @Test(.needsDockerEngine) func docker() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            let provider = try DockerProviderClass().makeProvider(
                ProviderSettings(
                    type: "docker", name: "docker", swarm: scene.swarm,
                    dataDirectory: scene.root), logger: Logger(label: "conformance"))
            var template = InstanceConfig(name: "verify")
            template.image = BusyboxImage.name
            template.specific = ["network": .string("bridge")]
            template.env = ["HOME": "/home/coder"]
            try await check(provider, scene.swarm, template)
        }
    }

    @Test(.needsPodman) func podman() async throws {
        try await Podman.ensureImage()
        try await Scene.play { scene in
            let provider = try DockerProviderClass().makeProvider(
                ProviderSettings(
                    type: "docker", name: "docker", swarm: scene.swarm, dataDirectory: scene.root,
                    specific: ["socketPath": .string(Podman.socketPath)]),
                logger: Logger(label: "conformance"))
            try await provider.initialize()
            var template = InstanceConfig(name: "verify")
            template.image = Podman.image
            template.env = ["HOME": "/home/coder"]
            try await check(provider, scene.swarm, template)
        }
    }

    @Test func fly() async throws {
        var options = FlyEmulation.Options()
        options.openAPI = ProcessInfo.processInfo.environment["PAL_FLY_OPENAPI"]
        let clock = ScaledClock(factor: 10)
        let fly = try FlyEmulation(options, clock: clock)
        try await fly.start()
        try await Scene.play { scene in
            let provider = try FlyProviderClass(clock: clock).makeProvider(
                ProviderSettings(
                    type: "fly", name: "fly", region: "fra", swarm: scene.swarm,
                    dataDirectory: scene.root,
                    environment: [
                        "FLY_API_TOKEN": options.token, "FLY_FLAPS_BASE_URL": fly.origin,
                        "FLY_API_BASE_URL": fly.origin,
                    ]), logger: Logger(label: "conformance"))
            var template = InstanceConfig(name: "verify")
            template.image = "registry.example.org/editor:1"
            template.editor = .custom
            template.network.port = 8080
            template.health.path = "/ok"
            template.env = ["HOME": "/home/coder"]
            try await check(provider, scene.swarm, template)
        }
        await fly.stop()
        #expect(fly.mismatches.isEmpty, "not as the OpenAPI document has it")
    }

    @Test(.needsDockerEngine) func theCommandRunsTheSameSuite() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            let run = try await scene.pal(
                "providers", "verify", "docker", "--image", BusyboxImage.name, "--health-path",
                "/healthz")
            #expect(run.code == 0, "\(run)")
            #expect(run.out.contains("checks passed"))
        }
    }

    private func check(
        _ provider: any Provider, _ swarm: String, _ template: InstanceConfig
    ) async throws {
        let suite = ConformanceSuite(provider: provider, swarm: swarm, template: template)
        let results = await suite.run()
        await provider.shutdown()
        #expect(results.count == suite.checks.count)
        for result in results where result.problem != nil {
            Issue.record("\(result.check): \(result.problem ?? "")")
        }
    }
}
