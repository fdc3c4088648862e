import Glibc
import PalFiles

/// Ending processes of a run that has no supervisor any more: it was killed, and they had escaped
/// the kernel's own clean-up (set-user-id programs, daemons).
///
/// They are known by the control group and by the run's name in their environment, never by a
/// number that was written down. Blocks the thread until they are gone.
enum Leftovers {
    static func end(run: String, _ cgroup: CgroupPlace?) {
        end(variable: LaunchFile.marker, run, cgroup)
        cgroup?.remove()
    }

    static func end(variable: String, _ value: String, _ cgroup: CgroupPlace? = nil) {
        // More rounds than one: a process may have started another one meanwhile.
        for _ in 0..<16 {
            let marked = ProcessTable.pids(withVariable: variable, value)
            let found = Set(marked + (cgroup?.processes() ?? [])).subtracting([getpid()])
            let handles = found.sorted().compactMap(ProcessIdentity.init(pid:)).compactMap {
                identity -> ProcessHandle? in
                guard let handle = ProcessHandle(identity) else { return nil }
                // Looked at again through what cannot come to mean another process.
                let isMeant =
                    ProcessTable.has(identity.pid, variable, value)
                    || cgroup?.processes().contains(identity.pid) == true
                return isMeant && identity.isAlive ? handle : nil
            }
            if handles.isEmpty { return }
            handles.forEach { $0.send(SIGKILL) }
            for handle in handles { _ = handle.waitBlocking(milliseconds: 1000) }
        }
    }
}
