extension Cloud {
    func listMachines(_ request: Request) throws -> Answer {
        try withApp(request.app) { app, _ in
            let all = faults.take(.staleList) ? app.before : app.machines
            let states = Set(request.values("state"))
            let regions = Set(request.values("region"))
            let metadata = request.query.filter { $0.name.hasPrefix("metadata.") }
                .map { (key: String($0.name.dropFirst(9)), value: $0.value) }
            let chosen = all.values.filter { machine in
                let own = machine.config["metadata"]
                return (request.flag("include_deleted") || !machine.isGone)
                    && (states.isEmpty || states.contains(machine.state))
                    && (regions.isEmpty || regions.contains(machine.region))
                    && metadata.allSatisfy { own?[$0.key]?.string == $0.value }
            }.sorted { $0.order < $1.order }
            let newest = newest(of: app)
            return .ok(
                .array(
                    chosen.map { machine in
                        shape(
                            machine,
                            state: machine.order == newest?.order ? strangeState() : nil,
                            isSummary: request.flag("summary"))
                    }))
        }
    }

    func getMachine(_ request: Request) throws -> Answer {
        try withMachine(request) { machine, app in
            let isNewest = machine.order >= newest(of: app)?.order ?? 0
            return .ok(shape(machine, state: isNewest ? strangeState() : nil))
        }
    }

    func listEvents(_ request: Request) throws -> Answer {
        let limit = min(request.value("limit").flatMap { Int($0) } ?? 20, 50)
        return try withMachine(request) { machine, _ in
            .ok(.array(Array(machine.events.prefix(max(limit, 0)))))
        }
    }

    private func newest(of app: App) -> Machine? {
        app.machines.values.filter { !$0.isGone }.max { $0.order < $1.order }
    }

    private func strangeState() -> String? {
        let fault = faults.take { if case .unknownState = $0 { true } else { false } }
        if case .unknownState(let state) = fault { return state }
        return nil
    }
}
