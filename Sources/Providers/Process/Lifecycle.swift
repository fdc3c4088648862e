import FoundationEssentials
import Glibc
import PalFiles
public import PalModel
public import PalProvider

extension ProcessProvider {
    /// Starts the program in a new run.
    /// - Throws: `PortTaken`, `ProgramMissing` or `WorkspaceMissing` where the machine has changed.
    public func startInstance(_ reference: InstanceReference) async throws(ProviderFailure) {
        try await start(try records.get(reference))
    }

    /// Ends the whole process group, also one that the supervisor's death left behind.
    ///
    /// That it shall end is written down first, so that the end is no failure. The supervisor does
    /// the waiting: the stop goes on when the controller dies meanwhile.
    public func stopInstance(
        _ reference: InstanceReference, force: Bool
    ) async throws(ProviderFailure) {
        try await stop(try records.get(reference), force: force)
    }

    /// Asks it to end, ends it after its grace time, and deletes its directory: record, logs,
    /// password, and the home where that is not persistent.
    public func deleteInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> Bool {
        guard let entry = try records.find(reference) else { return false }
        try await stop(entry, force: false)
        // Also one that a crash in the middle of a start has left without a run.
        cgroup(of: entry)?.remove()
        return try await offPool { () throws(ProviderFailure) in
            guard Directories.exists(entry.files.directory) else { return false }
            try Directories.deleteOrFail(entry.files.directory)
            return true
        }
    }

    /// The longest that a supervisor takes over what it was given, before it is ended itself.
    private static let margin = Duration.seconds(10)

    func start(_ entry: RecordStore.Entry) async throws(ProviderFailure) {
        guard let lock = try await lockForStart(entry.files) else { return }
        let files = entry.files
        let records = records
        let plan = LaunchPlan(settings: settings)
        let place = cgroup(of: entry)
        let launcher = Launcher(
            supervisorCommand: supervisorCommand, environment: settings.environment)
        try await offPool { () throws(ProviderFailure) in
            Self.endLeftovers(files)
            let record = try records.settlePorts(of: entry)
            var launch = try plan.make(record, files, run: Creation.random())
            try Self.makeHome(plan.home(record, files), launch)
            launch.cgroup = try Self.prepare(place, record)
            try launcher.start(launch, files, lock)
        }
    }

    /// The lock; nil where the instance runs already.
    private func lockForStart(
        _ files: InstanceFiles
    ) async throws(ProviderFailure) -> DescriptionLock? {
        for _ in 0..<Self.lockAttempts {
            do {
                if let lock = try DescriptionLock.take(files.lock) { return lock }
            } catch {
                throw .system(error)
            }
            let state = try RunState.read(files)
            if state.status == .running { return nil }
            await waitForChange(files, state)
        }
        throw .instance(
            .wrongState, "\(files.directory) is being started or stopped; try again",
            isRetryable: true)
    }

    /// Five seconds in all, where nothing but time can be waited for.
    private static let lockAttempts = 250

    /// Waits until a run that is neither running nor gone is one of the two.
    private func waitForChange(_ files: InstanceFiles, _ state: RunState) async {
        if let supervisor = state.run?.supervisor {
            if let handle = ProcessHandle(supervisor) {
                _ = await handle.hasEnded(within: Self.margin, clock)
                return
            }
            // Another start has only begun, or a process that was just forked, somewhere in this
            // one, still has a copy of the descriptor. Neither makes an event, and neither lasts.
            try? await clock.sleep(for: .milliseconds(20))
            return
        }
        await FileWait(clock: clock).until(files.directory, within: Self.margin) {
            let now = try? RunState.read(files)
            return now?.status != .starting || now?.run != nil
        }
    }

    func stop(_ entry: RecordStore.Entry, force: Bool) async throws(ProviderFailure) {
        let files = entry.files
        let timeout = force ? 0 : Specifics(entry.record.config).stopTimeout.milliseconds
        for _ in 0..<8 {
            let state = try RunState.read(files)
            guard let run = state.run else {
                if state.status == .starting {
                    await waitForChange(files, state)
                    continue
                }
                return
            }
            if state.status == .stopped {
                try await offPool { () throws(ProviderFailure) in Self.endLeftovers(files) }
                return
            }
            let request = StopFile(run: run.run, at: Date(), grace: timeout)
            do { try JSONFile.write(request, to: files.stop) } catch { throw .file(error) }
            if let handle = ProcessHandle(run.supervisor) {
                handle.send(SIGTERM)
                let limit = Duration.milliseconds(timeout) + Self.margin
                if await !handle.hasEnded(within: limit, clock) {
                    if Task.isCancelled { throw .ambiguous("the stop goes on") }
                    handle.send(SIGKILL)
                    _ = await handle.hasEnded(within: Self.margin, clock)
                }
            }
            try await offPool { () throws(ProviderFailure) in Self.endLeftovers(files) }
            if try !RunState.read(files).isActive { return }
        }
        throw .machine("\(files.directory) does not stop; look at its processes with 'ps'")
    }

    private func cgroup(of entry: RecordStore.Entry) -> CgroupPlace? {
        cgroupSupport?.place(swarm: settings.swarm, entry.record.providerInstanceId)
    }

    /// Whatever still lives of the last run is ended. Blocks.
    private static func endLeftovers(_ files: InstanceFiles) {
        guard let launch = try? JSONFile.read(LaunchFile.self, at: files.launch) else { return }
        Leftovers.end(run: launch.run, launch.cgroup)
    }

    private static func makeHome(
        _ home: String, _ launch: LaunchFile
    ) throws(ProviderFailure) {
        do throws(SystemError) {
            try Directories.make(home)
            try Directories.make(launch.directory)
        } catch {
            throw .system(error)
        }
    }

    /// The groups with their limits; nil where none can be made and none is needed.
    private static func prepare(
        _ place: CgroupPlace?, _ record: InstanceRecord
    ) throws(ProviderFailure) -> CgroupPlace? {
        guard let place else { return nil }
        do throws(SystemError) {
            try place.create()
            try place.apply(record.limits)
            return place
        } catch {
            place.remove()
            if record.limits.isEmpty { return nil }
            throw .system(error)
        }
    }
}

extension RecordStore {
    /// Wakes the supervisors of runs that were asked to end: a crash may have come between the
    /// asking and the signal. One that is ending already goes on as before. Blocks.
    func finishStops() throws(ProviderFailure) {
        for entry in try all() {
            guard let state = try? RunState.read(entry.files), state.status == .stopping,
                let supervisor = state.run?.supervisor
            else { continue }
            ProcessHandle(supervisor)?.send(SIGTERM)
        }
    }
}
