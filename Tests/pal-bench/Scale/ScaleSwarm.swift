import Logging
import PalEngine
import PalFiles
import PalLedger
import PalModel
import PalSpecs
import Synchronization

/// pal's engine on the simulated platform, with the parts that tell what they did.
struct ScaleSwarm: Sendable {
    static let swarm = "scale"
    /// How often memory is given back; what is at rest is measured after that.
    static let memoryInterval = Duration.seconds(5)

    let tree: SpecFiles
    let platform: SimPlatform
    let ledger: TellingLedger
    let directory: SpecDirectory
    let reconciler: Reconciler
    /// How many files were parsed.
    let parsed: Counter
    /// When the watcher last decided that a burst of changes is over.
    let debounce: DebounceClock

    init(_ tree: SpecFiles, state: String, _ platform: SimPlatform) throws {
        self.tree = tree
        self.platform = platform
        let (parsed, debounce) = (Counter(), DebounceClock())
        (self.parsed, self.debounce) = (parsed, debounce)
        ledger = TellingLedger(try SQLiteLedger.open(directory: state))
        directory = SpecDirectory(
            path: tree.path, tree: CountingTree(root: tree.path, debounce, parsed),
            clock: debounce)
        reconciler = try Reconciler(
            .init(
                swarm: Self.swarm, source: directory, providers: [platform], ledger: ledger,
                logger: platform.logger))
    }

    /// Runs the controller for as long as the body takes.
    func running<Result: Sendable>(
        _ body: @Sendable @escaping () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                await reconciler.run()
                return nil
            }
            // As `pal run` does every minute.
            group.addTask {
                await SpareMemory.giveBack(every: Self.memoryInterval, ContinuousClock())
                return nil
            }
            group.addTask { try await body() }
            while let ended = try await group.next() {
                guard let result = ended else { break }
                await reconciler.stop()
                group.cancelAll()
                return result
            }
            throw BenchmarkFailure("the controller ended early")
        }
    }
}

/// A number that many threads count up.
final class Counter: Sendable {
    private let number = Atomic(0)
    var value: Int { number.load(ordering: .relaxed) }
    func count() { number.add(1, ordering: .relaxed) }
}

/// The specs directory as pal reads it, with every file that is parsed counted.
struct CountingTree: PalSpecs.SpecTree {
    private var scanner: TreeScanner<SpecFileContents>
    private let watcher: TreeWatcher

    init(root: String, _ clock: DebounceClock, _ parsed: Counter) {
        watcher = TreeWatcher(
            root: root, clock: clock, timing: .init(quiet: DebounceClock.quiet))
        scanner = TreeScanner(root: root) { file, bytes in
            parsed.count()
            return SpecFileContents(bytes: bytes, file: file)
        }
    }

    mutating func scan() -> TreeSnapshot<SpecFileContents> { scanner.scan() }

    func watch(_ changed: @Sendable () async -> Void) async {
        await watcher.run { _ in await changed() }
    }
}

/// The machine's clock, which also tells when the watcher's debounce last ended.
final class DebounceClock: Clock {
    static let quiet = Duration.milliseconds(100)

    private let base = ContinuousClock()
    private let ended = Mutex<ContinuousClock.Instant?>(nil)

    /// The end of the last wait of that length; no other wait has it.
    var end: ContinuousClock.Instant? { ended.withLock { $0 } }

    var now: ContinuousClock.Instant { base.now }
    var minimumResolution: Duration { base.minimumResolution }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        let length = now.duration(to: deadline)
        try await base.sleep(until: deadline, tolerance: tolerance)
        if length > Self.quiet * 0.9, length <= Self.quiet { ended.withLock { $0 = now } }
    }
}
