internal import PalModel
internal import PalProvider

/// When a request is answered, and with what words.
extension Reconciler {
    /// The answer to a request, or nil while it is not known.
    func reply(to asked: Control.Asked) -> ControlReply? {
        let request = asked.request
        if let refusal = asked.refusal {
            // What was begun under a plan is finished first.
            guard !request.names.contains(where: queue.inFlight.contains) else { return nil }
            return ControlReply(isDone: false, messages: [refusal])
        }
        if request.verb == .approve, request.names.isEmpty { return approval(asked) }
        if request.names.isEmpty, isAnyOpen(request.verb) { return nil }
        // What is settled has nothing to say to a request that is about everything.
        let names = request.names.isEmpty ? world.index.unsettled.sorted() : request.names
        var messages: [String] = []
        var isDone = true
        for name in names {
            guard let key = world[name] else {
                let isDeleted = asked.approved.contains(name)
                messages.append(isDeleted ? "\(name): approved and done" : unknownName(name))
                if !isDeleted { isDone = false }
                continue
            }
            if request.verb == .approve, !asked.approved.contains(name) {
                messages.append("\(name): nothing waits for approval")
                continue
            }
            guard let verdict = verdict(request.verb, key) else { return nil }
            if let problem = verdict.problem {
                messages.append("\(name): \(problem)")
                isDone = false
            } else if request.verb == .approve {
                messages.append("\(name): approved and done")
            }
        }
        guard isIdle(names) else { return nil }
        messages += sourceProblems(request)
        return ControlReply(isDone: isDone && sourceProblems(request).isEmpty, messages: messages)
    }

    /// In no order, so that the first that is open ends it: there may be very many.
    private func isAnyOpen(_ verb: ControlRequest.Verb) -> Bool {
        world.index.unsettled.contains { name in
            guard let key = world[name] else { return false }
            return verdict(verb, key) == nil
        }
    }

    private func isIdle(_ names: [String]) -> Bool {
        !isReading && !isSourceDue && !names.contains { queue.inFlight.contains($0) }
    }

    private func approval(_ asked: Control.Asked) -> ControlReply? {
        guard !asked.approved.isEmpty else {
            return ControlReply(isDone: true, messages: ["nothing waits for approval"])
        }
        var messages: [String] = []
        var kept = 0
        for name in asked.approved {
            guard let key = world[name] else { continue }
            switch key.outcome {
            case .blocked(let why), .retrying(let why): messages.append("\(name): \(why)")
            case .settled, .waiting, .waitingFor:
                // Its file came back before it was deleted.
                guard key.declaration != nil else { return nil }
                kept += 1
            case nil: return nil
            }
        }
        let left = messages.count + kept
        if kept > 0 { messages.append("\(kept) kept: declared again") }
        return ControlReply(
            isDone: left == kept, messages: messages + ["\(asked.approved.count - left) deleted"])
    }

    private func sourceProblems(_ request: ControlRequest) -> [String] {
        guard request.verb == .apply || request.verb == .once else { return [] }
        var problems = (world.desired?.problems ?? []).map(\.description)
        if case .unavailable(let why) = world.desired?.source { problems.append(why) }
        return problems
    }

    private func unknownName(_ name: String) -> String {
        let hint =
            Suggestion.nearest(to: name, among: world.keys.keys.sorted())
            .map { "; did you mean '\($0)'?" } ?? "; 'pal status' lists them all"
        return "no instance is named '\(name)'\(hint)"
    }

    private struct Verdict {
        /// What is wrong; nil where the wish came true.
        var problem: String?
    }

    /// Whether the wish for one name came true; nil while that is open.
    private func verdict(
        _ verb: ControlRequest.Verb, _ key: Key, seen: Set<String> = []
    ) -> Verdict? {
        guard let outcome = key.outcome else { return nil }
        let failures = max(key.record?.failures ?? 0, key.attempts.otherFailures)
        switch outcome {
        case .blocked(let why):
            // An orphan or a parked deletion is no failure of what is declared.
            if key.declaration == nil, verb == .apply || verb == .once { return Verdict() }
            return Verdict(problem: why)
        case .retrying(let why):
            let isStuck =
                failures >= 3 || key.attempts.isHopeless
                || (!world.isSeen(key) && !world.awaitsList(key)
                    && world.awaitedHome(of: key) == nil)
            return isStuck || verb == .once ? Verdict(problem: why) : nil
        case .waiting(let why):
            if verb == .once || verb == .approve || key.declaration == nil { return Verdict() }
            return failures >= 3 ? Verdict(problem: why) : nil
        case .waitingFor(let names):
            if verb == .once { return Verdict() }
            return dependencyVerdict(verb, names, seen.union([key.name]))
        case .settled:
            guard verb == .stop || verb == .start else { return Verdict() }
            return powerVerdict(verb, key)
        }
    }

    /// What waits for others is stuck where one of them is.
    private func dependencyVerdict(
        _ verb: ControlRequest.Verb, _ names: [String], _ seen: Set<String>
    ) -> Verdict? {
        for name in names where !seen.contains(name) {
            guard let key = world[name] else { continue }
            if !isInScope(name) {
                guard let problem = outsideProblem(key) else { continue }
                return Verdict(problem: problem)
            }
            guard let verdict = verdict(.apply, key, seen: seen) else { continue }
            if let problem = verdict.problem {
                return Verdict(problem: "waits for \(name): \(problem)")
            }
            if let instance = key.instance?.value, instance.isServing { continue }
            return Verdict(problem: waitsFor(key))
        }
        return nil
    }

    private func waitsFor(_ key: Key) -> String {
        let status = key.instance?.value.status.rawValue ?? "not there"
        return "waits for \(key.name), which is \(status)"
    }

    /// Why nothing comes of waiting for a name that is not to be touched: nobody starts it.
    private func outsideProblem(_ key: Key) -> String? {
        if let problem = world.providers[key.home]?.problem {
            return "waits for \(key.name): \(problem)"
        }
        return key.instance?.value.isUp == true ? nil : waitsFor(key)
    }

    private func powerVerdict(_ verb: ControlRequest.Verb, _ key: Key) -> Verdict? {
        let status = key.instance?.value.status
        if key.declaration?.config.value.suspend == true, (verb == .stop) == (status == .running) {
            return Verdict(problem: "its file says suspend: true; take that out first")
        }
        let hold = key.record?.hold
        if verb == .stop {
            guard status == .running else { return Verdict() }
            // Its time was over, or somebody took it back, before the stop was made.
            let state = key.declaration?.config.value.state
            return hold?.holds(at: parts.clock.date(), state: state) == true
                ? nil : Verdict(problem: "it runs, and is not held any more")
        }
        if status == .running { return Verdict() }
        if let hold { return Verdict(problem: "it is held stopped by \(hold.by)") }
        let declared = key.declaration?.config.value.state ?? .running
        return Verdict(
            problem: "its file says state: \(declared.rawValue); change that to start it")
    }
}
