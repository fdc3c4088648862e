import Glibc
import PalFiles

/// What a supervisor's program left running when it ended.
///
/// The supervisor is the parent of every orphan below it, so that killing its children until there
/// are none ends daemons too, in whatever group and session.
enum Descendants {
    /// Kills and reaps every child of this process, and those that become its children by that.
    ///
    /// Gives up on one that does not die within five seconds: it hangs in the kernel.
    static func killAll() {
        for _ in 0..<500 {
            for pid in children() { kill(pid, SIGKILL) }
            var found: pid_t = 0
            repeat { found = waitpid(-1, nil, WNOHANG) } while found > 0
            if found < 0 { return }
            // Nobody says when a child's child arrives.
            usleep(10_000)
        }
    }

    private static func children() -> [pid_t] {
        let own = getpid()
        let path = "/proc/\(own)/task/\(own)/children"
        if let bytes = try? RegularFile.read(at: path, limit: 1 << 20).bytes {
            return numbers(bytes)
        }
        // A kernel without that file.
        return ProcessTable.pids().filter { ProcessStat(pid: $0)?.parent == own }
    }

    private static func numbers(_ bytes: [UInt8]) -> [pid_t] {
        bytes.split(whereSeparator: { $0 <= 0x20 }).compactMap {
            pid_t(String(decoding: $0, as: UTF8.self))
        }
    }
}

/// All processes of the machine.
enum ProcessTable {
    static func pids() -> [pid_t] {
        let names = (try? Directory.names(in: "/proc")) ?? []
        return names.compactMap { name in
            guard case .text(let text) = name else { return nil }
            return pid_t(text)
        }
    }

    /// Those whose environment, as it was at their start, holds a variable with that value.
    static func pids(withVariable name: String, _ value: String) -> [pid_t] {
        pids().filter { has($0, name, value) }
    }

    static func has(_ pid: pid_t, _ name: String, _ value: String) -> Bool {
        guard let bytes = try? RegularFile.read(at: "/proc/\(pid)/environ", limit: 4 << 20).bytes
        else { return false }
        let entry = Array("\(name)=\(value)".utf8)
        return bytes.split(separator: 0).contains { $0.elementsEqual(entry) }
    }
}
