/// A call that the emulation knows.
struct Route: Sendable {
    typealias Handler = @Sendable (Cloud, Request) async throws -> Answer

    var method: String
    /// Words, and names after a colon that stand for any word.
    var pattern: [String]
    /// What the limits count it by.
    var name: String
    var action: Action?
    /// Whether leases and absent hosts keep it from being done.
    var isGuarded = false
    /// Whether an old list of machines is one from before it.
    var changesMachines = false
    var handle: Handler

    var isOfLogs: Bool { pattern.first == "api" }

    init(_ line: String, _ name: String, _ action: Action?, _ handle: @escaping Handler) {
        let words = line.split(separator: " ")
        method = String(words[0])
        pattern = words[1].split(separator: "/").map(String.init)
        self.name = name
        self.action = action
        self.handle = handle
    }

    init(_ line: String, _ action: Action, _ handle: @escaping Handler) {
        self.init(line, action.rawValue, action, handle)
    }

    /// Whether a call is of this route; if it is, it gets the names.
    func matches(_ request: inout Request) -> Bool {
        guard method == request.method, pattern.count == request.path.count else { return false }
        var names: [String: String] = [:]
        for (expected, word) in zip(pattern, request.path) {
            if expected.hasPrefix(":") {
                names[String(expected.dropFirst())] = word
            } else if expected != word {
                return false
            }
        }
        request.names = names
        return true
    }

    private func guarded() -> Route {
        var route = self
        route.isGuarded = true
        route.changesMachines = true
        return route
    }

    private func changing() -> Route {
        var route = self
        route.changesMachines = true
        return route
    }

    static let all = apps + machines + verbs + metadata + volumes

    private static let apps = [
        Route("POST /v1/apps", .createApp) { try await $0.createApp($1) },
        Route("GET /v1/apps", "listApps", nil) { try $0.listApps($1) },
        Route("GET /v1/apps/:app", .getApp) { try await $0.getApp($1) },
        Route("DELETE /v1/apps/:app", "deleteApp", nil) { try $0.deleteApp($1) },
        Route("GET /v1/apps/:app/ip_assignments", .listIPs) { try $0.listAddresses($1) },
        Route("POST /v1/apps/:app/ip_assignments", .assignIP) { try $0.assignAddress($1) },
        Route("DELETE /v1/apps/:app/ip_assignments/:ip", "releaseIP", nil) {
            try $0.releaseAddress($1)
        },
        Route("GET /api/v1/apps/:app/logs", .logs) { try $0.logs($1) },
    ]

    private static let machines = [
        Route("GET /v1/apps/:app/machines", .listMachines) { try $0.listMachines($1) },
        Route("POST /v1/apps/:app/machines", .createMachine) { try $0.createMachine($1) }
            .changing(),
        Route("GET /v1/apps/:app/machines/:machine", .getMachine) { try $0.getMachine($1) },
        Route("POST /v1/apps/:app/machines/:machine", .updateMachine) { try $0.updateMachine($1) }
            .guarded(),
        Route("DELETE /v1/apps/:app/machines/:machine", .deleteMachine) {
            try $0.deleteMachine($1)
        }.guarded(),
        Route("GET /v1/apps/:app/machines/:machine/events", .events) { try $0.listEvents($1) },
        Route("GET /v1/apps/:app/machines/:machine/wait", .wait) { try await $0.wait($1) },
        Route("POST /v1/apps/:app/machines/:machine/exec", .exec) { try await $0.exec($1) },
        Route("POST /v1/apps/:app/machines/:machine/lease", .lease) { try $0.acquireLease($1) },
        Route("GET /v1/apps/:app/machines/:machine/lease", "getLease", .lease) {
            try $0.getLease($1)
        },
        Route("DELETE /v1/apps/:app/machines/:machine/lease", "releaseLease", .lease) {
            try $0.releaseLease($1)
        },
    ]

    private static let verbs = [
        Route("POST /v1/apps/:app/machines/:machine/start", .startMachine) {
            try $0.startMachine($1)
        }.guarded(),
        Route("POST /v1/apps/:app/machines/:machine/stop", .stopMachine) { try $0.stopMachine($1) }
            .guarded(),
        Route("POST /v1/apps/:app/machines/:machine/suspend", .suspendMachine) {
            try $0.suspendMachine($1)
        }.guarded(),
        Route("POST /v1/apps/:app/machines/:machine/restart", "restartMachine", nil) {
            try $0.restartMachine($1)
        }.guarded(),
        Route("POST /v1/apps/:app/machines/:machine/signal", "signalMachine", nil) {
            try $0.signalMachine($1)
        }.guarded(),
    ]

    private static let metadata = [
        Route("GET /v1/apps/:app/machines/:machine/metadata", "getMetadata", .metadata) {
            try $0.getMetadata($1)
        },
        Route("PUT /v1/apps/:app/machines/:machine/metadata", "putMetadata", .metadata) {
            try $0.updateMetadata($1)
        }.guarded(),
        Route("PATCH /v1/apps/:app/machines/:machine/metadata", "patchMetadata", .metadata) {
            try $0.updateMetadata($1)
        }.guarded(),
        Route("GET /v1/apps/:app/machines/:machine/metadata/:key", "getMetadataKey", .metadata) {
            try $0.getMetadataKey($1)
        },
        Route("POST /v1/apps/:app/machines/:machine/metadata/:key", .metadata) {
            try $0.setMetadataKey($1)
        }.guarded(),
        Route("DELETE /v1/apps/:app/machines/:machine/metadata/:key", "deleteKey", .metadata) {
            try $0.deleteMetadataKey($1)
        }.guarded(),
    ]

    private static let volumes = [
        Route("GET /v1/apps/:app/volumes", .listVolumes) { try $0.listVolumes($1) },
        Route("POST /v1/apps/:app/volumes", .createVolume) { try $0.createVolume($1) },
        Route("GET /v1/apps/:app/volumes/:volume", .getVolume) { try $0.getVolume($1) },
        Route("PUT /v1/apps/:app/volumes/:volume", "updateVolume", nil) {
            try $0.updateVolume($1)
        },
        Route("DELETE /v1/apps/:app/volumes/:volume", .deleteVolume) { try $0.deleteVolume($1) },
        Route("PUT /v1/apps/:app/volumes/:volume/extend", .extendVolume) {
            try $0.extendVolume($1)
        },
    ]
}
