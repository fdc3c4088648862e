internal import FoundationEssentials
internal import Logging
internal import PalModel
internal import PalProvider

/// What people ask of the controller, and what they are told.
struct Control {
    /// Whether the ledger may hold new requests.
    var isDue = true
    /// What is being worked on.
    var open: [Asked] = []
    /// The answers that were just given.
    var answers: [Int64: ControlReply] = [:]
    /// The request whose answer ends the loop.
    var awaited: Int64?

    /// A request, and what must have happened since for an answer to be true.
    struct Asked {
        var request: ControlRequest
        /// The reading of the specs that must be in.
        var reading: Int
        /// The complete lists that must be in, by provider.
        var lists: [String: Int]
        /// Whether the planner knows of it.
        var isBegun = false
        /// What consent was given for: everything parked, or the names that waited for it.
        var approved: [String] = []
        /// Why it is refused as a whole.
        var refusal: String?
    }
}

extension Reconciler {
    /// Works until one request is answered: what a command does when no controller runs.
    ///
    /// - Parameter names: Only these instances are touched; nil for all.
    public func perform(_ request: ControlRequest, only names: Set<String>?) async -> ControlReply?
    {
        scope = names
        control.awaited = request.number
        settleInterruptedWork()
        await loop { control.answers[request.number] != nil }
        return control.answers[request.number]
    }

    /// Takes new requests from the ledger; again after a while where that cannot be read.
    func takeRequests() {
        guard control.isDue else { return }
        do {
            let known = Set(control.open.map(\.request.number))
            for request in try parts.ledger.openRequests()
            where !known.contains(request.number) && control.answers[request.number] == nil {
                begin(request)
            }
            control.isDue = false
        } catch {
            tellTrouble(error)
        }
    }

    private func begin(_ request: ControlRequest) {
        isSourceDue = true
        let inFlightReading = isReading ? 1 : 0
        var lists: [String: Int] = [:]
        let now = parts.clock.elapsed()
        for name in world.neededProviders {
            guard let state = world.providers[name] else { continue }
            world.providers[name]?.nextList = now
            lists[name] = state.lists + (state.isListing ? 2 : 1)
        }
        control.open.append(
            .init(request: request, reading: readings + inFlightReading + 1, lists: lists))
    }

    /// Answers the requests whose wish has come true, or cannot.
    func answerRequests() {
        for asked in control.open where isCurrent(asked) {
            if !asked.isBegun { startWork(asked) }
        }
        for asked in control.open where asked.isBegun {
            guard let reply = reply(to: asked) else { continue }
            do {
                try parts.ledger.answer(
                    asked.request.number, reply, durably: asked.request.verb.isWish)
            } catch {
                tellTrouble(error)
                debts.owesAnswer = true
                // Whoever asks in this process is told all the same.
                guard asked.request.number == control.awaited else { continue }
            }
            control.answers[asked.request.number] = reply
        }
        let answered = Set(control.answers.keys)
        control.open.removeAll { answered.contains($0.request.number) }
        let awaited = control.awaited
        control.answers = control.answers.filter { $0.key == awaited }
    }

    /// Whether what is known is newer than the request.
    private func isCurrent(_ asked: Control.Asked) -> Bool {
        guard readings >= asked.reading, !isReading, !isSourceDue else { return false }
        // A list that began before the specs were read does not have what they take over.
        guard asked.request.plan == nil || !world.index.unsettled.contains(where: isLookedAt)
        else { return false }
        return world.neededProviders.allSatisfy { name in
            guard let state = world.providers[name] else { return true }
            if state.problem != nil { return true }
            return state.isListed && state.lists >= (asked.lists[name] ?? 1)
        }
    }

    /// Whether somebody who answers is still to be asked about a name.
    private func isLookedAt(_ name: String) -> Bool {
        world[name]?.mustLookAt.contains { world.providers[$0]?.problem == nil } == true
    }

