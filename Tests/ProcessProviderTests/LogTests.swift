import FoundationEssentials
import Glibc
import PalFiles
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct LogTests {
    @Test func bothStreamsAreKeptWithTheirTimes() async throws {
        try await Bench.run { bench in
            let before = Date()
            let made = try await bench.create("alice", "echo out; echo err >&2; printf rest")
            try await bench.awaitEnd(made)
            let lines = try await bench.provider.getInstanceLogs(made.reference, LogOptions())
            #expect(Set(lines.map(\.text)) == ["out", "err", "rest"])
            #expect(lines.filter { $0.stream == .stderr }.map(\.text) == ["err"])
            let times = lines.compactMap(\.at)
            #expect(times.count == 3)
            #expect(times.allSatisfy { $0 >= before.addingTimeInterval(-0.001) && $0 <= Date() })
        }
    }

    @Test func linesSinceAndPatternSelect() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", "for i in 1 2 3 4 5; do echo n$i; done")
            try await bench.awaitEnd(made)
            func texts(_ options: LogOptions) async throws -> [String] {
                try await bench.provider.getInstanceLogs(made.reference, options).map(\.text)
            }
            #expect(try await texts(LogOptions(lines: 2)) == ["n4", "n5"])
            #expect(try await texts(LogOptions(lines: 0)) == [])
            #expect(try await texts(LogOptions(lines: 2, pattern: "[1-4]$")) == ["n4"])
            #expect(try await texts(LogOptions(since: Date().addingTimeInterval(60))) == [])
            _ = await failure(.invalidConfig) { () async throws(ProviderFailure) in
                try await bench.provider.getInstanceLogs(made.reference, LogOptions(pattern: "("))
            }
        }
    }

    @Test func filesAreRotatedAndBounded() async throws {
        try await Bench.run { bench in
            // 40 MB in lines of 60 kB: more than three files hold.
            let script = "head -c 40000000 /dev/zero | tr '\\0' x | fold -w 60000; echo; echo last"
            let made = try await bench.create("alice", script)
            try await bench.awaitEnd(made)
            let files = try bench.files(made)
            for path in [files.log, "\(files.log).1", "\(files.log).2"] {
                let size = try FileFingerprint(at: path).size
                #expect(size > 0 && size <= Int64(LogFormat.fileLimit), "\(path)")
            }
            #expect(!Directories.exists("\(files.log).3"))
            let last = try await bench.provider.getInstanceLogs(
                made.reference, LogOptions(lines: 2))
            #expect(last.last?.text == "last")
            let all = try await bench.provider.getInstanceLogs(made.reference, LogOptions())
            #expect(all.count > 250 && all.count < 500)
        }
    }

    @Test func longLinesAreCut() async throws {
        try await Bench.run { bench in
            let made = try await bench.create(
                "alice", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo next")
            try await bench.awaitEnd(made)
            let lengths = try await bench.texts(made).map(\.count)
            #expect(lengths == [65_536, 34_464, 4])
        }
    }

    @Test func followingSeesWhatComesAndEndsWithTheRun() async throws {
        try await Bench.run { bench in
            // The script waits for the pipe's writer: nobody has to sleep.
            #expect(mkfifo("\(bench.directory)/go", 0o600) == 0)
            let made = try await bench.create(
                "alice", "echo before; read line < go; echo after $line; exit 3"
            ) { $0.workspacePath = bench.directory }
            let (lines, sink) = AsyncStream.makeStream(of: String.self)
            try await bench.provider.followInstanceLogs(made.reference, LogOptions(lines: 1)) {
                sink.yield($0.text)
                guard $0.text == "before" else { return }
                let pipe = open("\(bench.directory)/go", O_WRONLY)
                _ = write(pipe, "it\n", 3)
                close(pipe)
            }
            sink.finish()
            let seen = await lines.reduce(into: []) { $0.append($1) }
            #expect(seen == ["before", "after it"])
        }
    }

    @Test func followingEndsWhenTheSupervisorIsKilled() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", "echo up; exec sleep 1000")
            let run = try bench.run(made)
            try await bench.provider.followInstanceLogs(made.reference, LogOptions()) { line in
                if line.text == "up" { ProcessHandle(run.supervisor)?.send(SIGKILL) }
            }
            // Its lock is free before its number is.
            try await bench.awaitEnd(made)
        }
    }

    @Test func aFollowerMissesNothingOverRotations() throws {
        let directory = "\(FileManager.default.temporaryDirectory.path)/pal-\(Creation.random())"
        try Directories.make(directory)
        defer { try? Directories.deleteTree(directory) }
        let files = InstanceFiles(directory: directory)
        var log = SupervisorLog(path: files.log, limit: 200)
        let follower = try LogFollower(files)
        var seen: [String] = []
        for index in 0..<60 {
            log.write([Array("line \(index)".utf8)[...]], .stdout)
            if index % 3 == 2 { seen += try follower.next().map(\.text) }
        }
        #expect(seen == (0..<60).map { "line \($0)" })
        #expect(
            try LogFiles(path: files.log).read(lines: 3).suffix(3).map(\.text) == [
                "line 57", "line 58", "line 59",
            ])
    }

    @Test func aLineReadsAsItWasWritten() throws {
        let time = timespec(tv_sec: 1_767_225_600, tv_nsec: 123_456_789)
        let stamp = LogFormat.stamp(time)
        #expect(String(decoding: stamp, as: UTF8.self) == "2026-01-01T00:00:00.123456Z")
        let line = try #require(LogFormat.parse((stamp + Array(" e a b".utf8))[...]))
        #expect(line.stream == .stderr)
        #expect(line.text == "a b")
        let seconds = try #require(line.at?.timeIntervalSince1970)
        #expect(abs(seconds - 1_767_225_600.123456) < 0.000_01)
        #expect(LogFormat.parse(Array("no line of a log at all, but long".utf8)[...]) == nil)
    }
}
