internal import FoundationEssentials
import PalHTTP
import PalModel
import PalProvider
import Synchronization

extension DockerProvider {
    /// What a spec with `specific.pull: always` asks for before a creation, and one whose image is
    /// here for another platform: Podman would take that.
    func pullFirst(_ request: CreateRequest) async throws(ProviderFailure) {
        let image = CreateBody.image(request.config)
        let specifics = Specifics(request.config)
        if specifics.pull != .always {
            guard engine.isPodman, let here = try await inspectImage(image),
                !here.isMade(for: specifics.platform)
            else { return }
            guard specifics.pull != .never else { throw imageMissing(request.config) }
        }
        guard
            !pulls.takePrepared(
                pullKey(image, specifics.platform), for: request.config.name)
        else { return }
        try await pull(image, for: request.config, request.progress)
    }

    /// Makes a call that needs the image, and makes it again where it first had to be pulled.
    func pullingIfMissing(
        _ request: CreateRequest, _ call: () async throws(ProviderFailure) -> EngineAnswer
    ) async throws(ProviderFailure) -> EngineAnswer {
        let answer = try await call()
        guard EngineMessage.isImageMissing(answer), Specifics(request.config).pull != .never
        else { return answer }
        try await pull(CreateBody.image(request.config), for: request.config, request.progress)
        return try await call()
    }

    /// Makes sure of the image before a replacement takes the old instance away.
    func prepareImage(
        _ config: InstanceConfig, _ progress: @escaping ProgressHandler
    ) async throws(ProviderFailure) {
        let image = CreateBody.image(config)
        let policy = Specifics(config).pull
        let platform = Specifics(config).platform
        let here = policy == .always ? nil : try await inspectImage(image)
        if let here, ImageReference(image).isID || here.isMade(for: platform) { return }
        guard policy != .never else {
            // A store of several for each name may have it all the same.
            if here != nil, await !hasOneForEachName() { return }
            throw imageMissing(config)
        }
        try await pull(image, for: config, progress)
        pulls.prepared(pullKey(image, platform), for: config.name)
    }

    /// An image as the Engine has it under a name or an id; nil where there is none.
    func inspectImage(_ name: String) async throws(ProviderFailure) -> ImageDetail? {
        let answer = try await engine.send(EngineCall("GET", "/images/\(name.encodedPath)/json"))
        if answer.status == 404 { return nil }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "inspect the image \(name)", changesSomething: false)
        }
        return try answer.decoded(as: ImageDetail.self)
    }

    /// What tells one pull from another.
    private func pullKey(_ image: String, _ platform: String?) -> String {
        platform.map { "\(image) \($0)" } ?? image
    }

    /// Whether what the Engine shows of a name is all that it has of it, as far as it can be told.
    ///
    /// Its store in containerd shows the Engine's own platform first, unless the registry has one
    /// only: what is no index is pulled whatever platform is asked for.
    func showsAll(of reference: ImageReference) async -> Bool {
        if await hasOneForEachName() { return true }
        return (try? await registryEntry(reference))?.isIndex == false
    }

    /// Whether the Engine's store has one image for each name, and not one for each platform, as
    /// far as it can be told.
    private func hasOneForEachName() async -> Bool {
        if engine.isPodman { return true }
        guard let answer = try? await engine.send(EngineCall("GET", "/info")), answer.isSuccess,
            let info = try? answer.decoded(as: Value.self)
        else { return false }
        return info["DriverStatus"]?.canonicalJSON.contains("containerd.snapshotter") != true
    }

    /// Pulls an image. Whoever needs the same one meanwhile waits for the same pull.
    ///
    /// - Throws: Instance errors `ImageMissing`, `PullFailed`, `PullBrokeOff` and `RateLimited`;
    ///   connection errors where the Engine itself does not answer.
    @discardableResult
    func pull(
        _ image: String, for config: InstanceConfig? = nil,
        _ progress: @escaping ProgressHandler
    ) async throws(ProviderFailure) -> PulledImage {
        let platform = config.flatMap { Specifics($0).platform }
        let pulling = { @Sendable (progress: @escaping ProgressHandler) in
            Pulling(
                reference: ImageReference(image), platform: platform, provider: self,
                progress: progress)
        }
        let outcome = await pulls.pull(pullKey(image, platform), progress) { progress in
            await Result<PulledImage, ProviderFailure>.catching { () throws(ProviderFailure) in
                try await pulling(progress).run()
            }
        }
        return try outcome.get()
    }
}

/// One pull from its first byte to its last.
struct Pulling: Sendable {
    let reference: ImageReference
    /// Such as `linux/arm64`; the Engine's own where nil.
    let platform: String?
    let provider: DockerProvider
    let progress: ProgressHandler

