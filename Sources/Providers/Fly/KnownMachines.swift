import PalModel
import Synchronization

/// The marks of machines, by id: a machine whose host does not answer can come without them.
final class KnownMachines: Sendable {
    private let marks = Mutex<[String: Ownership]>([:])
    private let swarm: String
    private let provider: String

    init(_ settings: FlySettings) {
        swarm = settings.swarm
        provider = settings.name
    }

    /// Remembers the marks of the provider's own machines.
    func learn(_ machines: [Machine]) {
        marks.withLock { marks in
            // One that lost them while its host answers is not the provider's any more.
            for machine in machines {
                if let found = marksOf(machine) {
                    marks[machine.id] = found
                } else if machine.isReachable {
                    marks[machine.id] = nil
                }
            }
        }
    }

    /// The marks of a machine of the swarm and the provider: its own, or those that it had when its
    /// host last answered. Nil for what is somebody else's.
    func ownership(of machine: Machine) -> Ownership? {
        if let found = marksOf(machine) { return found }
        return machine.isReachable ? nil : marks.withLock { $0[machine.id] }
    }

    private func marksOf(_ machine: Machine) -> Ownership? {
        let metadata = machine.metadata
        guard metadata[FlyMark.provider] == provider,
            let found = FlyMark.ownership(metadata), found.swarm == swarm
        else { return nil }
        return found
    }

    /// Forgets one that is deleted.
    func forget(_ id: String) { marks.withLock { $0[id] = nil } }
}

/// The sizes of volumes in GiB, by id, as of the last look: they change by pal's hand alone, or are
/// seen at the next list.
final class KnownSizes: Sendable {
    private let sizes = Mutex<[String: Int]>([:])

    /// Remembers what was seen.
    func learn(_ volumes: [Volume]) {
        sizes.withLock { sizes in for volume in volumes { sizes[volume.id] = volume.size } }
    }

    /// The size of a volume; nil where it was never seen.
    func size(_ id: String) -> Int? { sizes.withLock { $0[id] } }

    /// Forgets one that changes or goes.
    func forget(_ id: String) { sizes.withLock { $0[id] = nil } }
}
