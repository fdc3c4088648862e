import Foundation
import Logging
import PalModel
import PalProvider
import Testing

@testable import DockerProvider

@Suite("Names of images")
struct ImageReferenceTests {
    @Test(
        "are told apart into registry, name, tag and digest",
        arguments: [
            ("alpine", "docker.io", "alpine", "latest"),
            ("team/tool:2", "docker.io", "team/tool", "2"),
            ("docker.io/team/tool", "docker.io", "docker.io/team/tool", "latest"),
            ("index.docker.io/a/b", "docker.io", "index.docker.io/a/b", "latest"),
            ("localhost/a:1", "localhost", "localhost/a", "1"),
            ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "127.0.0.1:5000/a/b", "latest"),
            ("r.example/a:1@sha256:ab", "r.example", "r.example/a", "sha256:ab"),
            ("r:5000/a@sha256:ab", "r:5000", "r:5000/a", "sha256:ab"),
        ])
    func parts(text: String, registry: String, name: String, wanted: String) {
        let reference = ImageReference(text)
        #expect(reference.registry == registry)
        #expect(reference.name == name)
        #expect(reference.wanted == wanted)
        #expect(reference.canMove == !text.contains("@"))
        #expect(!reference.isID)
    }

    @Test("an id is no name")
    func ids() {
        let digits = String(repeating: "0a", count: 32)
        #expect(ImageReference(digits).isID)
        #expect(ImageReference("sha256:" + digits).isID)
        #expect(!ImageReference("sha256:" + digits.dropLast()).isID)
        #expect(!ImageReference("sha256:" + digits).canMove)
    }
}

@Suite("How far a pull is")
struct PullProgressTests {
    private func line(_ text: String) throws -> PullLine {
        try #require(PullLine(Array(text.utf8)))
    }

