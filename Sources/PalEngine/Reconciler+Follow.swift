internal import PalModel
internal import PalProvider

/// Asking for what is newer, on behalf of the specs that follow it. What is found shows in the next
/// list, and the planner decides.
extension Reconciler {
    /// After each complete list of a provider, one name after the other.
    func startFollowing(_ group: inout DiscardingTaskGroup) {
        for name in world.askedProviders {
            guard let state = world.providers[name], state.isFollowDue, !state.isFollowing
            else { continue }
            world.providers[name]?.isFollowDue = false
            guard let provider = state.provider as? any FollowingProvider else { continue }
            let configs = followers(of: name, provider)
            guard !configs.isEmpty else { continue }
            world.providers[name]?.isFollowing = true
            group.addTask { await self.follow(configs, at: provider, name) }
        }
    }

    /// What stands and wants the newest, sorted. What is still to be made gets the newest anyway.
    private func followers(
        of home: String, _ provider: any FollowingProvider
    ) -> [Shared<InstanceConfig>] {
        world.keys.values.filter { key in
            guard let config = key.declaration?.config.value, key.home == home,
                scope?.contains(key.name) ?? true, key.frozen.isEmpty
            else { return false }
            return config.suspend != true && config.state != .absent
                && !key.observed(at: home).isEmpty && provider.looksForNewer(config)
        }
        .sorted { $0.name < $1.name }.compactMap(\.declaration?.config)
    }

    private func follow(
        _ configs: [Shared<InstanceConfig>], at provider: any FollowingProvider, _ name: String
    ) async {
        for config in configs where !isStopping && !Task.isCancelled {
            guard !isPaused(name, at: parts.clock.elapsed()) else { break }
            var problem: String?
            do throws(ProviderFailure) {
                try await provider.fetchNewer(
                    config.value, progress: progressHandler(config.value.name))
            } catch {
                problem = error.description
                world.providers[name]?.heed(error, at: parts.clock.elapsed())
            }
            followed(config.value.name, problem)
        }
        world.providers[name]?.isFollowing = false
        bell.ring()
    }

    private func followed(_ name: String, _ problem: String?) {
        guard let key = world[name], !Task.isCancelled else { return }
        if !queue.inFlight.contains(name) { endProgress(key) }
        if let problem, problem != key.attempts.followProblem {
            note(name, .warning, "NotFollowed", problem)
        }
        key.attempts.followProblem = problem
    }
}
