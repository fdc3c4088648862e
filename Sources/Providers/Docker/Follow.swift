internal import FoundationEssentials
public import PalModel
public import PalProvider
import Synchronization

extension DockerProvider: FollowingProvider {
    /// Where `specific.followTag` is true, the image has a tag, and pal may pull.
    public func looksForNewer(_ config: InstanceConfig) -> Bool {
        let specifics = Specifics(config)
        return specifics.followTag && specifics.pull != .never
            && ImageReference(CreateBody.image(config)).canMove
    }

    /// Asks the registry through the Engine, every five minutes at most for each image, and pulls
    /// what is newer: that moves the tag here.
    /// - Throws: As a pull does.
    public func fetchNewer(
        _ config: InstanceConfig, progress: @escaping ProgressHandler
    ) async throws(ProviderFailure) {
        let image = CreateBody.image(config)
        guard registryLooks.begin(image) else { return }
        do throws(ProviderFailure) {
            try await fetchNewer(image, config, progress)
        } catch {
            // An Engine that went away in the middle asked nobody to the end.
            if error.error?.kind == .connection || error.error?.code == .pullBrokeOff {
                registryLooks.forget(image)
            }
            throw error
        }
    }

    private func fetchNewer(
        _ image: String, _ config: InstanceConfig, _ progress: @escaping ProgressHandler
    ) async throws(ProviderFailure) {
        guard let here = try await inspectImage(image) else { return }
        // Podman has no call for that; its pull fetches nothing where nothing is newer.
        if engine.isPodman {
            let news = Mutex<Progress?>(nil)
            let pulled = try await pull(image, for: config) { progress in
                if progress.reason == "Pulled" { news.withLock { $0 = progress } }
            }
            if !here.isSame(as: pulled.id), let news = news.withLock({ $0 }) {
                await progress(news)
            }
            return
        }
        let newest = try await registryEntry(ImageReference(image)).digest
        guard !(here.digests ?? []).contains(where: { $0.hasSuffix("@" + newest) }) else { return }
        try await pull(image, for: config, progress)
    }

    /// What the registry has under a name, as the Engine hears it there.
    func registryEntry(
        _ reference: ImageReference
    ) async throws(ProviderFailure) -> RegistryEntry {
        let name = reference.name + (reference.digest.map { "@\($0)" } ?? ":\(reference.wanted)")
        var call = EngineCall("GET", "/distribution/\(name.encodedPath)/json")
        let login = try await credentials.header(for: reference.registry)
        if let login { call.headers = [("X-Registry-Auth", login)] }
        let answer = try await engine.send(call)
        guard answer.isSuccess else {
            throw PullFailure(image: reference, hasCredentials: login != nil)
                .failure(answer.message)
        }
        return try answer.decoded(as: Distribution.self).descriptor
    }
}

/// `GET /distribution/{name}/json`: only what the provider reads.
private struct Distribution: Decodable {
    var descriptor: RegistryEntry

    private enum CodingKeys: String, CodingKey { case descriptor = "Descriptor" }
}

/// What a name stands for at a registry.
struct RegistryEntry: Decodable, Sendable, Hashable {
    var digest: String
    var mediaType: String?

    /// Whether it is a list of images, for platforms of which it names each; what is not known
    /// counts as one.
    var isIndex: Bool {
        mediaType.map { $0.contains(".index.") || $0.contains(".manifest.list.") } ?? true
    }
}

/// When each image was last asked for at its registry.
final class RegistryLooks: Sendable {
    private static let pause = Duration.seconds(300)

    private let last = Mutex<[String: ContinuousClock.Instant]>([:])

    /// Whether the registry may be asked now; then it counts as asked.
    func begin(_ image: String, now: ContinuousClock.Instant = .now) -> Bool {
        last.withLock { last in
            last = last.filter { now - $0.value < Self.pause }
            guard last[image] == nil else { return false }
            last[image] = now
            return true
        }
    }

    /// Lets the registry be asked again.
    func forget(_ image: String) { last.withLock { $0[image] = nil } }
}
