internal import FoundationEssentials
internal import Logging
internal import PalModel
internal import PalProvider

/// What is written down, and how what others left is taken up again.
extension Reconciler {
    /// Makes sure that a declared or owned name has a record, and takes the identity of a standing
    /// object over where the ledger does not know it: after a crash, or with the ledger lost.
    func adoptKnowledge(of key: Key, specsPath: String) {
        let home = key.home
        let instance = ownInstance(of: key)
        guard key.declaration != nil || instance != nil else { return }
        let known = key.record
        var record =
            known?.value
            ?? InstanceRecord(
                name: key.name,
                id: instance?.id ?? key.declaration?.config.value.id ?? parts.random.newID(),
                provider: home)
        if let instance {
            record.id = instance.id
            record.generation = max(record.generation, instance.ownership.generation)
            for port in instance.network.ports {
                if let outside = port.external { record.keptPorts[port.key] = outside }
            }
            record.noteAdoption(
                key.observed(at: home), declared: key.declaration?.config.value.adopt)
            noteMade(key, instance, &record)
        } else if let elsewhere = key.observed.first(where: { $0.provider != home }),
            record.landing?.provider != home
        {
            // A ledger that never made it must know after a crash too who has it.
            record.provider = elsewhere.provider
            record.generation = max(
                record.generation, elsewhere.instance.value.ownership.generation)
        }
        if let declaration = key.declaration {
            record.declaredFrom = specsPath
            record.location = declaration.location
            record.terms = Terms(declaration.config.value)
            // Its file came back before the storage went.
            if declaration.config.value.state != .absent { record.discardsStorageSince = nil }
            if instance != nil || (key.observed.isEmpty && !world.isFormerHomeUnseen(of: key)) {
                record.provider = home
            }
            adoptMatching(key, instance, &record)
        }
        if let hold = record.hold, !hold.holds(at: parts.clock.date(), state: declaredState(key)) {
            record.hold = nil
            note(key.name, .normal, "HoldEnded", "the hold by \(hold.by) has ended")
        }
        // Where it says the same, it shares what it says with the declaration.
        let shared = Shared(record)
        key.record = shared
        if shared != known { save(shared) }
    }

    /// The newest object at its provider, where it is pal's or can be taken over: beside an object
    /// of pal's own, and before everyone who may have one was asked, nothing is.
    private func ownInstance(of key: Key) -> VSCodeInstance? {
        guard let instance = key.instance?.value, instance.isAdopted == true,
            key.record?.adopted?.providerInstanceId != instance.providerInstanceId
        else { return key.instance?.value }
        let hasOwn = key.observed.contains { $0.instance.value.isAdopted != true }
        return world.isSeen(key) && !hasOwn ? instance : nil
    }

    /// What stands after a creation whose answer was never noted is what was attempted: whatever
    /// is attempted next, it was this controller that had set those fields.
    private func noteMade(
        _ key: Key, _ instance: VSCodeInstance, _ record: inout InstanceRecord
    ) {
        guard key.observed.count == 1, !record.attempts.isEmpty,
            let capabilities = world.providers[key.home]?.capabilities
        else { return }
        let isMade = { (config: Shared<InstanceConfig>) in
            capabilities.hash(of: config.value) == instance.ownership.specHash
        }
        guard let attempted = record.attempts.first(where: isMade),
            record.applied.map(isMade) != true
        else { return }
        record.applied = attempted
    }

    /// Notes what is attempted now, before that is done.
    func noteAttempt(_ key: Key) {
        guard var record = key.record?.value, let config = key.declaration?.config else { return }
        if let attempted = record.attempted, attempted != config {
            record.attemptedBefore = attempted
        }
        record.attempted = config
        key.record = Shared(record)
    }

    private func declaredState(_ key: Key) -> DesiredState? {
        key.declaration?.config.value.state
    }

    /// An object whose hash is exactly the declared one is taken over without a word of consent.
    private func adoptMatching(
        _ key: Key, _ instance: VSCodeInstance?, _ record: inout InstanceRecord
    ) {
        guard let instance, let state = world.providers[key.home],
            !record.issuedHashes.contains(instance.ownership.specHash),
            instance.ownership.specHash == key.wantedHash(at: state)
        else { return }
        record.issuedHashes.append(instance.ownership.specHash)
        note(
            key.name, .normal, "Adopted",
            "found \(instance.providerInstanceId.prefix(12)) as declared, and took it over")
    }

    /// Notes that a config is true, for the next comparison.
    func noteApplied(_ key: Key, _ config: Shared<InstanceConfig>?) {
        guard var record = key.record?.value, let config, let instance = key.instance
        else { return }
        record.applied = config
        record.attempted = nil
        record.attemptedBefore = nil
        record.consent = nil
        record.discardsStorageSince = nil
        record.renewsStorageSince = nil
        let newest = instance.value.ownership.specHash
        // Of an old generation it is known that this ledger made it for as long as it stands.
        record.issuedHashes.removeAll { hash in
            hash == newest
                || !key.observed.contains { $0.instance.value.ownership.specHash == hash }
        }
        record.issuedHashes.append(newest)
        // Where it says the same, it shares what it says with the declaration.
        key.record = Shared(record)
    }

    /// Closes what a crash left open: the next decision looks at what there is.
    func settleInterruptedWork() {
        do {
            for intent in try parts.ledger.openIntents() {
                finish(intent.number, "interrupted")
                note(
                    intent.name, .warning, "Interrupted",
                    "pal ended during its \(intent.step.verb.rawValue); looking at what came of it")
            }
        } catch {
            tellTrouble(error)
        }
        for name in world.keys.keys.sorted() {
            if let key = world[name] { endProgress(key) }
        }
    }

    /// Writes an event for people.
    func note(
        _ name: String?, _ severity: EventRecord.Severity, _ reason: String, _ message: String
    ) {
        let event = EventRecord(
            at: parts.clock.date(), name: name, severity: severity, reason: reason,
            message: message)
        parts.logger.log(
            level: severity == .warning ? .warning : .info,
            "\(name.map { "\($0): " } ?? "")\(reason): \(message)")
        do {
            try parts.ledger.append(event)
        } catch {
            tellTrouble(error)
        }
    }

    /// Writes the problems of the specs as events, once each.
    func tellProblems(of desired: Desired) {
        let old = world.desired
        let known = Set(old?.problems ?? [])
        for problem in desired.problems where !known.contains(problem) {
            note(problem.instance, .warning, "SpecProblem", problem.description)
        }
        let now = Set(desired.problems)
        for problem in old?.problems ?? [] where !now.contains(problem) {
            note(problem.instance, .normal, "SpecMended", "\(problem.location): in order again")
        }
        guard desired.source != old?.source else { return }
        switch desired.source {
        case .unavailable(let why): note(nil, .warning, "SourceUnavailable", why)
        case .available where old != nil:
            note(nil, .normal, "SourceAvailable", "\(desired.specsPath) is there again")
        case .available: break
        }
    }
}

extension InstanceRecord {
    /// What may have been made true since what is known to be, the latest first.
    var attempts: [Shared<InstanceConfig>] { [attempted, attemptedBefore].compactMap(\.self) }
}
