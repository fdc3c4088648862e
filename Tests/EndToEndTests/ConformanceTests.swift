import DockerProvider
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
