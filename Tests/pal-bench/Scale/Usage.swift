import Foundation
import Glibc

/// What this process uses.
enum Usage {
    /// Bytes of memory that are resident.
    static func resident() throws -> Double {
        let words = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
            .split(separator: " ")
        guard words.count > 1, let pages = Double(words[1]) else {
            throw BenchmarkFailure("/proc/self/statm says nothing")
        }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Processor time of all threads so far.
    static func processorTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

/// Runs a part of the benchmark in a process of its own, so that nothing that was measured before
/// is in its memory.
///
/// - Returns: What it measured, by name.
func measured(_ part: ScalePart.Part, _ tree: SpecFiles, state: String) throws -> [String: Double] {
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [
        "scale-part", part.rawValue, "--specs", "\(tree.specs)", "--files", "\(tree.files)",
        "--path", tree.path, "--state", state,
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw BenchmarkFailure("the part '\(part.rawValue)' failed")
    }
    return try JSONDecoder().decode([String: Double].self, from: data)
}
