import Glibc
import PalFiles

/// Where the user that runs pal may make control groups, found out by making one.
struct CgroupSupport: Sendable, Hashable {
    var version: CgroupPlace.Version
    /// The directories to make groups in; nil where that controller cannot be used.
    var cpuBase: String?
    var memoryBase: String?

    /// The groups of an instance; nil where there are none. One level below the base, so that no
    /// parent of two instances has to be made or deleted.
    func place(swarm: String, _ providerInstanceId: String) -> CgroupPlace? {
        guard cpuBase != nil || memoryBase != nil else { return nil }
        let name = "pal.\(swarm).\(providerInstanceId)"
        return CgroupPlace(
            version: version, cpu: cpuBase.map { RealPath.join($0, name) },
            memory: memoryBase.map { RealPath.join($0, name) })
    }

    /// Why a limit is not enforced.
    static func reason(_ what: String) -> String {
        "the user that runs pal may not make control groups here; run pal as root or have the "
            + "\(what) controller delegated (systemd: Delegate=yes)"
    }

    /// Looks at the machine, and makes and deletes a group in each place that comes into question.
    static func probe() -> CgroupSupport {
        let mounts = CgroupMount.all()
        let own = CgroupMount.ownPaths()
        func base(_ controller: String, _ file: String, _ value: String) -> String? {
            mounts.filter { $0.controllers.contains(controller) }.lazy
                .flatMap { $0.candidates(own[controller] ?? "/") }
                .first { canLimit($0, file, value) }
        }
        let support = CgroupSupport(
            version: .v1, cpuBase: base("cpu", "cpu.cfs_quota_us", "100000"),
            memoryBase: base("memory", "memory.limit_in_bytes", "\(1 << 30)"))
        if support.cpuBase != nil || support.memoryBase != nil { return support }
        return probeUnified(mounts, own)
    }

    /// In v2 a group with processes cannot also have limited children, so that the place beside the
    /// own group comes into question too.
    private static func probeUnified(
        _ mounts: [CgroupMount], _ own: [String: String]
    ) -> CgroupSupport {
        for mount in mounts where mount.isUnified {
            for base in mount.candidates(own[""] ?? "/") {
                for controller in ["+memory", "+cpu"] {
                    try? CgroupPlace.set(base, "cgroup.subtree_control", controller)
                }
                let memory = canLimit(base, "memory.max", "\(1 << 30)")
                let cpu = canLimit(base, "cpu.max", "100000 100000")
                if memory || cpu {
                    return CgroupSupport(
                        version: .v2, cpuBase: cpu ? base : nil, memoryBase: memory ? base : nil)
                }
            }
        }
        return CgroupSupport(version: .v2)
    }

    private static func canLimit(_ base: String, _ file: String, _ value: String) -> Bool {
        // To move a process, the right to write in a common ancestor is needed too.
        guard access("\(base)/cgroup.procs", W_OK) == 0 else { return false }
        let directory = "\(base)/pal-probe-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        guard mkdir(directory, 0o755) == 0 else { return false }
        defer { rmdir(directory) }
        return (try? CgroupPlace.set(directory, file, value)) != nil
    }
}

/// A mounted hierarchy of control groups.
struct CgroupMount: Sendable, Hashable {
    /// Where it is mounted.
    var directory: String
    /// Which part of the hierarchy is mounted there.
    var root: String
    /// v1: what it controls.
    var controllers: Set<String>
    var isUnified: Bool

    /// The own group, beside it, and the top, where they can be seen.
    func candidates(_ own: String) -> [String] {
        let below = own.hasPrefix(root) ? String(own.dropFirst(root == "/" ? 0 : root.count)) : "/"
        let parent = below.split(separator: "/").dropLast().joined(separator: "/")
        let paths = [below, isUnified ? parent : "", ""].map { path in
            path.split(separator: "/").reduce(directory) { RealPath.join($0, String($1)) }
        }
        return paths.reduce(into: []) { list, path in
            if !list.contains(path) { list.append(path) }
        }
    }

    /// `/proc/self/mountinfo`: proc(5).
    static func all() -> [CgroupMount] {
        lines("/proc/self/mountinfo").compactMap { line in
            let halves = line.split(separator: " - ", maxSplits: 1)
            guard halves.count == 2 else { return nil }
            let left = halves[0].split(separator: " ")
            let right = halves[1].split(separator: " ")
            guard left.count > 4, right.count > 2, right[0] == "cgroup" || right[0] == "cgroup2"
            else { return nil }
            return CgroupMount(
                directory: String(left[4]), root: String(left[3]),
                controllers: right[0] == "cgroup"
                    ? Set(right[2].split(separator: ",").map(String.init)) : [],
                isUnified: right[0] == "cgroup2")
        }
    }

    /// The own group by controller, `""` for v2: `/proc/self/cgroup`.
    static func ownPaths() -> [String: String] {
        var paths: [String: String] = [:]
        for line in lines("/proc/self/cgroup") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            for controller in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(controller)] = String(parts[2])
            }
        }
        return paths
    }

    private static func lines(_ path: String) -> [Substring] {
        guard let bytes = try? RegularFile.read(at: path, limit: 4 << 20).bytes else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}
