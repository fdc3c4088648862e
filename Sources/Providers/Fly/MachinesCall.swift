import PalHTTP
import PalModel

/// One call of the Machines API.
struct MachinesCall: Sendable {
    /// What Fly.io counts together, per machine or app.
    enum Action: String, Sendable, Hashable {
        case getApp, createApp, listAddresses, assignAddress
        case createMachine, listMachines, getMachine, updateMachine, startMachine, stopMachine
        case suspendMachine, restartMachine, deleteMachine, wait, lease, releaseLease, metadata,
            exec
        case createVolume, listVolumes, extendVolume, deleteVolume

        var rate: RateLimiter.Rate { self == .getMachine ? .reading : .usual }
    }

    var action: Action
    var method: String
    /// Already percent-encoded; below the app unless it begins with `/apps`.
    var path: String
    var query: [(name: String, value: String)] = []
    var body: Value?
    /// The machine that the call is about; nil for the app.
    var machine: String?
    /// The nonce of the lease that pal holds on it.
    var nonce: String?
    var timeout: Duration? = .seconds(60)

    init(
        _ action: Action, _ method: String, _ path: String,
        query: [(name: String, value: String)] = [], body: Value? = nil, machine: String? = nil
    ) {
        self.action = action
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.machine = machine
    }

    /// A call about one machine.
    init(
        _ action: Action, _ method: String, machine: String, _ verb: String = "",
        query: [(name: String, value: String)] = [], body: Value? = nil
    ) {
        self.init(
            action, method, "/machines/\(PercentEncoding.encoded(machine))\(verb)", query: query,
            body: body, machine: machine)
    }

    /// Whether the call changes something, so that a lost answer leaves a doubt.
    var changesSomething: Bool { method != "GET" }

    /// The whole path with its query.
    func target(app: String) -> String {
        let parameters = query.map { "\($0.name)=\(PercentEncoding.encoded($0.value))" }
        return "/v1" + (path.hasPrefix("/apps") ? "" : "/apps/\(app)") + path
            + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
    }
}
