public import Logging
internal import PalModel
public import PalProvider

/// The loop: reads the specs, lists what there is, plans each name, and makes the plans true.
///
/// Data goes one way: news come into `World`, the pure `Planner` decides from it, `Admission`
/// weighs what spans names, and the steps are carried out with an intent in the ledger before each.
/// Events only ring the bell and say where to look; they decide nothing.
public actor Reconciler {
    let parts: Parts
    let policy: Policy
    let world: World
    var queue = WorkQueue()
    var admission: Admission
    var control = Control()
    let bell = Doorbell()
    /// When the bell will be rung for what has its time.
    private var alarms: Set<Duration> = []
    /// Only these names are touched; nil for all.
    var scope: Set<String>?
    var isSourceDue = true
    var isReading = false
    var readings = 0
    var isStopping = false
    var debts = Debts()
    /// What the ledger has of the swarm as a whole.
    var savedState: SwarmState?
    var savedStateAt: Duration = .zero

    /// What the engine works with; everything that has an effect comes in here.
    public struct Parts: Sendable {
        /// The swarm whose instances are looked after.
        public var swarm: String
        /// Where declarations come from.
        public var source: any SpecSource
        /// The configured providers; each has a name of its own.
        public var providers: [any Provider]
        /// Where everything is written down before it is done.
        public var ledger: any Ledger
        /// What every wait is on.
        public var clock: any EngineClock
        /// Where jitter and new ids come from.
        public var random: any RandomSource
        /// Where it writes for operators; never secrets.
        public var logger: Logger

        /// Makes one of its parts.
        public init(
            swarm: String, source: any SpecSource, providers: [any Provider], ledger: any Ledger,
            clock: any EngineClock = SystemClock(), random: any RandomSource = SystemRandom(),
            logger: Logger
        ) {
            self.swarm = swarm
            self.source = source
            self.providers = providers
            self.ledger = ledger
            self.clock = clock
            self.random = random
            self.logger = logger
        }
    }

    /// - Throws: `LedgerError` where the ledger cannot be read.
    public init(_ parts: Parts, policy: Policy = Policy()) throws {
        self.parts = parts
        self.policy = policy
        let state = try parts.ledger.swarmState()
        world = World(
            providers: parts.providers, records: try parts.ledger.records(), state: state,
            clock: parts.clock)
        admission = Admission(
            policy: policy, from: state, at: parts.clock.elapsed(), parts.clock.date())
    }

    /// Keeps the swarm as declared until `stop()` is called.
    public func run() async {
        settleInterruptedWork()
        await loop { false }
    }

    /// How many entries each table of the engine has, for whoever watches that none grows for ever.
    package var tableSizes: [String: Int] {
        [
            "names": world.keys.count, "queued": queue.size,
            "requests": control.open.count + control.answers.count,
            "debts": debts.records.count + debts.intents.count,
            "waiting calls": world.providers.values.reduce(0) { $0 + $1.waiting.count },
            "recent deletions": admission.recentDeletions.count,
        ]
    }

    /// Ends the loop: no new work is taken, calls in flight get a few seconds. Instances go on.
    public func stop() {
        isStopping = true
        bell.ring()
    }

    func loop(until isOver: () -> Bool) async {
        await withDiscardingTaskGroup { group in
            listenToTheOutside(&group)
            while !isStopping && !Task.isCancelled && !isOver() {
                payDebts()
                takeRequests()
                // The providers work while the specs are read.
                startListing(&group)
                startReading(&group)
                startReconciling(&group)
                answerRequests()
                startFollowing(&group)
                if isOver() { break }
                setAlarm(&group)
                await bell.wait()
            }
            await finishCallsInFlight()
            group.cancelAll()
        }
    }

    private func listenToTheOutside(_ group: inout DiscardingTaskGroup) {
        let (source, ledger) = (parts.source, parts.ledger)
        group.addTask { await source.watch { await self.sourceMayHaveChanged() } }
        group.addTask { await ledger.watchRequests { await self.requestMayHaveCome() } }
    }

    private func sourceMayHaveChanged() {
        isSourceDue = true
        bell.ring()
    }

    func requestMayHaveCome() {
        control.isDue = true
        bell.ring()
    }

    private func startReading(_ group: inout DiscardingTaskGroup) {
        guard isSourceDue, !isReading else { return }
        isSourceDue = false
        isReading = true
        let source = parts.source
        group.addTask { await self.take(await source.read()) }
    }

    private func take(_ desired: Desired) {
        isReading = false
        readings += 1
        tellProblems(of: desired)
        endPlansOvertaken(by: desired)
        let concerned = world.take(desired)
        noteHomes(of: concerned)
        for name in concerned.sorted() {
            startAfresh(name)
            noteTerms(name)
            lookForAdoption(name)
            enqueue(name)
        }
        weighPruning()
        saveState(onlyNews: true)
        bell.ring()
    }

    /// What is to be taken over must be seen before anything is decided.
    private func lookForAdoption(_ name: String) {
        guard let key = world[name], key.declaration?.config.value.adopt != nil,
            key.mustLookAt.contains(key.home)
        else { return }
        for provider in key.mustLookAt {
            world.providers[provider]?.look(at: name, at: parts.clock.elapsed())
        }
    }

    /// What is declared anew gets all its attempts; what failed before and did not change does not.
    private func startAfresh(_ name: String) {
        guard let key = world[name] else { return }
        if let failed = key.record?.failedSpec, let declaration = key.declaration,
            failed == declaration.config.value.digest
        {
            return
        }
        forgetFailures(key)
    }

    /// What a file says of the end of its instance counts as soon as it is read: it may be gone
    /// again before the provider answers, and anything else is decided.
    private func noteTerms(_ name: String) {
        guard let key = world[name], let declaration = key.declaration else { return }
        let terms = Terms(declaration.config.value)
        guard var record = key.record?.value, record.terms != terms else { return }
        record.terms = terms
        let shared = Shared(record)
        key.record = shared
        save(shared)
    }

    /// Takes back all that failures led to.
    func forgetFailures(_ key: Key) {
        key.attempts.notBefore = .zero
        key.attempts.replaceBecause = nil
        key.attempts.isHopeless = false
        key.attempts.otherFailures = 0
        guard key.record?.failures != 0 || key.record?.failedSpec != nil else { return }
        key.record?.failures = 0
        key.record?.failedSpec = nil
    }

    /// Puts a name in line for a decision.
    func enqueue(_ name: String) {
        guard let key = world[name] else { return }
        key.outcome = nil
        key.attempts.awaitsCall = false
        queue.add(name)
    }

    /// Weighs the prune budget anew; who was parked or let go gets a new decision.
    func weighPruning() {
        let before = admission.parked
        let declared = world.desired?.declarations.count ?? 0
        admission.weigh(
            world.pruneCandidates, declared: declared, isUndeclared: world.isUndeclared,
            at: parts.clock.elapsed(), parts.clock.date())
        guard before != admission.parked else { return }
        for name in Set(before?.names ?? []).union(admission.parked?.names ?? []).sorted() {
            enqueue(name)
        }
        // That fewer wait is no news.
        if let parked = admission.parked, parked.approvedBy == nil,
            !Set(before?.names ?? []).isSuperset(of: parked.names)
        {
            note(
                nil, .warning, "Parked",
                "\(parked.names.count) deletions wait for 'pal approve': "
                    + parked.names.joined(separator: ", "))
        }
    }

    /// Has the bell rung when the next work is due. One that rings earlier will do: the next turn
    /// sets another.
    private func setAlarm(_ group: inout DiscardingTaskGroup) {
        let now = parts.clock.elapsed()
        guard let next = nextWork(now) else { return }
        guard next > now else { return bell.ring() }
        guard alarms.allSatisfy({ next < $0 }) else { return }
        alarms.insert(next)
        group.addTask {
            try? await self.parts.clock.sleep(for: next - now)
            await self.alarmWentOff(next)
        }
    }

    private func alarmWentOff(_ time: Duration) {
        alarms.remove(time)
        bell.ring()
    }

    /// Nil where only news can bring any.
    private func nextWork(_ now: Duration) -> Duration? {
        if queue.hasReady, hasRoom { return now }
        var times = world.askedProviders.compactMap { name -> Duration? in
            guard let state = world.providers[name], !state.isListing else { return nil }
            return state.nextTime
        }
        if hasRoom, let time = queue.nextTime { times.append(time) }
        if !debts.isEmpty || control.isDue { times.append(now + policy.ledgerRetry) }
        return times.min()
    }

    /// Gives calls in flight a bounded time to end; what does not end keeps its intent.
    private func finishCallsInFlight() async {
        let deadline = parts.clock.elapsed() + policy.shutdownGrace
        while !queue.inFlight.isEmpty {
            let left = deadline - parts.clock.elapsed()
            guard left > .zero else { return }
            await bell.wait(atMost: left, parts.clock)
        }
    }
}
