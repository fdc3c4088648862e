import Foundation
import Glibc
import PalFiles
import PalModel
import PalSpecs
import Synchronization
import TestSupport
import Testing

/// Directories that are put in place by links, as the kubelet and git-sync do.
@Suite struct TreeLinksTests {
    /// The kubelet's layout of a mounted ConfigMap.
    private func configMap() throws -> Scratch {
        let scratch = try Scratch()
        try scratch.directory("specs/..2024_1")
        try scratch.write("one", to: "specs/..2024_1/x.yaml")
        try scratch.link("specs/..data", to: "..2024_1")
        try scratch.link("specs/x.yaml", to: "..data/x.yaml")
        return scratch
    }

    @Test func aConfigMapIsReadThroughItsVisibleNames() throws {
        let scratch = try configMap()
        var scanner = scanner(scratch)
        #expect(scanner.scan().texts == ["x.yaml=one"])
        try scratch.directory("specs/..2024_2")
        try scratch.write("two", to: "specs/..2024_2/x.yaml")
        try scratch.relink("specs/..data", to: "..2024_2")
        try scratch.remove("specs/..2024_1")
        let snapshot = scanner.scan()
        #expect(snapshot.texts == ["x.yaml=two"])
        #expect(snapshot.isComplete)
    }

    @Test func gitSyncIsReadThroughItsLinkInsideOrAsTheRoot() throws {
        let scratch = try Scratch()
        try scratch.directory("specs/.worktrees/abc/sub")
        try scratch.write("one", to: "specs/.worktrees/abc/sub/x.yaml")
        try scratch.link("specs/current", to: ".worktrees/abc")
        var inside = scanner(scratch)
        var root = scanner(scratch, "specs/current")
        #expect(inside.scan().texts == ["current/sub/x.yaml=one"])
        let before = root.scan()
        #expect(before.texts == ["sub/x.yaml=one"])

        try scratch.directory("specs/.worktrees/def/sub")
        try scratch.write("two", to: "specs/.worktrees/def/sub/x.yaml")
        try scratch.relink("specs/current", to: ".worktrees/def")
        try scratch.remove("specs/.worktrees/abc")
        #expect(inside.scan().texts == ["current/sub/x.yaml=two"])
        let after = root.scan()
        #expect(after.texts == ["sub/x.yaml=two"])
        #expect(after.identity != before.identity)
    }

    @Test func aSwapDuringTheScanNeverGivesAMixture() throws {
        let scratch = try Scratch()
        for version in ["one", "two"] {
            try scratch.directory("tree-\(version)")
            for name in ["a", "b", "c"] {
                try scratch.write(version, to: "tree-\(version)/\(name).yaml")
            }
        }
        try scratch.link("specs", to: "tree-one")
        let swapped = Mutex(false)
        // The swap comes when the second file is read.
        var scanner = TreeScanner<String>(
            root: scratch["specs"], now: { FileFingerprint.currentTime() + 3_600_000_000_000 }
        ) { path, bytes in
            let first = swapped.withLock { done in
                defer { if path == "b.yaml" { done = true } }
                return path == "b.yaml" && !done
            }
            if first { try? scratch.relink("specs", to: "tree-two") }
            return String(decoding: bytes, as: UTF8.self)
        }
        let snapshot = scanner.scan()
        #expect(snapshot.texts == ["a.yaml=two", "b.yaml=two", "c.yaml=two"])
        #expect(snapshot.isComplete)
    }

    @Test func aFileThatMovesDuringTheScanIsNotLost() throws {
        let scratch = try Scratch()
        try scratch.directory("specs/a")
        try scratch.directory("specs/z")
        try scratch.write("moving", to: "specs/z/m.yaml")
        try scratch.write("still", to: "specs/a/s.yaml")
        let moved = Mutex(false)
        var scanner = TreeScanner<String>(
            root: scratch["specs"], now: { FileFingerprint.currentTime() + 3_600_000_000_000 }
        ) { path, bytes in
            let first = moved.withLock { done in
                defer { done = true }
                return !done
            }
            if first { try? scratch.move("specs/z/m.yaml", to: "specs/a/m.yaml") }
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(scanner.scan().texts == ["a/m.yaml=moving", "a/s.yaml=still"])
    }

    @Test func aTreeThatNeverRestsIsReportedUnsettled() throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.write("0", to: "specs/f.yaml")
        let round = Mutex(0)
        var scanner = TreeScanner<Int>(
            root: scratch["specs"], now: { FileFingerprint.currentTime() + 3_600_000_000_000 }
        ) { _, bytes in
            let number = round.withLock { round in
                round += 1
                return round
            }
            _ = try? scratch.write("\(number)", to: "specs/f.yaml")
            _ = try? scratch.write("", to: "specs/other\(number)")
            return bytes.count
        }
        let snapshot = scanner.scan()
        #expect(snapshot.state == .available && !snapshot.isSettled && !snapshot.isComplete)
        #expect(!snapshot.isGone("absent.yaml"))
        #expect(round.withLock { $0 } <= 10)
    }

    @Test func loopsEndAndNothingIsReadTwice() throws {
        let scratch = try Scratch()
        try scratch.directory("specs/real/deep")
        try scratch.write("x", to: "specs/real/deep/x.yaml")
        try scratch.link("specs/real/deep/up", to: "../..")
        try scratch.link("specs/again", to: "real")
        try scratch.link("specs/again2", to: "real/deep")
        try scratch.link("specs/x2.yaml", to: "real/deep/x.yaml")
        var scanner = scanner(scratch)
        let snapshot = scanner.scan()
        // By its real name, although a link sorts before it.
        #expect(snapshot.texts == ["real/deep/x.yaml=x"])
        #expect(snapshot.isComplete)
    }

    @Test func twoLinksToOnePlaceOutsideAreReadOnce() throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.directory("elsewhere")
        try scratch.write("x", to: "elsewhere/x.yaml")
        try scratch.link("specs/b", to: "../elsewhere")
        try scratch.link("specs/a", to: "../elsewhere")
        var scanner = scanner(scratch)
        #expect(scanner.scan().texts == ["a/x.yaml=x"])
    }

    @Test func linksThatLeaveAreRefusedWhereOthersWriteTheSpecs() throws {
        let scratch = try Scratch()
        try scratch.directory("specs/.in")
        try scratch.directory("specs-not")
        try scratch.write("secret", to: "specs-not/s.yaml")
        try scratch.write("fine", to: "specs/.in/f.yaml")
        try scratch.link("specs/out", to: "../specs-not")
        try scratch.link("specs/out.yaml", to: "../specs-not/s.yaml")
        try scratch.link("specs/in.yaml", to: ".in/f.yaml")
        var scanner = scanner(scratch, outside: false)
        let snapshot = scanner.scan()
        #expect(snapshot.texts == ["in.yaml=fine"])
        #expect(snapshot.unread == ["out", "out.yaml"])
        #expect(snapshot.problems.allSatisfy { $0.message.contains("out of the specs directory") })
    }

    @Test func otherFilesBehindLinksAreNobodysBusiness() throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.write("x", to: "README")
        try scratch.link("specs/README.md", to: "../README")
        try scratch.link("specs/.#lock.yaml", to: "user@host.123")
        var scanner = scanner(scratch)
        let snapshot = scanner.scan()
        #expect(snapshot.isComplete && snapshot.files.isEmpty && snapshot.problems.isEmpty)
    }
}
