import PalModel
import PalProvider

/// Lets one task at a time make the app.
actor AppTurn {
    private var isReady = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isBusy = false

    /// Makes sure of the app once in this process; after a failure the next caller tries.
    func once(_ body: () async throws(ProviderFailure) -> Void) async throws(ProviderFailure) {
        while isBusy { await withCheckedContinuation { waiting.append($0) } }
        if isReady { return }
        isBusy = true
        defer {
            isBusy = false
            let all = waiting
            waiting = []
            for one in all { one.resume() }
        }
        try await body()
        isReady = true
    }

    /// The app was seen missing: it is looked for again.
    func forget() { isReady = false }
}

extension FlyProvider {
    /// Whether the app is there.
    /// - Throws: An error where it is somebody else's.
    func appExists() async throws(ProviderFailure) -> Bool {
        let answer = try await api.send(
            MachinesCall(.getApp, "GET", "/apps/\(settings.app)"))
        // A proxy that answers so to everything says nothing about the app.
        if answer.status == 404, answer.value != nil {
            await appTurn.forget()
            return false
        }
        if answer.status == 403 { throw foreign(answer) }
        guard answer.isSuccess else {
            throw .unexpected(
                answer, doing: "look for the app \(settings.app)", changesSomething: false)
        }
        return true
    }

    /// Makes the app where it is missing, and gives it addresses where it has none.
    func ensureApp() async throws(ProviderFailure) {
        try await appTurn.once { () throws(ProviderFailure) in
            if try await !appExists() {
                try await makeApp()
                try await awaitApp()
            }
            try await ensureAddresses()
        }
    }

    private func makeApp() async throws(ProviderFailure) {
        let answer = try await api.send(
            MachinesCall(
                .createApp, "POST", "/apps",
                body: .map([
                    "name": .string(settings.app), "org_slug": .string(settings.organization),
                ])))
        if answer.isSuccess { return }
        if answer.word == "name_taken" || answer.status == 409 {
            // A first attempt of pal's own whose answer was lost is a good end, too.
            if try await appExists() { return }
            throw foreign(answer)
        }
        throw .unexpected(answer, doing: "make the app \(settings.app)", changesSomething: true)
    }

    /// A new app answers 404 for some seconds.
    private func awaitApp() async throws(ProviderFailure) {
        for _ in 0..<30 {
            if try await appExists() { return }
            try await api.pause(.seconds(1))
        }
        throw .ambiguous("the app \(settings.app) was made, and Fly.io does not show it yet")
    }

    private func foreign(_ answer: FlyAnswer) -> ProviderFailure {
        .invalid(
            "the app '\(settings.app)' belongs to another organization, or this token may not use "
                + "it: names of apps are Fly.io's as a whole. Set specific.app of provider "
                + "'\(name)' in pal.yaml to another name, or take another token",
            cause: answer.cause)
    }

    /// Without an address nobody reaches what the machines serve.
    private func ensureAddresses() async throws(ProviderFailure) {
        let answer = try await api.send(
            MachinesCall(.listAddresses, "GET", "/ip_assignments"))
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "list the addresses", changesSomething: false)
        }
        let present = Set(try answer.list("ips").compactMap(Self.kind))
        for kind in settings.addresses where !present.contains(kind) {
            let answer = try await api.send(
                MachinesCall(
                    .assignAddress, "POST", "/ip_assignments", body: .map(["type": .string(kind)])
                ))
            guard answer.isSuccess else {
                throw .unexpected(
                    answer, doing: "give the app an address of the kind \(kind)",
                    changesSomething: true)
            }
        }
    }

    /// The list says of an address whether it is shared, and not of which kind it is.
    private static func kind(_ address: Value) -> String? {
        if address["shared"] == .bool(true) { return "shared_v4" }
        let text = address["ip"].flatMap { String($0) } ?? ""
        // Fly.io's private networks.
        if text.hasPrefix("fdaa:") { return nil }
        return text.contains(":") ? "v6" : "v4"
    }
}
