extension Cloud {
    private static let settled: Set = [
        "created", "started", "stopped", "suspended", "failed", "destroyed",
    ]
    private static let awaitable: Set = [
        "started", "stopped", "suspended", "destroyed", "failed", "settled",
    ]

    func wait(_ request: Request) async throws -> Answer {
        let version = request.value("version") ?? request.value("instance_id")
        let seconds = try limit(request)
        var states = request.values("state")
        if states.isEmpty { states = ["started"] }
        guard Self.awaitable.isSuperset(of: states) else {
            throw Refusal.invalid("cannot wait for this state")
        }
        if states.contains("stopped"), version == nil {
            throw Refusal.invalid("instance_id is required to wait for stopped")
        }
        _ = try withMachine(request) { _, _ in true }
        let wanted = Set(states).union(states.contains("settled") ? Self.settled : [])
        let found = try await bell.first(within: .seconds(seconds), time) {
            try self.reached(wanted, request, version)
        }
        if let found { return found }
        let current = look { $0.apps[request.app]?.machines[request.machine]?.state ?? "destroyed" }
        throw late(states, current)
    }

    /// The answer where one of the states is reached. Looks without telling anybody, because it is
    /// asked whenever there is news.
    private func reached(
        _ wanted: Set<String>, _ request: Request, _ version: String?
    ) throws -> Answer? {
        try look { world in
            // Who waited before the machine was gone still learns that it was destroyed.
            guard let machine = world.apps[request.app]?.machines[request.machine],
                !machine.isGone || wanted.contains("destroyed")
            else { throw Refusal.missing("machine") }
            if let version, version != machine.version {
                // An old version never comes back, and says so.
                if machine.oldVersions.contains(version) { throw late(wanted.sorted(), "replaced") }
                throw Refusal.missing("machine version")
            }
            guard wanted.contains(machine.state) else { return nil }
            return .ok([
                "ok": true, "state": .string(machine.state),
                "event_id": .string(machine.events.first?["id"]?.string ?? ""),
                "version": .string(machine.version),
            ])
        }
    }

    private func late(_ states: [String], _ current: String) -> Refusal {
        Refusal(
            408,
            "deadline_exceeded: machine failed to reach desired state, "
                + "\(states.joined(separator: ", ")), currently \(current)")
    }

    private func limit(_ request: Request) throws -> Int {
        guard let text = request.value("timeout") else { return 60 }
        guard let seconds = Int(text), 1...60 ~= seconds else {
            throw Refusal.invalid("timeout must be between 1 and 60 seconds")
        }
        return seconds
    }
}
