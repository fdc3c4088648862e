internal import PalModel
internal import PalProvider

/// When a request is answered, and with what words.
extension Reconciler {
    /// The answer to a request, or nil while it is not known.
    func reply(to asked: Control.Asked) -> ControlReply? {
        let request = asked.request
        if request.verb == .approve, request.names.isEmpty { return approval(asked) }
        let names = request.names.isEmpty ? world.keys.keys.sorted() : request.names
        let unknown = names.filter { world.keys[$0] == nil }
        var messages: [String] = []
        var isDone = true
        for name in names {
            guard let key = world.keys[name] else {
                if request.verb != .approve {
                    messages.append(unknownName(name))
                    isDone = false
                }
                continue
            }
            guard let verdict = verdict(request.verb, name, key) else { return nil }
            if let problem = verdict.problem {
                messages.append("\(name): \(problem)")
                isDone = false
            }
        }
        guard unknown.count == names.count || isIdle(Set(names)) else { return nil }
        messages += sourceProblems(request)
        return ControlReply(isDone: isDone && sourceProblems(request).isEmpty, messages: messages)
    }

    private func isIdle(_ names: Set<String>) -> Bool {
        queue.inFlight.isDisjoint(with: names) && !isReading && !isSourceDue
    }

    private func approval(_ asked: Control.Asked) -> ControlReply? {
        guard !asked.approved.isEmpty else {
            return ControlReply(isDone: true, messages: ["nothing waits for approval"])
        }
        let left = asked.approved.filter { world.keys[$0] != nil }
        let failed = left.compactMap { name -> String? in
            guard let key = world.keys[name] else { return nil }
            switch key.outcome {
            case .blocked(let why), .retrying(let why): return "\(name): \(why)"
            default: return nil
            }
        }
        guard left.isEmpty || failed.count == left.count else { return nil }
        return ControlReply(
            isDone: left.isEmpty,
            messages: failed + ["\(asked.approved.count - left.count) deleted"])
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
        _ verb: ControlRequest.Verb, _ name: String, _ key: Key
    ) -> Verdict? {
        guard let outcome = key.outcome else { return nil }
        let failures = key.record?.failures ?? 0
        switch outcome {
        case .blocked(let why):
            // An orphan or a parked deletion is no failure of what is declared.
            if key.declaration == nil, verb == .apply || verb == .once { return Verdict() }
            return Verdict(problem: why)
        case .retrying(let why):
            let isStuck =
                failures >= 3 || key.isHopeless
                || world.providers[world.provider(of: name)]?.problem != nil
            return isStuck || verb == .once ? Verdict(problem: why) : nil
        case .waiting(let why):
            if verb == .once || verb == .approve { return Verdict() }
            return failures >= 3 ? Verdict(problem: why) : nil
        case .settled:
            guard verb == .stop || verb == .start else { return Verdict() }
            return powerVerdict(verb, name, key)
        }
    }

    private func powerVerdict(
        _ verb: ControlRequest.Verb, _ name: String, _ key: Key
    ) -> Verdict? {
        let status = key.observed[world.provider(of: name)]?.first?.status
        if verb == .stop {
            return status == .running ? nil : Verdict()
        }
        if status == .running { return Verdict() }
        let declared = key.declaration?.config.state ?? .running
        return Verdict(
            problem: "its file says state: \(declared.rawValue); change that to start it")
    }
}