    /// How long nothing may be heard. A registry's slow disk takes minutes.
    static let patience = Duration.seconds(600)
    static let patienceText = "10 minutes"

    private var engine: EngineClient { provider.engine }

    func run() async throws(ProviderFailure) -> PulledImage {
        guard !reference.isID else {
            throw PullFailure(image: reference, hasCredentials: false).isNoName
        }
        let start = ContinuousClock.now
        var call = EngineCall(
            "POST", "/images/create",
            query: [("fromImage", reference.name), ("tag", reference.wanted)]
                + (platform.map { [("platform", $0)] } ?? []),
            timeout: .seconds(300))
        // What came of a pull that nobody heard the end of is seen when it is made again.
        call.changesSomething = false
        let credentials = try await provider.credentials.header(for: reference.registry)
        if let credentials { call.headers = [("X-Registry-Auth", credentials)] }
        let failure = PullFailure(
            image: reference, platform: platform, hasCredentials: credentials != nil)
        await progress(Progress("Pulling", "the image \(reference.text)", fraction: 0))
        let stream = try await engine.stream(call)
        guard stream.status == 200 else {
            throw failure.failure(try await engine.answer(of: stream).message)
        }
        try await follow(stream, failure)
        guard let image = try await provider.inspectImage(reference.text) else {
            throw failure.cut("the Engine says that it ended, and has no such image")
        }
        // A registry that has the image for one platform only gives that one, whatever is asked.
        if let platform, !image.isMade(for: platform),
            await provider.showsAll(of: reference)
        {
            throw failure.isFor(other: platform)
        }
        let pulled = image.pulled(as: reference)
        await progress(
            Progress("Pulled", pulled.text(reference, ContinuousClock.now - start), fraction: 1))
        return pulled
    }

    /// Reads to the end, unless nothing comes for very long.
    private func follow(
        _ stream: HTTPStream, _ failure: PullFailure
    ) async throws(ProviderFailure) {
        let heard = Heard()
        let clock = provider.clock
        let outcome = await withTaskGroup(
            of: Void.self, returning: Result<Void, ProviderFailure>.self
        ) { group in
            group.addTask { await heard.watch(stream, clock) }
            let outcome = await Result<Void, ProviderFailure>.catching {
                () throws(ProviderFailure) in try await read(stream, failure, heard)
            }
            group.cancelAll()
            return outcome
        }
        if heard.gaveUp { throw failure.stalled }
        try outcome.get()
    }

    private func read(
        _ stream: HTTPStream, _ failure: PullFailure, _ heard: Heard
    ) async throws(ProviderFailure) {
        var lines = LineSplitter(longestLine: 64 << 10)
        var state = PullProgress()
        var told = ""
        var problem: String?
        let bytes = stream.makeAsyncIterator()
        do throws(HTTPError) {
            while let piece = try await bytes.next() {
                heard.note()
                for case let line? in lines.push(piece).map({ PullLine($0) }) {
                    problem = line.problem ?? problem
                    state.take(line)
                }
                await tell(state, &told)
            }
        } catch {
            if Task.isCancelled { throw engine.failure(error, changesSomething: false) }
            throw failure.cut(error.message)
        }
        // The last line need not have an end.
        for case let line? in lines.push([UInt8(ascii: "\n")]).map({ PullLine($0) }) {
            problem = line.problem ?? problem
        }
        if let problem { throw failure.failure(problem) }
    }

    /// Tells how far it is, where that is news for a person.
    private func tell(_ state: PullProgress, _ told: inout String) async {
        guard let amount = state.amount else { return }
        let text = "the image \(reference.text), \(amount) (\(Int(state.fraction * 100))%)"
        guard text != told else { return }
        told = text
        await progress(Progress("Pulling", text, fraction: state.fraction))
    }
}

/// Whether anything is still heard of a pull.
private final class Heard: Sendable {
    private struct State {
        var pieces = 0
        var gaveUp = false
    }

    private let state = Mutex(State())

    func note() { state.withLock { $0.pieces += 1 } }

    var gaveUp: Bool { state.withLock { $0.gaveUp } }

    /// Ends a stream on which nothing came for very long.
    func watch(_ stream: HTTPStream, _ clock: any Clock<Duration>) async {
        while true {
            let before = state.withLock { $0.pieces }
            do { try await clock.sleep(for: Pulling.patience) } catch { return }
            let isQuiet = state.withLock { state in
                state.gaveUp = state.pieces == before
                return state.gaveUp
            }
            if isQuiet {
                stream.cancel()
                return
            }
        }
    }
}
