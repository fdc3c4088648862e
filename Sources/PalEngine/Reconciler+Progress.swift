internal import FoundationEssentials
internal import PalModel
internal import PalProvider

/// How far calls that take long have come, for everyone who reads the ledger.
extension Reconciler {
    /// What a provider tells the progress of one name to.
    func progressHandler(_ name: String) -> ProgressHandler {
        { progress in await self.took(progress, of: name) }
    }

    private func took(_ progress: Progress, of name: String) {
        guard let key = world[name], key.record != nil else { return }
        let isNews = key.record?.progress?.reason != progress.reason
        key.record?.progress = progress
        // What is awaited of a creation has not begun yet.
        if let landing = key.record?.landing, queue.inFlight.contains(name) {
            key.record?.landing = self.landing(
                on: landing.provider, within: policy.landing)
        }
        if isNews { note(name, .normal, progress.reason, progress.message) }
        let now = parts.clock.elapsed()
        if !isNews, let saved = key.attempts.progressSaved, now - saved < policy.progressPause {
            return
        }
        key.attempts.progressSaved = now
        showProgress(key, progress)
        if let record = key.record { save(record) }
    }

    /// Says of what is not ready why it is not. What serves meanwhile goes on to be ready.
    private func showProgress(_ key: Key, _ progress: Progress) {
        let old = key.record?.conditions.first { $0.kind == .ready }
        guard old?.isTrue != true else { return }
        var condition = Condition(
            .ready, false, reason: progress.reason,
            message: "\(progress.reason.lowercased()) \(progress.message)")
        condition.since = old?.since ?? parts.clock.date()
        key.record?.conditions.removeAll { $0.kind == .ready }
        key.record?.conditions.insert(condition, at: 0)
    }

    /// The call is over, or it ended with the controller that made it.
    func endProgress(_ key: Key) {
        key.attempts.progressSaved = nil
        guard key.record?.progress != nil else { return }
        key.record?.progress = nil
        if let record = key.record { save(record) }
    }
}
