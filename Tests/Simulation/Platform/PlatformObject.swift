import FoundationEssentials
import PalModel

/// One object at a simulated platform, as the platform knows it.
struct PlatformObject: Sendable, Hashable {
    /// Who made it.
    enum Maker: Sendable, Hashable {
        case pal, stranger
        /// Somebody who worked without pal, and may leave the object to it.
        case predecessor
    }

    /// The platform's own id; it may be given out again after a deletion.
    var id: String
    /// The unique name at the platform.
    var platformName: String
    /// The marks; none on an object that somebody made by hand.
    var ownership: Ownership?
    var maker: Maker
    var config: InstanceConfig
    var status: InstanceStatus
    var readiness = Readiness.unknown
    var exit: ExitReport?
    var ports: [PortMapping] = []
    var volume: String?
    /// By variable: what its editor is told and nobody else.
    var secrets: [String: String] = [:]
    /// Everything that it was made from, with the changes since: what a platform need not tell.
    var made: InstanceConfig
    var createdAt: Date
    /// Counts the changes of its power: what was planned before the last one does not happen.
    var turn = 0
    /// What happens when it starts.
    var start = StartPlan()
    /// Whether the platform fills in what nobody asked for.
    var hasDefaults = false
    /// The name of the instance that it counts as, without marks: pal was told to adopt it.
    var adoptedAs: String?

    /// The name of the instance that it is.
    var name: String? { ownership?.name ?? adoptedAs }

    /// Whether it is one of a swarm's instances.
    func belongs(to swarm: String) -> Bool { ownership?.swarm == swarm || adoptedAs != nil }

    /// Whether it is there and not on its way out.
    var isLive: Bool { status != .deleting }
}

/// How a start goes.
struct StartPlan: Sendable, Hashable {
    var provisioning = Duration.zero
    var boot = Duration.milliseconds(300)
    var readying = Duration.milliseconds(700)
    /// Ends by itself so long after it runs; nil for never.
    var crashesAfter: Duration?
}

/// Persistent storage at a simulated platform.
struct PlatformVolume: Sendable, Hashable {
    var id: String
    var instance: String
    /// Stands for all that was ever written there: a new storage has another one.
    var content: Int
}
