import PalEngine
import PalModel
import PalProvider

/// The way from one controller to one platform: everything that a network does to calls.
struct Wire: Sendable {
    let platform: SimulatedPlatform
    let controller: Controller
    let random: Confined<SeededRandom>
    let calls: Confined<Int>
    /// Whether the platform was greeted, and the list that follows is still to come.
    let hasJustBegun = Confined(false)
    /// Until when the platform wants to be left alone, as this controller was told.
    private let pausedUntil = Confined(Duration.zero)

    init(
        platform: SimulatedPlatform, controller: Controller, random: Confined<SeededRandom>,
        calls: Confined<Int>
    ) {
        self.platform = platform
        self.controller = controller
        self.random = random
        self.calls = calls
    }

    private var clock: VirtualClock { platform.clock }
    private var faults: FaultPlan { platform.faults }
    private var trace: Trace { platform.trace }

    // MARK: Calls that change something

    /// Sends a call and waits for its answer.
    func change<Value: Sendable>(
        _ verb: Step.Verb, _ name: String, _ target: String = "", generation: Int = 0,
        _ effect: @escaping @Sendable () -> SimulatedPlatform.Answer<Value>
    ) async throws(ProviderFailure) -> Value {
        controller.step("before it calls \(verb.rawValue) \(name)")
        let unheard = ProviderFailure.ambiguous("the call was abandoned")
        let reply = Reply<Value>()
        guard controller.isAlive else {
            return try await reply.value(ifCancelled: unheard).get()
        }
        calls.value += 1
        let call = Call(
            number: calls.value, controller: controller.number, provider: platform.kind.name,
            verb: verb, name: name, target: target, generation: generation)
        trace.add(.called(call), by: controller.number)
        // What stands there is asked for first, in the same step.
        if verb != .deleteStorage { noteBegin(call.text) }
        send(call, Fate.draw(faults, &random.value), reply, effect)
        let result = await reply.value(ifCancelled: unheard)
        noteEnd(Self.failure(result))
        trace.add(.returned(call, Self.failure(result)), by: controller.number)
        controller.step("after \(verb.rawValue) \(name) returned")
        return try result.get()
    }

    private func send<Value: Sendable>(
        _ call: Call, _ fate: Fate, _ reply: Reply<Value>,
        _ effect: @escaping @Sendable () -> SimulatedPlatform.Answer<Value>
    ) {
        clock.after(Fate.patience) {
            reply.fill(.failure(.ambiguous("no answer within a minute")))
        }
        guard let out = fate.out else { return }
        clock.after(out) {
            arrive(call, fate, reply, isSecond: false, effect)
            guard let again = fate.again else { return }
            clock.after(again) { arrive(call, fate, reply, isSecond: true, effect) }
        }
    }

    private func arrive<Value: Sendable>(
        _ call: Call, _ fate: Fate, _ reply: Reply<Value>, isSecond: Bool,
        _ effect: @escaping @Sendable () -> SimulatedPlatform.Answer<Value>
    ) {
        guard controller.isAlive || fate.outlivesCaller else { return }
        var answer = SimulatedPlatform.Answer<Value>.failed(.notThere)
        if let closed = platform.closed {
            answer = .failed(closed)
        } else if let refusal = fate.refusal {
            answer = .failed(refusal)
        } else {
            answer = effect()
        }
        switch answer.result {
        case .success: trace.add(.took(call, answer.effect), by: call.controller)
        case .failure(let failure):
            if answer.effect != .nothing {
                trace.add(.took(call, answer.effect), by: call.controller)
            }
            trace.add(.refused(call, failure.description), by: call.controller)
        }
        controller.step("before it hears of \(call.verb.rawValue) \(call.name)")
        guard !fate.isSilent, isSecond == (fate.again != nil && fate.secondAnswers) else { return }
        let isLost = fate.losesAnswer
        let result = answer.result
        clock.after(answer.lasts + fate.back) {
            let isCut = isLost || platform.isUnreachable
            reply.fill(isCut ? .failure(.ambiguous("the connection broke")) : result)
        }
    }

    private static func failure<Value>(
        _ result: Result<Value, ProviderFailure>
    ) -> ProviderFailure? {
        if case .failure(let failure) = result { failure } else { nil }
    }

    // MARK: Calls that only ask

    /// Asks something and waits for the answer.
    /// - Parameter part: Whether it only goes on with what was begun before.
    func ask<Value: Sendable>(
        _ what: String, isPart part: Bool = false,
        _ answer: @escaping @Sendable () -> Result<Value, ProviderFailure>
    ) async throws(ProviderFailure) -> Value {
        controller.questionStep("before it asks: \(what)")
        let unheard = ProviderFailure.unreachable(platform.kind.name)
        let reply = Reply<Value>()
        guard controller.isAlive else {
            return try await reply.value(ifCancelled: unheard).get()
        }
        if !part { noteBegin(what) }
        var time = random.value.time(1...20)
        if faults.strikes(.slowCall) { time = faults.time(.slowCall, 500...20_000) }
        let isStuck = faults.strikes(.stuckCall)
        let hasFailed = faults.strikes(.failedPage)
        clock.after(isStuck ? .seconds(30) : time) {
            if let closed = platform.closed { return reply.fill(.failure(closed)) }
            if isStuck || hasFailed {
                return reply.fill(.failure(.platform(.platformFailure, "a read failed")))
            }
            reply.fill(answer())
        }
        let result = await reply.value(ifCancelled: unheard)
        noteEnd(Self.failure(result))
        controller.questionStep("after it asked: \(what)")
        return try result.get()
    }

    // MARK: Pauses

    private func noteBegin(_ what: String) {
        guard controller.isAlive, clock.elapsed() < pausedUntil.value else { return }
        let left = (pausedUntil.value - clock.elapsed()).milliseconds
        trace.add(
            .impatient(platform.kind.name, "\(what), \(left) ms too early"),
            by: controller.number)
    }

    private func noteEnd(_ failure: ProviderFailure?) {
        guard let seconds = failure?.error?.retryAfter else { return }
        pausedUntil.value = max(pausedUntil.value, clock.elapsed() + .seconds(seconds))
    }
}

extension SimulatedPlatform {
    /// Whether connections break now.
    var isUnreachable: Bool { clock.elapsed() < state.value.unreachableUntil }
}
