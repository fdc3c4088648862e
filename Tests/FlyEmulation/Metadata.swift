extension Cloud {
    func getMetadata(_ request: Request) throws -> Answer {
        try withMachine(request) { machine, _ in .ok(machine.config["metadata"] ?? [:]) }
    }

    func getMetadataKey(_ request: Request) throws -> Answer {
        try withMachine(request) { machine, _ in
            guard let value = machine.config["metadata"]?[request.names["key"] ?? ""] else {
                throw Refusal.missing("metadata key")
            }
            return .ok(["value": value])
        }
    }

    func setMetadataKey(_ request: Request) throws -> Answer {
        guard let value = try request.fields()["value"]?.string else {
            throw Refusal.invalid("value is required")
        }
        return try change(request) { $0[request.names["key"] ?? ""] = .string(value) }
    }

    func deleteMetadataKey(_ request: Request) throws -> Answer {
        try change(request) { $0[request.names["key"] ?? ""] = nil }
    }

    /// `PUT` replaces all, `PATCH` changes some.
    func updateMetadata(_ request: Request) throws -> Answer {
        let fields = try request.fields()
        guard let metadata = fields["metadata"]?.object else {
            throw Refusal.invalid("metadata is required")
        }
        return try change(request, version: fields["machine_version"]?.string) { all in
            if request.method == "PUT" { all = [:] }
            for (key, value) in metadata {
                all[key] = value == .null || value == "" ? nil : value
            }
        }
    }

    private func change(
        _ request: Request, version: String? = nil, _ body: (inout [String: JSON]) -> Void
    ) throws -> Answer {
        try withMachine(request) { machine, _ in
            if let version, version != machine.version {
                throw Refusal.precondition("machine version has changed")
            }
            var metadata = machine.config["metadata"]?.object ?? [:]
            body(&metadata)
            machine.config["metadata"] = .object(metadata)
            machine.updatedAt = time.now
            return .nothing
        }
    }
}
