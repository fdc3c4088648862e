import PalModel
import PalProvider
import Testing

@testable import DockerProvider

@Suite("What of others' containers is not carried over")
struct ForeignRemarkTests {
    private let image = Value.map(["Config": .map(["Env": .strings(["A=1"])])])

    private func described(
        _ host: [String: Value], image: Value, isPodman: Bool = false
    ) throws -> ForeignInstance {
        let container = Value.map([
            "Id": .string("1"), "Name": .string("/ide"),
            "Config": .map(["Image": .string("x"), "Env": .strings(["A=1"])]),
            "HostConfig": .map(host),
        ])
        let foreign = ForeignContainer(
            container: container, image: image,
            defaults: EngineDefaults(.null, isPodman: isPodman),
            policy: try dockerSettings().policy, networkNames: [:])
        return try #require(foreign.instance)
    }

    @Test(
        "annotations are said, but for those that Podman writes itself", arguments: [false, true])
    func annotations(isPodman: Bool) throws {
        let host = ["Annotations": Value.texts(["team": "a"])]
        let remarks = try described(host, image: image, isPodman: isPodman).remarks
        #expect(remarks.contains { $0.contains("Annotations") } == !isPodman, "\(remarks)")
    }

    /// All that the image gave went into the spec without a word.
    @Test("an image that is gone is said", arguments: [Value.null, .map(["Config": .null])])
    func goneImage(gone: Value) throws {
        let isSaid = { (one: ForeignInstance) in one.remarks.contains { $0.contains("is gone") } }
        let one = try described([:], image: gone)
        #expect(isSaid(one) && one.environment == ["A": "1"])
        let other = try described([:], image: image)
        #expect(!isSaid(other) && other.environment.isEmpty)
    }

    /// The spec named a network that there is none of.
    @Test("what Podman has instead of networks is none", arguments: ["pasta", "slirp4netns:a=b"])
    func modes(mode: String) throws {
        let one = try described(["NetworkMode": .string(mode)], image: image, isPodman: true)
        #expect(one.config.specific?["network"] == nil)
        #expect(one.remarks.contains { $0.contains("'\(mode)'") }, "\(one.remarks)")
    }
}