    private func layer(_ id: String, _ status: String, _ detail: String = "") throws -> PullLine {
        try line(#"{"status":"\#(status)","id":"\#(id)","progressDetail":{\#(detail)}}"#)
    }

    @Test("is added up by size, and never goes back")
    func fractions() throws {
        var progress = PullProgress()
        #expect(progress.amount == nil)
        progress.take(try line(#"{"status":"Pulling from a","id":"latest"}"#))
        progress.take(try layer("a", "Pulling fs layer"))
        progress.take(try layer("b", "Pulling fs layer"))
        #expect(progress.fraction == 0)
        progress.take(try layer("a", "Downloading", #""current":50000000,"total":100000000"#))
        #expect(progress.amount == "50 of 100 MB")
        #expect(abs(progress.fraction - 0.2) < 0.001)
        progress.take(try layer("b", "Downloading", #""current":100000,"total":300000000"#))
        #expect(progress.fraction >= 0.2)
        progress.take(try layer("a", "Download complete"))
        #expect(progress.amount == "100 of 400 MB")
        progress.take(try layer("a", "Extracting", #""current":1,"total":2"#))
        progress.take(try layer("a", "Pull complete"))
        progress.take(try layer("b", "Pull complete"))
        #expect(progress.fraction == 1)
    }

    @Test("is bounded in memory, whatever the Engine says")
    func bounded() throws {
        var progress = PullProgress()
        for number in 0..<1000 { progress.take(try layer("\(number)", "Already exists")) }
        progress.take(try layer("x", "Downloading", #""current":-5,"total":-1"#))
        #expect(progress.fraction == 1)
        #expect(PullLine(Array("no json".utf8)) == nil)
    }

    @Test("an error is one in both forms")
    func errors() throws {
        #expect(try line(#"{"errorDetail":{"message":"no"},"error":"no"}"#).problem == "no")
        #expect(try line(#"{"error":"old"}"#).problem == "old")
        #expect(try line(#"{"status":"ok"}"#).problem == nil)
    }
}

@Suite("Why a pull fails")
struct PullFailureTests {
    @Test(
        "is said so that somebody can act",
        arguments: [
            (
                "manifest for r:1/a not found: manifest unknown", "ImageMissing", false,
                "correct image"
            ),
            (
                "pull access denied for a, repository does not exist", "ImageMissing", false,
                "docker login"
            ),
            (
                "Head \"http://r:1/v2/\": no basic auth credentials", "ImageMissing", false,
                "docker login r:1"
            ),
            ("dial tcp: lookup r: no such host", "PullFailed", true, "cannot reach r:1"),
            ("net/http: TLS handshake timeout", "PullFailed", true, "cannot reach r:1"),
            ("write /x: no space left on device", "PullFailed", true, "docker system df"),
            (
                "toomanyrequests: You have reached your pull rate limit", "RateLimited", true,
                "docker login"
            ),
            ("no matching manifest for linux/arm64", "ImageMissing", false, "kind of machine"),
            (
                "http: server gave HTTP response to HTTPS client", "PullFailed", false,
                "insecure-registries"
            ),
            ("something new", "PullFailed", true, "something new"),
            // As Docker's store in containerd says it.
            (
                "failed to resolve reference \"r:1/a:1\": r:1/a:1: not found", "ImageMissing",
                false,
                "correct image"
            ),
            ("error from registry: denied\ndenied", "ImageMissing", false, "docker login r:1"),
            ("error from registry: Rate exceeded", "RateLimited", true, "docker login"),
            (
                "failed to extract layer sha256:1: failed to get reader from content store: "
                    + "content digest sha256:2: not found", "PullFailed", true, "own store"
            ),
            (
                "no matching manifest for linux/amd64 in the manifest list entries: failed to "
                    + "resolve reference \"r:1/platform-ui:1\": r:1/platform-ui:1: not found",
                "ImageMissing", false, "there is no image"
            ),
            (
                "server message: insufficient_scope: authorization failed", "ImageMissing", false,
                "docker login r:1"
            ),
        ])
    func kinds(said: String, code: String, isRetryable: Bool, says: String) {
        let failure = PullFailure(image: ImageReference("r:1/a"), hasCredentials: false)
            .failure(said)
        #expect(failure.error?.kind == .instance)
        #expect(failure.error?.code.rawValue == code)
        #expect(failure.error?.isRetryable == isRetryable)
        #expect(failure.description.contains(says))
    }

    /// The words of several Engines, of Docker's store in containerd, and of Podman.
    @Test(
        "names the platform that a spec asks for and the registry has not",
        arguments: [
            "no matching manifest for linux/s390x in the manifest list entries",
            "image with reference r:1/a was found but does not match the specified platform: "
                + "wanted linux/s390x, actual: linux/amd64",
            "no match for platform in manifest: not found",
            "no image found in image index for architecture \"s390x\", variant \"\", OS \"linux\"",
        ])
    func platform(said: String) {
        let failure = PullFailure(
            image: ImageReference("r:1/a"), platform: "linux/s390x", hasCredentials: false
        ).failure(said)
        #expect(failure.error?.code == .imageMissing)
        #expect(failure.description.contains("not for linux/s390x"), "\(failure)")
    }

    @Test("what is one image for one platform is no index")
    func index() throws {
        func isIndex(_ type: String) throws -> Bool {
            let text = #"{"digest": "sha256:1", "mediaType": "\#(type)"}"#
            return try JSONDecoder().decode(RegistryEntry.self, from: Data(text.utf8)).isIndex
        }
        #expect(try isIndex("application/vnd.oci.image.index.v1+json"))
        #expect(try isIndex("application/vnd.docker.distribution.manifest.list.v2+json"))
        #expect(try !isIndex("application/vnd.oci.image.manifest.v1+json"))
        #expect(try !isIndex("application/vnd.docker.distribution.manifest.v2+json"))
    }
}

@Suite("What only steers pal about images")
struct ImageKeyTests {
    private func provider() throws -> DockerProvider {
        DockerProvider(try dockerSettings(), logger: Logger(label: "test"))
    }

    @Test("is in no hash, and a change of it is no change of the instance")
    func hash() throws {
        let capabilities = try provider().getCapabilities()
        var plain = InstanceConfig(name: "alice")
        var steered = plain
        steered.specific = ["pull": .string("always"), "followTag": .bool(true)]
        #expect(capabilities.hash(of: steered) == capabilities.hash(of: plain))
        #expect(
            capabilities.hash(of: plain)
                == SpecHash(of: plain, fields: capabilities.hashedFields))
        plain.specific = ["home": .string("/root")]
        steered.specific?["home"] = .string("/root")
        #expect(capabilities.hash(of: steered) == capabilities.hash(of: plain))
        #expect(
            capabilities.hash(of: plain)
                == SpecHash(of: plain, fields: capabilities.hashedFields))
        steered.specific?["home"] = .string("/other")
        #expect(capabilities.hash(of: steered) != capabilities.hash(of: plain))
    }

    @Test("a change of specific replaces only where something else changes too")
    func classified() throws {
        func kind(_ from: [String: Value]?, _ to: [String: Value]?) throws -> ChangeClass {
            try provider().classify(
                FieldChange(
                    path: "specific", from: from.map { .map($0) }, to: to.map { .map($0) }))
        }
        #expect(try kind(nil, ["pull": .string("always")]) == .live)
        #expect(try kind(["followTag": .bool(true)], ["pull": .string("never")]) == .live)
        #expect(try kind(nil, ["user": .string("1")]) == .replace)
        #expect(
            try kind(["user": .string("1")], ["user": .string("1"), "pull": .string("never")])
                == .live)
    }

    @Test(
        "a value that means nothing is a problem",
        arguments: [
            ("pull", Value.string("alway"), "did you mean 'always'?"),
            ("pull", .bool(true), "missing, always or never"),
            ("followTag", .string("yes"), "true or false"),
        ])
    func problems(key: String, value: Value, says: String) throws {
        var config = InstanceConfig(name: "alice")
        config.specific = [key: value]
        let problems = try provider().validateInstanceConfig(config)
        #expect(problems.map(\.path) == ["specific.\(key)"])
        #expect(problems.first?.message.contains(says) == true)
    }
}
