import FoundationEssentials

extension Cloud {
    func createApp(_ request: Request) async throws -> Answer {
        let fields = try request.fields()
        // The documents say one, clients of Fly's own say the other.
        guard let name = fields["app_name"]?.string ?? fields["name"]?.string, !name.isEmpty,
            name.utf8.allSatisfy({ "abcdefghijklmnopqrstuvwxyz0123456789-".utf8.contains($0) })
        else { throw Refusal.invalid("the app's name is missing or has other characters") }
        guard fields["org_slug"]?.string == options.org else {
            throw Refusal(403, "unauthorized: not allowed to use this organization")
        }
        let visibleAt = time.elapsed() + delays.appVisible
        return try withWorld { world in
            if options.foreignApps.contains(name) || world.apps[name] != nil {
                throw Refusal(422, "Name has already been taken", word: "name_taken")
            }
            let number = world.next()
            world.apps[name] = App(
                name: name, network: fields["network"]?.string, number: number,
                visibleAt: visibleAt)
            return Answer(
                status: 201, body: ["id": .string(name), "created_at": .int(time.now / 1_000_000)])
        }
    }

    func listApps(_ request: Request) throws -> Answer {
        if let org = request.value("org_slug"), org != options.org {
            throw Refusal(403, "unauthorized: not allowed to use this organization")
        }
        let now = time.elapsed()
        let apps = look { world in
            world.apps.values.filter { $0.visibleAt <= now }.sorted { $0.number < $1.number }
                .map(shape)
        }
        return .ok(["apps": .array(apps), "total_apps": .int(apps.count)])
    }

    func getApp(_ request: Request) async throws -> Answer {
        do {
            return try withApp(request.app) { app, _ in .ok(shape(app)) }
        } catch {
            // Finding nothing takes longer than finding something.
            try await time.sleep(delays.missingApp)
            throw error
        }
    }

    func deleteApp(_ request: Request) throws -> Answer {
        let machines = try withApp(request.app) { app, _ in
            let machines = app.machines.values.filter { !$0.isDestroyed }
            if !machines.isEmpty, !request.flag("force") {
                throw Refusal.precondition("the app still has machines")
            }
            return Array(machines)
        }
        let volumes = withWorld { world in
            defer { world.apps[request.app] = nil }
            return world.apps[request.app].map { Array($0.volumes.keys) } ?? []
        }
        schedule.run { [self] in
            for machine in machines {
                if let process = machine.process { _ = await quench(process, with: 9) }
                Remains.end(ofMachine: machine.id)
                remove(directory(ofMachine: machine.id))
            }
            for volume in volumes { remove(directory(ofVolume: volume)) }
        }
        return Answer(status: 202)
    }

    private func shape(_ app: App) -> JSON {
        [
            "id": .string(app.name), "name": .string(app.name),
            "internal_numeric_id": .int(app.number),
            "organization": ["name": .string(options.org), "slug": .string(options.org)],
            "status": app.machines.values.contains { $0.state == "started" }
                ? "deployed" : "pending",
            "machine_count": .int(app.machines.values.count { !$0.isGone }),
            "volume_count": .int(app.volumes.count),
            "network": .string(app.network ?? "default"),
        ]
    }
}

extension Cloud {
    func listAddresses(_ request: Request) throws -> Answer {
        try withApp(request.app) { app, _ in .ok(["ips": .array(app.addresses)]) }
    }

    func assignAddress(_ request: Request) throws -> Answer {
        let fields = try request.fields()
        return try withApp(request.app) { app, world in
            let number = world.next()
            let ip: String
            switch fields["type"]?.string {
            case "v4": ip = "192.0.2.\(number % 250 + 1)"
            case "shared_v4": ip = "198.51.100.\(number % 250 + 1)"
            case "v6": ip = "2001:db8::\(String(number, radix: 16))"
            case "private_v6": ip = "fdaa::\(String(number, radix: 16))"
            default: throw Refusal.invalid("type is none of v4, v6, shared_v4, private_v6")
            }
            let address: JSON = [
                "ip": .string(ip), "region": .string(fields["region"]?.string ?? "global"),
                "created_at": .string(time.text),
                "shared": .bool(fields["type"]?.string == "shared_v4"),
                "service_name": .string(fields["service_name"]?.string ?? ""),
            ]
            app.addresses.append(address)
            return .ok(address)
        }
    }

    func releaseAddress(_ request: Request) throws -> Answer {
        try withApp(request.app) { app, _ in
            let ip = request.names["ip"]
            guard app.addresses.contains(where: { $0["ip"]?.string == ip }) else {
                throw Refusal.missing("ip")
            }
            app.addresses.removeAll { $0["ip"]?.string == ip }
            return .nothing
        }
    }
}
