internal import Logging
internal import PalModel
internal import PalProvider

/// Listing and listening: how news of the providers come in.
extension Reconciler {
    /// Starts the lists that are due: everything of a provider, or the names that somebody must
    /// see.
    func startListing(_ group: inout DiscardingTaskGroup) {
        let now = parts.clock.elapsed()
        for name in world.askedProviders {
            guard let state = world.providers[name], !state.isListing, state.pausedUntil <= now
            else { continue }
            startWatching(name, state, &group)
            if state.nextList <= now {
                state.takeLooks()
                startList(of: name, names: nil, &group)
            } else if let look = state.nextLook, look <= now, state.isListed {
                startList(of: name, names: state.takeLooks(), &group)
            }
        }
    }

    private func startList(
        of name: String, names: Set<String>?, _ group: inout DiscardingTaskGroup
    ) {
        guard let state = world.providers[name] else { return }
        world.providers[name]?.isListing = true
        let since = world.changes
        let isInitialized = state.isInitialized
        let provider = state.provider
        let filter = InstanceFilter(names: names, adopting: world.adoptions(at: name))
        group.addTask {
            do throws(ProviderFailure) {
                if !isInitialized { try await provider.initialize() }
                let instances = try await provider.listInstances(filter)
                await self.took(instances, of: name, names: names, since: since)
            } catch {
                await self.failedToList(name, error)
            }
        }
    }

    private func took(
        _ instances: [VSCodeInstance], of name: String, names: Set<String>?, since: Int
    ) {
        let wasListed = world.providers[name]?.isListed == true
        let hadProblem = world.providers[name]?.problem != nil
        let now = parts.clock.elapsed()
        world.providers[name]?.isListing = false
        world.providers[name]?.isInitialized = true
        world.providers[name]?.failures = 0
        world.providers[name]?.problem = nil
        world.providers[name]?.isAwaited = false
        if names == nil {
            world.providers[name]?.isListed = true
            world.providers[name]?.lists += 1
            world.providers[name]?.isFollowDue = true
            world.providers[name]?.listedAt = parts.clock.date()
            world.providers[name]?.nextList = now + policy.resync
        }
        var concerned = world.take(
            instances, of: name, names: names, since: since, busy: queue.inFlight)
        if !wasListed {
            concerned.formUnion(world.keys.values.filter { awaited($0, name) }.map(\.name))
        }
        for key in concerned.sorted() { enqueue(key) }
        for key in (names ?? []).sorted()
        where world[key]?.mustLookAt.contains(name) == true && !queue.inFlight.contains(key) {
            world.providers[name]?.look(at: key, at: now + .milliseconds(50))
        }
        if hadProblem {
            note(nil, .normal, "ProviderReachable", "provider '\(name)' answers again")
        }
        weighPruning()
        if names == nil {
            noteHomes(of: concerned)
            saveState()
        }
        bell.ring()
    }

    /// Notes what stands elsewhere than it is declared, before it is noted that its provider was
    /// listed: after a crash it would be known that the provider was asked, and not what it has.
    func noteHomes(of names: Set<String>) {
        guard let path = world.desired?.specsPath else { return }
        for name in names.sorted() where !queue.inFlight.contains(name) {
            guard let key = world[name],
                key.observed.contains(where: { $0.provider != key.home })
            else { continue }
            adoptKnowledge(of: key, specsPath: path)
        }
    }

    /// Whether the first list of a provider, or its failure, may be what a name waits for.
    private func awaited(_ key: Key, _ provider: String) -> Bool {
        key.home == provider || key.record?.applied == nil
            || [key.record?.provider, key.record?.landing?.provider].contains(provider)
            || key.observed.contains { $0.provider == provider }
    }

    private func failedToList(_ name: String, _ failure: ProviderFailure) {
        world.providers[name]?.isListing = false
        // Ended by pal's own end, which says nothing of the provider.
        guard !Task.isCancelled else { return }
        world.providers[name]?.heed(failure, at: parts.clock.elapsed())
        let isPassing = failure.error.map { $0.isRetryable && $0.kind != .connection }
        providerFailed(name, failure.description, isPassing: isPassing ?? false)
        // Who was to be looked at still is, though nobody else may need the provider.
        guard let state = world.providers[name] else { return }
        for key in world.keys.values where key.mustLookAt.contains(name) {
            state.look(at: key.name, at: state.nextList)
        }
        bell.ring()
    }

    /// Notes that a provider does not answer; its names wait until it does, and for a while also
    /// those that it may have.
    func providerFailed(_ name: String, _ message: String, isPassing: Bool = false) {
        guard let state = world.providers[name] else { return }
        let isNews = state.problem != message
        let wasAwaited = state.isAwaited
        state.fail(message, isPassing: isPassing, most: policy.firstLists)
        let delay = policy.reconnect.delay(after: state.failures, parts.random)
        state.nextList = parts.clock.elapsed() + delay
        guard isNews || wasAwaited != state.isAwaited else { return }
        if isNews {
            note(nil, .warning, "ProviderUnreachable", "provider '\(name)': \(message)")
        }
        // Those too that only waited to be told what else there is of them.
        for key in world.keys.values.filter({ awaited($0, name) }).map(\.name).sorted() {
            enqueue(key)
        }
        saveState()
    }

    // MARK: Events

    private func startWatching(
        _ name: String, _ state: ProviderState, _ group: inout DiscardingTaskGroup
    ) {
        guard !state.isWatched, state.isInitialized,
            let provider = state.provider as? any EventfulProvider
        else { return }
        world.providers[name]?.isWatched = true
        group.addTask {
            do throws(ProviderFailure) {
                try await provider.watchEvents { await self.heard($0, of: name) }
                await self.lostEvents(name, nil)
            } catch {
                await self.lostEvents(name, error)
            }
        }
    }

    private func heard(_ event: ProviderEvent, of provider: String) {
        let now = parts.clock.elapsed()
        switch event {
        case .connected:
            world.providers[provider]?.hasEvents = true
            world.providers[provider]?.nextList = now
        case .changed(let name, _, _):
            // Most likely pal's own change; whoever makes it, a look follows its end.
            guard !queue.inFlight.contains(name) else { return }
            world[name]?.mustLookAt.insert(provider)
            guard let state = world.providers[provider] else { break }
            let delay = max(policy.eventDelay, state.gathering(policy.eventDelay))
            state.look(at: name, at: now + delay)
        }
        bell.ring()
    }

    /// The stream is gone: whether the platform is too, a list will tell.
    private func lostEvents(_ name: String, _ failure: ProviderFailure?) {
        world.providers[name]?.isWatched = false
        world.providers[name]?.hasEvents = false
        guard !isStopping else { return }
        if let failure { parts.logger.debug("events of \(name) ended: \(failure)") }
        world.providers[name]?.isInitialized = false
        let now = parts.clock.elapsed()
        if let failure { world.providers[name]?.heed(failure, at: now) }
        let delay = policy.reconnect.delay(after: 1, parts.random)
        world.providers[name]?.nextList = now + delay
        bell.ring()
    }
}