    /// Makes the request's wish known to the planner.
    private func startWork(_ asked: Control.Asked) {
        guard
            let index = control.open.firstIndex(where: {
                $0.request.number == asked.request.number
            })
        else { return }
        control.open[index].isBegun = true
        let request = asked.request
        if let moved = request.plan?.movedSince(preview()) {
            control.open[index].refusal =
                "\(moved) since the plan was made; nothing was done. Look at a new one: "
                + "'pal plan -o json'"
            return
        }
        if request.verb == .approve, request.names.isEmpty {
            approveParked(index)
            return
        }
        // What stands has nothing to be asked: lists and reading are newer than the request.
        for name in request.names.isEmpty ? world.index.unsettled.sorted() : request.names {
            if startWork(request, name) { control.open[index].approved.append(name) }
        }
        bell.ring()
    }

    /// - Returns: Whether it was something that waited for consent.
    private func startWork(_ request: ControlRequest, _ name: String) -> Bool {
        guard let key = world[name], let path = world.desired?.specsPath else { return false }
        // A wish for what nobody decided on yet is kept too.
        adoptKnowledge(of: key, specsPath: path)
        var isApproved = false
        switch request.verb {
        case .stop:
            let now = parts.clock.date()
            key.record?.hold = Hold(
                by: request.by, since: now,
                until: request.holdFor.map { now + Double($0.milliseconds) / 1000 },
                declaredState: key.declaration?.config.state)
        case .start:
            key.record?.hold = nil
            forgetFailures(key)
        case .retry: forgetFailures(key)
        case .restart:
            key.record?.hold = nil
            key.attempts.restarts = true
        case .approve: isApproved = approve(key)
        case .apply, .once:
            // It stands, and the lists and the reading that came since the request say nothing new.
            if key.outcome == .settled, key.mustLookAt.isEmpty { return false }
        }
        key.attempts.notBefore = .zero
        if let record = key.record { save(record) }
        enqueue(name)
        return isApproved
    }

    /// Gives the consent that the plan of this moment asks for, in its words.
    private func approve(_ key: Key) -> Bool {
        guard let path = world.desired?.specsPath else { return false }
        let input = world.input(for: key, specsPath: path)
        guard let consent = Planner.plan(input).consent else { return false }
        key.record?.consent = consent
        return true
    }

    /// Whether nothing may be begun before it is known that the plan to be applied still stands,
    /// or before it is told that it does not.
    var holdsBackForPlan: Bool {
        control.open.contains { $0.request.plan != nil && (!$0.isBegun || $0.refusal != nil) }
    }

    /// What is declared anew while a plan is carried out was not looked at by whoever asked for it.
    func endPlansOvertaken(by desired: Desired) {
        for index in control.open.indices where control.open[index].isBegun {
            guard let plan = control.open[index].request.plan,
                control.open[index].refusal == nil, !plan.digest.hasSpecs(of: desired)
            else { continue }
            control.open[index].refusal =
                "the specs changed while the plan was carried out; what was begun is finished, the "
                + "rest was not begun. Look at a new one: 'pal plan -o json'"
        }
    }

    /// Consents to the deletions that wait. Where there are others than when somebody agreed, that
    /// person does not know of them.
    private func approveParked(_ index: Int) {
        guard let parked = admission.parked else { return }
        // What is consented to now would be carried out whenever that is over.
        if let block = world.pruneBlock {
            control.open[index].refusal =
                "nothing can be deleted now: \(block); ask again when that is over"
            return
        }
        let agreed = Set(control.open[index].request.parked ?? [])
        guard agreed.isSuperset(of: parked.names) else {
            control.open[index].refusal =
                "more is to be deleted than when this was asked for; nothing was approved. Look at "
                + "'pal status', then 'pal approve' again"
            return
        }
        let person = control.open[index].request.by
        control.open[index].approved = parked.names
        admission.approve(by: person)
        note(nil, .normal, "Approved", "\(parked.names.count) deletions approved by \(person)")
        for name in parked.names { enqueue(name) }
        saveState()
        bell.ring()
    }
}
