extension Cloud {
    func acquireLease(_ request: Request) throws -> Answer {
        let fields = try request.fields()
        let seconds = fields["ttl"]?.int ?? 15
        return try withMachine(request) { machine, _ in
            var new = lease(seconds: seconds, version: machine.version)
            new.description = fields["description"]?.string
            if let old = machine.lease, old.holds(at: time.elapsed()) {
                guard old.nonce == request.nonce else { throw held(old) }
                // To ask again with the nonce is to prolong it.
                new.nonce = old.nonce
                new.description = new.description ?? old.description
            }
            machine.lease = new
            return Answer(status: 201, body: shape(new))
        }
    }

    func getLease(_ request: Request) throws -> Answer {
        try withMachine(request) { machine, _ in
            guard let lease = machine.lease, lease.holds(at: time.elapsed()) else {
                throw Refusal.missing("lease")
            }
            return .ok(shape(lease))
        }
    }

    func releaseLease(_ request: Request) throws -> Answer {
        try withMachine(request) { machine, _ in
            guard let lease = machine.lease, lease.holds(at: time.elapsed()) else {
                throw Refusal.missing("lease")
            }
            guard lease.nonce == request.nonce else { throw held(lease) }
            machine.lease = nil
            return .ok()
        }
    }

    /// A new one of the token's owner.
    func lease(seconds: Int, version: String) -> Lease {
        Lease(
            nonce: Names.nonce(), owner: "test@example.com", version: version,
            endsAt: time.elapsed() + .seconds(seconds),
            endsAtStamp: time.now / 1_000_000_000 + seconds)
    }

    private func held(_ lease: Lease) -> Refusal {
        Refusal(409, "aborted: machine lease currently held by \(lease.owner)")
    }

    private func shape(_ lease: Lease) -> JSON {
        let data: JSON = [
            "nonce": .string(lease.nonce), "expires_at": .int(lease.endsAtStamp),
            "owner": .string(lease.owner), "version": .string(lease.version),
            "description": .string(lease.description ?? ""),
        ]
        // The documents wrap it, the OpenAPI document does not.
        return options.flatLeases ? data : ["status": "success", "data": data]
    }
}
