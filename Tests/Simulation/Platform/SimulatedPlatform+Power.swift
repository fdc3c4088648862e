import PalModel
import PalProvider

/// Starting, stopping, changing; and what goes on by itself after that.
extension SimulatedPlatform {
    func start(_ reference: InstanceReference) -> Answer<Void> {
        guard let object = own(reference) else { return .failed(.notThere) }
        switch object.status {
        case .running, .starting, .creating, .pending: return Answer(result: .success(()))
        case .stopped, .failed:
            powerUp(object.id)
            return Answer(
                result: .success(()), effect: .changed(object.id),
                lasts: state.value.random.time(5...200))
        default: return .failed(.wrongState("\(object.id) is \(object.status.rawValue)"))
        }
    }

    func stop(_ reference: InstanceReference) -> Answer<Void> {
        guard let object = own(reference) else { return .failed(.notThere) }
        guard [.running, .starting, .creating].contains(object.status) else {
            return Answer(result: .success(()))
        }
        let time = state.value.random.time(20...3000)
        powerDown(object.id, in: time)
        return Answer(result: .success(()), effect: .changed(object.id), lasts: time)
    }

    func update(_ reference: InstanceReference, _ partial: PartialConfig) -> Answer<PlatformObject>
    {
        guard var object = own(reference) else { return .failed(.notThere) }
        let classes = partial.changes.map { kind.classify($0) }
        if classes.contains(where: { $0 >= .replace }) || faults.strikes(.surpriseReplacement) {
            return .failed(.needsReplacement("\(object.id) cannot be changed like that"))
        }
        guard [.running, .stopped, .starting, .failed].contains(object.status) else {
            return .failed(.wrongState("\(object.id) is \(object.status.rawValue)"))
        }
        object.config = partial.applied(to: object.config)
        object.made = partial.applied(to: object.made)
        put(object, "is changed")
        if classes.contains(.restart), object.status == .running { powerUp(object.id) }
        return Answer(
            result: .success(state.value.objects[object.id] ?? object),
            effect: .changed(object.id), lasts: state.value.random.time(5...300))
    }

    /// Starts an object; how that goes on is drawn now.
    func powerUp(_ id: String) {
        guard var object = state.value.objects[id] else { return }
        var plan = StartPlan()
        plan.boot = state.value.random.time(50...1500)
        plan.readying = state.value.random.time(50...4000)
        if faults.strikes(.slowStart) { plan.readying = faults.time(.slowStart, 5000...60_000) }
        if faults.strikes(.stuckProvisioning) {
            plan.provisioning = faults.time(.stuckProvisioning, 60_000...240_000)
        }
        if faults.strikes(.crashingInstance) {
            plan.crashesAfter = faults.time(.crashingInstance, 100...30_000)
        }
        object.start = plan
        object.turn += 1
        object.exit = nil
        object.readiness = .unknown
        object.status = plan.provisioning > .zero ? .creating : .starting
        put(object, "starts")
        let turn = object.turn
        if plan.provisioning > .zero {
            become(id, turn, after: plan.provisioning, "is provisioned") { $0.status = .starting }
        }
        let running = plan.provisioning + plan.boot
        become(id, turn, after: running, "runs") {
            $0.status = .running
            $0.readiness = .notReady("the editor does not answer yet")
        }
        become(id, turn, after: running + plan.readying, "is ready") { $0.readiness = .ready }
        if let time = plan.crashesAfter {
            become(id, turn, after: running + time, "crashes") { [faults] object in
                guard !faults.isOver else { return }
                object.turn += 1
                object.status = .failed
                object.readiness = .unknown
                object.exit = ExitReport(code: 1)
            }
        }
    }

    func powerDown(_ id: String, in time: Duration) {
        guard var object = state.value.objects[id] else { return }
        object.turn += 1
        object.status = .stopping
        object.readiness = .unknown
        put(object, "is being stopped")
        become(id, object.turn, after: time, "is stopped") { object in
            object.status = .stopped
            object.exit = ExitReport(code: 0)
        }
    }

    /// Changes an object later, unless its power was changed meanwhile.
    private func become(
        _ id: String, _ turn: Int, after time: Duration, _ what: String,
        _ change: @escaping @Sendable (inout PlatformObject) -> Void
    ) {
        let createdAt = state.value.objects[id]?.createdAt
        clock.after(time) { [self] in
            guard var object = state.value.objects[id], object.turn == turn,
                object.createdAt == createdAt
            else { return }
            change(&object)
            put(object, what)
        }
    }
}
