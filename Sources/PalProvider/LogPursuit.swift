internal import FoundationEssentials
public import PalModel
import Synchronization

/// Follows what bears a name over stops, restarts, replacements, and outages of the platform: each
/// line once, until the task is cancelled.
///
/// A platform's own stream of a log ends with the run. What was shown is then compared with what is
/// read again, and a new object of the name is read from its begin. What an object wrote last can
/// only be missed where the platform ends the stream early and deletes the object at once.
public struct LogPursuit: Sendable {
    /// What happened to the instance meanwhile.
    public enum Notice: Sendable, Hashable {
        /// It does not run; when it does, this goes on.
        case stopped
        /// It runs again.
        case restarted
        /// Another object has taken its place.
        case replaced
        /// There is no object of the name.
        case missing
        /// The platform does not answer; the message says why.
        case unreachable(String)
    }

    private let provider: any LogFollowingProvider
    private let name: String
    private let options: LogOptions
    private let clock: any Clock<Duration>

    /// How often it looks where no event tells.
    private static let pace = Duration.seconds(2)

    /// - Parameter options: `lines` counts in the first object only.
    public init(
        _ provider: any LogFollowingProvider, name: String, options: LogOptions,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.provider = provider
        self.name = name
        self.options = options
        self.clock = clock
    }

    /// Follows, beginning with an object of that name, until the task is cancelled.
    /// - Throws: Where the options or the platform's logs are such that waiting does not help.
    public func run(
        from first: VSCodeInstance, _ tell: @escaping @Sendable (Notice) async -> Void,
        _ handler: @escaping @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure) {
        let (bells, bell) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let outcome = await withTaskGroup(of: Void.self) { group in
            group.addTask { await listen(bell) }
            group.addTask {
                while (try? await clock.sleep(for: Self.pace)) != nil { bell.yield() }
            }
            defer { group.cancelAll() }
            return await Result<Void, ProviderFailure>.of { () throws(ProviderFailure) in
                var bells = bells.makeAsyncIterator()
                try await pursue(first, &bells, tell, handler)
            }
        }
        try outcome.get()
    }

    /// Rings for every event about the name, where the platform has events.
    private func listen(_ bell: AsyncStream<Void>.Continuation) async {
        guard let source = provider as? any EventfulProvider else { return }
        while !Task.isCancelled {
            try? await source.watchEvents { event in
                if case .changed(let name, _, _) = event, name != self.name { return }
                bell.yield()
            }
            try? await clock.sleep(for: Self.pace)
        }
    }

    /// What there is of the name.
    private enum Sight {
        /// The object that is being read, whether or not there is a newer one.
        case same(isRunning: Bool)
        case other(VSCodeInstance)
        case nothing
        case unknown(String)

        var isRunning: Bool {
            switch self {
            case .same(let isRunning): isRunning
            case .other(let next): next.status == .running
            case .nothing, .unknown: false
            }
        }
    }

    private func pursue(
        _ first: VSCodeInstance, _ bells: inout AsyncStream<Void>.Iterator,
        _ tell: @Sendable (Notice) async -> Void,
        _ handler: @escaping @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure) {
        var reading = Reading(first, LogTrail(options, start: Date()))
        var isRunning = first.status == .running
        var told: Notice?
        while !Task.isCancelled {
            let rest = try await read(reading, whileItRuns: isRunning, handler)
            let sight = await look(reading.instance)
            let notice = notice(of: sight, after: told)
            // What runs again has written what was read after it had ended.
            if notice == .restarted { await tell(.restarted) }
            for line in rest { await handler(line) }
            if let notice, notice != told, notice != .restarted { await tell(notice) }
            told = notice == .restarted || notice == .replaced ? nil : notice
            isRunning = sight.isRunning
            if case .other(let next) = sight {
                var all = options
                all.lines = nil
                reading = Reading(next, LogTrail(all, start: Date()))
            } else if notice != .restarted, !reading.trail.withLock(\.hasNews) {
                // Until nothing is left of it, what has ended is read again at once.
                guard await bells.next() != nil else { return }
            }
        }
    }

    private func notice(of sight: Sight, after told: Notice?) -> Notice? {
        switch sight {
        case .same(isRunning: true): told == nil ? nil : .restarted
        case .same(isRunning: false): .stopped
        case .other: .replaced
        case .nothing: .missing
        case .unknown(let why): .unreachable(why)
        }
    }

    /// Reads what is new. Of what runs it is handed on as it comes, until the stream ends; of what
    /// does not run it is only read, so that a start is seen before anything that comes after it.
    /// A failure that can pass by itself ends it, too.
    /// - Returns: What is still to be handed on.
    private func read(
        _ reading: Reading, whileItRuns isRunning: Bool,
        _ handler: @escaping @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure) -> [LogLine] {
        let options = reading.trail.withLock { $0.beginReading() }
        do throws(ProviderFailure) {
            guard isRunning else {
                return try await provider.getInstanceLogs(reading.instance.reference, options)
                    .compactMap { line in reading.trail.withLock { $0.take(line) } }
            }
            try await provider.followInstanceLogs(reading.instance.reference, options) { line in
                if let new = reading.trail.withLock({ $0.take(line) }) { await handler(new) }
            }
        } catch {
            let passes =
                error.error.map { $0.isRetryable || $0.code == .notFound }
                ?? true
            guard passes else { throw error }
        }
        return []
    }

    private func look(_ instance: VSCodeInstance) async -> Sight {
        let found: [VSCodeInstance]
        do throws(ProviderFailure) {
            found = try await provider.listInstances(InstanceFilter(names: [name]))
        } catch {
            return .unknown(error.description)
        }
        let own = found.first { $0.providerInstanceId == instance.providerInstanceId }
        let newest = found.max { $0.ownership.generation < $1.ownership.generation }
        if let own, own.status == .running || newest?.ownership == own.ownership {
            return .same(isRunning: own.status == .running)
        }
        return newest.map { .other($0) } ?? .nothing
    }
}

/// One object's log, and how far it was shown.
private final class Reading: Sendable {
    let instance: VSCodeInstance
    let trail: Mutex<LogTrail>

    init(_ instance: VSCodeInstance, _ trail: LogTrail) {
        self.instance = instance
        self.trail = Mutex(trail)
    }
}

extension Result where Failure == ProviderFailure {
    /// The result of an asynchronous function.
    fileprivate static func of(
        _ body: () async throws(ProviderFailure) -> Success
    ) async -> Self {
        do throws(ProviderFailure) {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}
