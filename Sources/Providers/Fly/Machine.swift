internal import FoundationEssentials
import PalModel
import PalProvider

/// A machine as the Machines API tells of it. What is not asked for here is passed over, and what
/// is missing is nil: the API adds fields and states without notice.
struct Machine: Sendable {
    let value: Value

    private func text(_ path: String) -> String? { value[path].flatMap { String($0) } }

    var id: String { text("id") ?? "" }
    var name: String { text("name") ?? "" }
    var state: String { text("state") ?? "" }
    var region: String? { text("region") }
    /// Changes with each update.
    var version: String? { text("instance_id") }
    var privateAddress: String? { text("private_ip") }
    var digest: String? { text("image_ref.digest") }
    var createdAt: Date? { text("created_at").flatMap { Timestamp.date($0) } }
    var updatedAt: Date? { text("updated_at").flatMap { Timestamp.date($0) } }

    /// Whether the host that it is on answers. Where it does not, the config may be missing.
    var isReachable: Bool { (text("host_status") ?? "ok") == "ok" }

    /// All of the config, as an update has to send it; nil where Fly.io does not know all of it.
    var wholeConfig: Value? {
        guard isReachable, case .map? = value["config"] else { return nil }
        return value["config"]
    }

    /// What is known of the config.
    var config: Value? {
        if case .map? = value["config"] { return value["config"] }
        return value["incomplete_config"]
    }

    var metadata: [String: String] {
        guard case .map(let entries)? = config?["metadata"] else { return [:] }
        return entries.compactMapValues { String($0) }
    }

    var environment: [String: String] {
        guard case .map(let entries)? = config?["env"] else { return [:] }
        return entries.compactMapValues { String($0) }
    }

    /// The volume that is mounted.
    var volume: String? {
        guard case .list(let mounts)? = config?["mounts"] else { return nil }
        return mounts.first?["volume"].flatMap { String($0) }
    }

    /// Where it is mounted.
    var mountPath: String? {
        guard case .list(let mounts)? = config?["mounts"] else { return nil }
        return mounts.first?["path"].flatMap { String($0) }
    }

    /// Whether it is no more, whatever still tells of it.
    var isGone: Bool { ["destroyed", "replaced", "migrated"].contains(state) }

    /// pal's word for the state. What Fly.io's documents do not name is unknown, and so is every
    /// state that its host has not confirmed.
    var status: InstanceStatus {
        guard isReachable else { return .unknown }
        return switch state {
        case "creating": .creating
        case "created": isLaunching ? .creating : .stopped
        case "stopped", "suspended": .stopped
        case "starting", "restarting": .starting
        case "started": .running
        case "stopping", "suspending": .stopping
        case "updating", "replacing": .updating
        case "destroying": .deleting
        case "failed", "launch_failed": .failed
        default: .unknown
        }
    }

    /// Whether it was just made to be started, and its image may still be on the way. Fly.io calls
    /// a machine stuck after five minutes.
    private var isLaunching: Bool {
        guard metadata[FlyMark.starts] != nil, let createdAt else { return false }
        return Date().timeIntervalSince(createdAt) < 300
    }

    /// The checks, without those that Fly.io's own tools leave behind.
    var checks: [(name: String, status: String, output: String)] {
        guard case .list(let checks)? = value["checks"] else { return [] }
        return checks.compactMap { check in
            guard let name = check["name"].flatMap({ String($0) }),
                !name.hasPrefix("bg_deployments_compat")
            else { return nil }
            return (
                name, check["status"].flatMap { String($0) } ?? "",
                check["output"].flatMap { String($0) } ?? ""
            )
        }
    }

    /// How the last run ended, from the newest event that tells.
    var exit: ExitReport? {
        guard status != .running, case .list(let events)? = value["events"] else { return nil }
        guard
            let event = events.first(where: {
                if case .map? = $0["request.exit_event"] { true } else { false }
            }), let exit = event["request.exit_event"]
        else { return nil }
        let code = exit["exit_code"].flatMap { Int($0) } ?? 0
        // A shell's convention, which Fly.io's init follows: 128 + n for signal n.
        let signal = (129...192).contains(code) ? code - 128 : nil
        let at = event["timestamp"].flatMap { Int($0) }
        return ExitReport(
            code: code, signal: signal,
            isOutOfMemory: exit["oom_killed"].flatMap { Bool($0) } ?? false,
            at: at.map { Date(timeIntervalSince1970: Double($0) / 1000) })
    }
}

/// A volume as the Machines API tells of it.
struct Volume: Sendable, Hashable {
    var id: String
    var name: String
    var region: String
    var state: String
    /// In GiB.
    var size: Int
    /// The machine that it is bound to.
    var machine: String?
    var createdAt: Date?

    init?(_ value: Value) {
        func text(_ path: String) -> String? { value[path].flatMap { String($0) } }
        guard let id = text("id"), let name = text("name") else { return nil }
        self.id = id
        self.name = name
        region = text("region") ?? ""
        state = text("state") ?? ""
        size = value["size_gb"].flatMap { Int($0) } ?? 0
        machine = text("attached_machine_id").flatMap { $0.isEmpty ? nil : $0 }
        createdAt = text("created_at").flatMap { Timestamp.date($0) }
    }

    /// Whether it is on its way out: such a one is never used and never deleted again.
    var isGoing: Bool {
        [
            "scheduling_destroy", "fork_cleanup", "waiting_for_detach", "pending_destroy",
            "destroying", "destroyed",
        ].contains(state)
    }
}
