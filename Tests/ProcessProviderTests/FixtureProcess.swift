import CLinux
import Glibc
import PalFiles
import Testing

@testable import ProcessProvider

/// The executable that is built beside the tests, as a process of its own.
struct FixtureProcess {
    static let path: String = {
        let own = (try? RealPath.resolve("/proc/self/exe")) ?? ""
        let directory = own.split(separator: "/").dropLast().joined(separator: "/")
        return "/\(directory)/ProcessProviderFixture"
    }()

    let pid: pid_t
    private let output: CInt

    init(_ arguments: [String]) throws {
        var ends: [CInt] = [-1, -1]
        try #require(pal_pipe(&ends) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        var pid: pid_t = 0
        let code = CStrings.with([Self.path] + arguments) { arguments in
            CStrings.with(["PATH=/usr/bin:/bin"]) { variables in
                posix_spawn(&pid, Self.path, &actions, nil, arguments, variables)
            }
        }
        close(ends[1])
        try #require(code == 0, "cannot start \(Self.path)")
        self.pid = pid
        output = ends[0]
    }

    /// What it writes up to the end of its first line, or its end.
    func firstLine() -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }

    /// Waits for its end; the status of `waitpid`.
    func wait() -> CInt {
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        close(output)
        return status
    }
}
