import Glibc
import PalFiles

/// The limits of an instance, in the units of the kernel's files.
struct CgroupLimits: Sendable, Hashable {
    /// Cores.
    var cores: Double?
    /// MiB.
    var memoryMin: Int?
    /// MiB.
    var memoryMax: Int?

    var isEmpty: Bool { cores == nil && memoryMin == nil && memoryMax == nil }
}

/// The control groups of one instance: one directory for each controller (v1), or one (v2).
///
/// Files and units: cgroup-v1/memory.txt, scheduler/sched-bwc.txt and cgroup-v2.txt of the kernel.
struct CgroupPlace: Sendable, Hashable, Codable {
    enum Version: Int, Sendable, Codable { case v1 = 1, v2 }

    var version: Version
    /// Nil where the user may not limit it.
    var cpu: String?
    var memory: String?

    private var directories: [String] { Set([cpu, memory].compactMap { $0 }).sorted() }

    /// Makes the directories; they may stand already.
    func create() throws(SystemError) {
        for directory in directories where mkdir(directory, 0o755) != 0 && errno != EEXIST {
            throw SystemError("create", directory, code: errno)
        }
    }

    /// Deletes the directories; the kernel refuses that while processes are in them.
    func remove() {
        for directory in directories { rmdir(directory) }
    }

    /// Sets every limit; one that is nil is lifted.
    func apply(_ limits: CgroupLimits) throws(SystemError) {
        let period = 100_000
        let quota = limits.cores.map { max(1000, Int($0 * Double(period))) }
        let low = limits.memoryMin.map { $0 << 20 }
        let high = limits.memoryMax.map { $0 << 20 }
        switch version {
        case .v1:
            if let cpu { try Self.set(cpu, "cpu.cfs_quota_us", "\(quota ?? -1)") }
            if let memory {
                try applyHard(memory, high)
                try Self.set(memory, "memory.soft_limit_in_bytes", "\(low ?? -1)")
            }
        case .v2:
            if let cpu {
                try Self.set(cpu, "cpu.max", "\(quota.map(String.init) ?? "max") \(period)")
            }
            if let memory {
                try Self.set(memory, "memory.low", "\(low ?? 0)")
                try Self.set(memory, "memory.max", high.map(String.init) ?? "max")
                try? Self.set(memory, "memory.swap.max", high == nil ? "max" : "0")
            }
        }
    }

    /// Memory and swap together have the limit that memory has: a hard one. The kernel demands the
    /// larger one of the two first, so that either order can be the right one. Swap is not counted
    /// by every kernel.
    private func applyHard(_ directory: String, _ limit: Int?) throws(SystemError) {
        let text = "\(limit ?? -1)"
        try? Self.set(directory, "memory.memsw.limit_in_bytes", text)
        try Self.set(directory, "memory.limit_in_bytes", text)
        try? Self.set(directory, "memory.memsw.limit_in_bytes", text)
    }

    /// Descriptors of the files by which a process joins; those that cannot be opened are left out
    /// and fail the join itself.
    func openForJoining() -> [CInt] {
        directories.map { open("\($0)/cgroup.procs", O_WRONLY | O_CLOEXEC) }
    }

    /// Moves a process in. What it has done before is not counted.
    func join(_ pid: Int32) throws(SystemError) {
        for directory in directories { try Self.set(directory, "cgroup.procs", "\(pid)") }
    }

    /// How many processes the kernel has killed here because the memory was used up.
    func oomKills() -> Int {
        guard let memory else { return 0 }
        let file = version == .v1 ? "memory.oom_control" : "memory.events"
        return Self.number(after: "oom_kill", in: "\(memory)/\(file)") ?? 0
    }

    /// The memory in use, in bytes; nil where nothing runs here.
    func memoryUsed() -> Int? {
        guard let memory else { return nil }
        let file = version == .v1 ? "memory.usage_in_bytes" : "memory.current"
        return Self.text("\(memory)/\(file)").flatMap { Int($0) }
    }

    func processes() -> [Int32] {
        Set(directories.flatMap { Self.text("\($0)/cgroup.procs")?.split(separator: "\n") ?? [] })
            .compactMap { Int32($0) }.sorted()
    }

    func killAll() {
        for pid in processes() { kill(pid, SIGKILL) }
    }

    static func set(_ directory: String, _ file: String, _ value: String) throws(SystemError) {
        let path = "\(directory)/\(file)"
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open", path, code: errno) }
        defer { close(descriptor) }
        let count = value.withCString { write(descriptor, $0, strlen($0)) }
        if count < 0 { throw SystemError("write '\(value)' to", path, code: errno) }
    }

    static func text(_ path: String) -> String? {
        guard let bytes = try? RegularFile.read(at: path, limit: 1 << 20).bytes else { return nil }
        return String(decoding: bytes, as: UTF8.self).trimmed
    }

    static func number(after key: String, in path: String) -> Int? {
        text(path)?.split(separator: "\n").lazy
            .map { $0.split(separator: " ") }
            .first { $0.first == key[...] }?.last.flatMap { Int($0) }
    }
}

extension String {
    /// Without the line's end that the kernel's files have.
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
