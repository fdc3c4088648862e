import Foundation
import Glibc
import PalFiles
import PalSpecs
import Synchronization
import TestSupport
import Testing

/// The watcher on the real clock and real files. A test changes something and then waits for a scan
/// that sees it: a signal that does not come fails it by the suite's limit, and nothing else does.
@Suite(.timeLimit(.minutes(10))) struct TreeWatcherTests {
    /// So long that only events can be what wakes.
    static let eventsOnly = TreeWatcher.Timing(
        quiet: .milliseconds(20), most: .milliseconds(200), interval: .seconds(3600),
        poll: .seconds(3600))

    /// What the directory holds after each signal, until `body` has seen what it waits for.
    struct Scans {
        let snapshots: AsyncStream<TreeSnapshot<String>>

        /// The next snapshot of which `condition` holds.
        @discardableResult
        func first(where condition: (TreeSnapshot<String>) -> Bool) async throws
            -> TreeSnapshot<String>
        {
            for await snapshot in snapshots where condition(snapshot) { return snapshot }
            throw CancellationError()
        }

        func until(_ texts: String...) async throws {
            try await first { $0.texts == texts }
        }
    }

    func watching(
        _ scratch: Scratch, _ root: String = "specs", timing: TreeWatcher.Timing = eventsOnly,
        maximum: Int = 20_000, _ body: (Scans, TreeWatcher) async throws -> Void
    ) async throws {
        let watcher = TreeWatcher(
            root: scratch[root], clock: ContinuousClock(), timing: timing,
            maximumDirectories: maximum)
        let (snapshots, continuation) = AsyncStream.makeStream(of: TreeSnapshot<String>.self)
        try await withThrowingTaskGroup { group in
            group.addTask {
                let scanner = Mutex(scanner(scratch, root))
                await watcher.run { _ in
                    let snapshot = scanner.withLock { $0.scan() }
                    continuation.yield(snapshot)
                }
                continuation.finish()
            }
            try await body(Scans(snapshots: snapshots), watcher)
            group.cancelAll()
        }
        #expect(watcher.status == .idle)
    }

    @Test func seesFilesComeChangeAndGoAtAnyDepth() async throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try await watching(scratch) { scans, watcher in
            try await scans.until()
            guard case .watching = watcher.status else {
                Issue.record("\(watcher.status)")
                return
            }
            try scratch.write("1", to: "specs/a.yaml")
            try await scans.until("a.yaml=1")
            try scratch.write("2", to: "specs/a.yaml")
            try await scans.until("a.yaml=2")
            try scratch.directory("specs/new/deep")
            try scratch.write("3", to: "specs/new/deep/b.yaml")
            try await scans.until("a.yaml=2", "new/deep/b.yaml=3")
            try scratch.write("4", to: "specs/new/deep/b.yaml")
            try await scans.until("a.yaml=2", "new/deep/b.yaml=4")
            try scratch.remove("specs/new")
            try await scans.until("a.yaml=2")
        }
    }

    @Test func seesVimsWayOfSaving() async throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.write("old", to: "specs/a.yaml")
        try await watching(scratch) { scans, _ in
            try await scans.until("a.yaml=old")
            // A probe for what is permitted, a backup by renaming, a new file, no backup.
            try scratch.write("", to: "specs/4913")
            try scratch.remove("specs/4913")
            try scratch.move("specs/a.yaml", to: "specs/a.yaml~")
            try scratch.write("new", to: "specs/a.yaml")
            try scratch.remove("specs/a.yaml~")
            try await scans.until("a.yaml=new")
        }
    }

    @Test func seesTheSecondHalfOfASlowWrite() async throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.write("old", to: "specs/a.yaml")
        try await watching(scratch) { scans, _ in
            try await scans.until("a.yaml=old")
            let file = try #require(FileHandle(forWritingAtPath: scratch["specs/a.yaml"]))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: Data("half".utf8))
            try await scans.until("a.yaml=half")
            try file.write(contentsOf: Data(" whole".utf8))
            try await scans.until("a.yaml=half whole")
            try file.close()
        }
    }

    @Test func seesTheRootMovedAwayAndBackAndMadeAnew() async throws {
        let scratch = try Scratch()
        try scratch.directory("up/specs")
        try scratch.write("1", to: "up/specs/a.yaml")
        try await watching(scratch, "up/specs") { scans, _ in
            try await scans.until("a.yaml=1")
            try scratch.move("up/specs", to: "elsewhere")
            try await scans.first { $0.state == .missing }
            try scratch.move("elsewhere", to: "up/specs")
            try await scans.until("a.yaml=1")
            // A directory above it, too.
            try scratch.move("up", to: "down")
            try await scans.first { $0.state == .missing }
            try scratch.write("2", to: "down/specs/a.yaml")
            try scratch.move("down", to: "up")
            try await scans.until("a.yaml=2")
            try scratch.remove("up")
            try await scans.first { $0.state == .missing }
            try scratch.directory("up/specs")
            try scratch.write("3", to: "up/specs/a.yaml")
            try await scans.until("a.yaml=3")
            try scratch.write("4", to: "up/specs/a.yaml")
            try await scans.until("a.yaml=4")
        }
    }

    @Test func waitsForARootThatIsNotThereYet() async throws {
        let scratch = try Scratch()
        try await watching(scratch, "a/b/specs") { scans, _ in
            try await scans.first { $0.state == .missing }
            try scratch.directory("a")
            try scratch.directory("a/b")
            try scratch.write("a file", to: "a/b/specs")
            try await scans.first { $0.state == .notADirectory }
            try scratch.remove("a/b/specs")
            try scratch.directory("a/b/specs")
            try scratch.write("1", to: "a/b/specs/x.yaml")
            try await scans.until("x.yaml=1")
        }
    }

    @Test func seesAConfigMapSwap() async throws {
        let scratch = try Scratch()
        try scratch.directory("specs/..1")
        try scratch.write("one", to: "specs/..1/x.yaml")
        try scratch.link("specs/..data", to: "..1")
        try scratch.link("specs/x.yaml", to: "..data/x.yaml")
        try await watching(scratch) { scans, _ in
            try await scans.until("x.yaml=one")
            for round in 2...4 {
                try scratch.directory("specs/..\(round)")
                try scratch.write("\(round)", to: "specs/..\(round)/x.yaml")
                try scratch.relink("specs/..data", to: "..\(round)")
                try scratch.remove("specs/..\(round - 1)")
                try await scans.until("x.yaml=\(round)")
            }
        }
    }

    @Test(arguments: ["git/current", "git"])
    func seesAGitSyncSwap(_ root: String) async throws {
        let scratch = try Scratch()
        try scratch.directory("git/.worktrees/1")
        try scratch.write("1", to: "git/.worktrees/1/x.yaml")
        try scratch.link("git/current", to: ".worktrees/1")
        let path = root == "git" ? "current/x.yaml" : "x.yaml"
        try await watching(scratch, root) { scans, _ in
            try await scans.until("\(path)=1")
            for round in 2...4 {
                try scratch.directory("git/.worktrees/\(round)")
                try scratch.write("\(round)", to: "git/.worktrees/\(round)/x.yaml")
                try scratch.relink("git/current", to: ".worktrees/\(round)")
                try scratch.remove("git/.worktrees/\(round - 1)")
                try await scans.until("\(path)=\(round)")
            }
        }
    }

    @Test func seesAWriteThroughALinkToAFileElsewhere() async throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.directory("far/away")
        try scratch.write("1", to: "far/away/real.txt")
        try scratch.link("far/near", to: "away")
        try scratch.link("specs/x.yaml", to: "../far/near/real.txt")
        try await watching(scratch) { scans, _ in
            try await scans.until("x.yaml=1")
            try scratch.write("2", to: "far/away/real.txt")
            try await scans.until("x.yaml=2")
            try scratch.directory("far/other")
            try scratch.write("3", to: "far/other/real.txt")
            try scratch.relink("far/near", to: "other")
            try await scans.until("x.yaml=3")
        }
    }

    @Test func pollsAndSaysSoWhereWatchesRunOut() async throws {
        let scratch = try Scratch()
        try scratch.directory("specs/a/b/c")
        var timing = Self.eventsOnly
        timing.poll = .milliseconds(20)
        try await watching(scratch, timing: timing, maximum: 1) { scans, watcher in
            try await scans.until()
            #expect(watcher.status == .polling(reason: "more than 1 directories"))
            try scratch.write("1", to: "specs/a/b/c/x.yaml")
            try await scans.until("a/b/c/x.yaml=1")
        }
    }

    @Test func looksPeriodicallyWithoutAnyEvent() async throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        let watcher = TreeWatcher(
            root: scratch["specs"], clock: ContinuousClock(),
            timing: .init(interval: .milliseconds(10), poll: .milliseconds(10)))
        let reasons = await withTaskGroup { group in
            let (signals, signal) = AsyncStream.makeStream(of: TreeWatcher.Reason.self)
            group.addTask { await watcher.run { signal.yield($0) } }
            var reasons: [TreeWatcher.Reason] = []
            for await reason in signals {
                reasons.append(reason)
                if reasons.count == 3 { break }
            }
            group.cancelAll()
            return reasons
        }
        #expect(reasons == [.started, .periodic, .periodic])
    }

    @Test func whatNoSpecDependsOnWakesNobody() async throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        var timing = Self.eventsOnly
        timing.quiet = .zero
        try await watching(scratch, timing: timing) { scans, _ in
            try await scans.until()
            for _ in 0..<100 {
                for noise in ["beside", "specs/.a.yaml.swp", "specs/#a.yaml#", "specs/.#b.yaml"] {
                    try scratch.write("x", to: noise)
                }
                await Task.yield()
            }
            // Whatever woke the watcher before this would show an empty directory.
            try scratch.write("x", to: "specs/a.yaml")
            let next = try await scans.first { _ in true }
            #expect(next.files.map(\.path) == ["a.yaml"])
        }
    }
}
