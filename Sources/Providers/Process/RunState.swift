import FoundationEssentials
import PalFiles
import PalModel
import PalProvider

/// What the files of an instance say of its run.
struct RunEvidence: Sendable, Hashable {
    /// Whether a supervisor, or somebody who is starting one, has the lock.
    var isLocked: Bool
    /// Whether exactly the supervisor of the run lives.
    var isSupervisorAlive: Bool
    var run: RunFile?
    var stop: StopFile?
    var exit: ExitFile?

    /// Reads until nothing changes meanwhile in the one case where that would mislead: a start
    /// between two looks is not the death of a supervisor.
    static func read(_ files: InstanceFiles) throws(ProviderFailure) -> RunEvidence {
        var evidence = try readOnce(files)
        while !evidence.isSupervisorAlive, evidence.run != nil, evidence.exit == nil {
            let again = try readOnce(files)
            if again == evidence { break }
            evidence = again
        }
        return evidence
    }

    private static func readOnce(_ files: InstanceFiles) throws(ProviderFailure) -> RunEvidence {
        let isLocked: Bool
        do { isLocked = try DescriptionLock.isTaken(files.lock) } catch { throw .system(error) }
        do throws(JSONFile.Failure) {
            let run = try JSONFile.readIfPresent(RunFile.self, at: files.run)
            let stop = try JSONFile.readIfPresent(StopFile.self, at: files.stop)
            let exit = try JSONFile.readIfPresent(ExitFile.self, at: files.exit)
            // What belongs to an earlier run is about to be deleted by whoever starts the next.
            return RunEvidence(
                isLocked: isLocked, isSupervisorAlive: run?.supervisor.isAlive ?? false, run: run,
                stop: stop?.run == run?.run ? stop : nil,
                exit: exit?.run == run?.run ? exit : nil)
        } catch {
            throw .file(error)
        }
    }
}

/// Where the run of an instance stands.
struct RunState: Sendable, Hashable {
    var status: InstanceStatus
    /// The processes, where there are any.
    var run: RunFile?
    /// How it ended, where it did.
    var exit: ExitReport?
    /// What else is to be said of it.
    var note: String?

    /// Whether processes are there or about to be.
    var isActive: Bool { [.starting, .running, .stopping].contains(status) }

    /// What the evidence means in the boot that is now.
    init(_ evidence: RunEvidence, boot: String) {
        run = evidence.run
        guard let run = evidence.run else {
            status = evidence.isLocked ? .starting : .stopped
            return
        }
        let wasRequested = evidence.stop != nil || evidence.exit?.wasRequested == true
        if let exit = evidence.exit {
            status = wasRequested ? .stopped : .failed
            self.exit = exit.report
            note = exit.message
        } else if evidence.isLocked, evidence.isSupervisorAlive {
            status = evidence.stop == nil ? .running : .stopping
        } else if run.supervisor.boot != boot {
            status = .stopped
            note = "the machine was restarted"
        } else {
            status = wasRequested ? .stopped : .failed
            exit = ExitReport(code: nil)
            note = wasRequested ? nil : "its supervisor was killed"
        }
    }

    static func read(_ files: InstanceFiles) throws(ProviderFailure) -> RunState {
        let evidence = try RunEvidence.read(files)
        guard let boot = try? BootID.current() else {
            throw .machine("cannot read /proc/sys/kernel/random/boot_id; mount /proc")
        }
        return RunState(evidence, boot: boot)
    }
}
