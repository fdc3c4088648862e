import Foundation
import Glibc
import PalFiles
import PalModel
import PalSpecs
import Synchronization
import TestSupport
import Testing

/// A scanner whose values are the files' texts, and that lives an hour later: nothing is racy.
func scanner(
    _ scratch: Scratch, _ root: String = "specs", limit: Int = 1000, outside: Bool = true
) -> TreeScanner<String> {
    TreeScanner(
        root: scratch[root], limit: limit, followsLinksOutside: outside,
        now: { FileFingerprint.currentTime() + 3_600_000_000_000 },
        load: { _, bytes in String(decoding: bytes, as: UTF8.self) })
}

extension TreeSnapshot<String> {
    /// `path=content` of each file.
    var texts: [String] { files.map { "\($0.path)=\($0.value)" } }
}

@Suite struct TreeScannerTests {
    @Test func readsSpecsAtAnyDepthAndNothingElse() throws {
        let scratch = try Scratch()
        try scratch.directory("specs/deep/er")
        try scratch.directory("specs/.git")
        for name in [
            "b.yaml", "a.yml", "deep/er/c.json", ".hidden.yaml", "b.yaml~", "#b.yaml#", ".#b.yaml",
            ".b.yaml.swp", "4913", "b.yaml.tmp", "b.yaml.bak", "README.md", "yaml", ".yaml",
            "~b.yaml",
            ".git/d.yaml", "e.YAML", "b.yaml.orig",
        ] {
            try scratch.write("x", to: "specs/\(name)")
        }
        var scanner = scanner(scratch)
        let snapshot = scanner.scan()
        #expect(snapshot.texts == ["a.yml=x", "b.yaml=x", "deep/er/c.json=x"])
        #expect(snapshot.isComplete && snapshot.problems.isEmpty)
    }

    @Test func aRootThatIsNoDirectoryIsToldApart() throws {
        let scratch = try Scratch()
        try scratch.write("", to: "file")
        try scratch.link("loop", to: "loop")
        for (root, state) in [
            ("none", SourceState.missing), ("file", .notADirectory), ("file/x", .notADirectory),
            ("loop", .unreadable("Too many levels of symbolic links")),
        ] {
            var scanner = scanner(scratch, root)
            let snapshot = scanner.scan()
            #expect(snapshot.state == state, "\(root)")
            #expect(!snapshot.isComplete && snapshot.files.isEmpty && !snapshot.isGone("a.yaml"))
        }
    }

    @Test func anEmptyDirectoryIsAvailableAndComplete() throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        var scanner = scanner(scratch)
        let snapshot = scanner.scan()
        #expect(snapshot.state == .available && snapshot.isComplete && snapshot.files.isEmpty)
        #expect(snapshot.identity == (try FileFingerprint(at: scratch["specs"]).identity))
    }

    @Test func whatHasNotChangedIsNotReadAgain() throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        for index in 0..<1000 { try scratch.write("v1", to: "specs/s\(index).yaml") }
        var scanner = scanner(scratch)
        #expect(scanner.scan().loaded == 1000)
        let again = scanner.scan()
        #expect(again.loaded == 0 && again.files.count == 1000)
        try scratch.write("v2", to: "specs/s7.yaml")
        try scratch.remove("specs/s8.yaml")
        try scratch.move("specs/s9.yaml", to: "specs/t.yaml")
        let changed = scanner.scan()
        #expect(changed.loaded == 2)
        #expect(changed.files.count == 999)
        #expect(changed.files.first { $0.path == "s7.yaml" }?.value == "v2")
        #expect(changed.isGone("s8.yaml") && changed.isGone("s9.yaml") && !changed.isGone("t.yaml"))
    }

    /// What is fresh alone is waited for: a file that is written in place leaves its directory as
    /// it was, and one that goes leaves only its directory to tell.
    @Test(arguments: [true, false])
    func itSettlesWhenTheNewestStampIsOldEnough(isWritten: Bool) async throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.write("a", to: "specs/a.yaml")
        try scratch.write("b", to: "specs/b.yaml")
        let old = try FileFingerprint(at: scratch["specs"]).changed
        while FileFingerprint.currentTime() < old + 2 * FileFingerprint.twoTicks {
            try await Task.sleep(for: .milliseconds(1))
        }
        let new: Int64
        if isWritten {
            let file = try #require(FileHandle(forWritingAtPath: scratch["specs/a.yaml"]))
            try file.write(contentsOf: Data("c".utf8))
            try file.close()
            new = try FileFingerprint(at: scratch["specs/a.yaml"]).changed
        } else {
            try FileManager.default.removeItem(atPath: scratch["specs/a.yaml"])
            new = try FileFingerprint(at: scratch["specs"]).changed
        }
        #expect(new > old)
        let moment = Mutex(new + 1)
        var scanner = TreeScanner<Int>(
            root: scratch["specs"], now: { moment.withLock { $0 } }, load: { $1.count })
        let fresh = scanner.scan()
        #expect(!fresh.isSettled)
        let left = try #require(fresh.settlesIn)
        #expect(left == .nanoseconds(FileFingerprint.twoTicks - 1))
        moment.withLock { $0 += FileFingerprint.twoTicks - 1 }
        #expect(scanner.scan().isSettled)
    }

    @Test func aFreshFileIsReadAgainBecauseAnotherWriteCouldHide() throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.write("a", to: "specs/f.yaml")
        // A clock that stands still at the moment of the write.
        let moment = try FileFingerprint(at: scratch["specs/f.yaml"]).changed
        let clock = Mutex(moment)
        let reads = Mutex(0)
        var scanner = TreeScanner<Int>(
            root: scratch["specs"], now: { clock.withLock { $0 } },
            load: { _, bytes in
                reads.withLock { $0 += 1 }
                return bytes.count
            })
        #expect(!scanner.scan().isSettled)
        let unsettled = scanner.scan()
        #expect(!unsettled.isSettled)
        #expect(unsettled.settlesIn == .nanoseconds(FileFingerprint.twoTicks))
        #expect(reads.withLock { $0 } == 2)
        // It counts as it is, and is looked into again: its stamp could be another machine's.
        clock.withLock { $0 += FileFingerprint.twoTicks }
        let settled = scanner.scan()
        #expect(settled.isSettled && settled.settlesIn == nil)
        #expect(reads.withLock { $0 } == 3)
        clock.withLock { $0 += FileFingerprint.racyWindow }
        #expect(scanner.scan().isSettled)
        #expect(scanner.scan().loaded == 0)
        #expect(reads.withLock { $0 } == 4)
    }

    @Test func aChangeOfTheSameSizeAndTimeIsSeen() throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        let path = try scratch.write("aaa", to: "specs/f.yaml")
        var scanner = scanner(scratch)
        #expect(scanner.scan().texts == ["f.yaml=aaa"])
        let date = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
        try AtomicFile.write("bbb".utf8, to: path)
        try FileManager.default.setAttributes([.modificationDate: date as Any], ofItemAtPath: path)
        #expect(scanner.scan().texts == ["f.yaml=bbb"])
    }

    @Test func whatIsNoFileIsReportedAndNeverOpened() throws {
        let scratch = try Scratch()
        try scratch.directory("specs/d.yaml")
        try scratch.write("in", to: "specs/d.yaml/x.yaml")
        try #require(mkfifo(scratch["specs/fifo.yaml"], 0o600) == 0)
        try #require(mkfifo(scratch["specs/fifo"], 0o600) == 0)
        // Only root may make a device; its number is the null device's.
        let madeDevice = mknod(scratch["specs/dev.json"], S_IFCHR | 0o600, 0x103) == 0
        try makeSocket(scratch["specs/s.yml"])
        try scratch.link("specs/zero.yaml", to: "/dev/zero")
        var scanner = scanner(scratch)
        let snapshot = scanner.scan()
        #expect(snapshot.texts == ["d.yaml/x.yaml=in"])
        let odd = (madeDevice ? ["dev.json"] : []) + ["fifo.yaml", "s.yml", "zero.yaml"]
        #expect(snapshot.unread == odd)
        #expect(snapshot.problems.map(\.location.file) == odd)
        #expect(snapshot.problems.contains { $0.message.contains("but a fifo") })
        #expect(
            !snapshot.isComplete && !snapshot.isGone("fifo.yaml") && snapshot.isGone("other.yaml"))
    }

    @Test func aFileThatIsTooLargeIsReportedUnread() throws {
        let scratch = try Scratch()
        try scratch.directory("specs")
        try scratch.write(String(repeating: "x", count: 1001), to: "specs/big.yaml")
        try scratch.write(String(repeating: "x", count: 1000), to: "specs/fits.yaml")
        var scanner = scanner(scratch)
        let snapshot = scanner.scan()
        #expect(snapshot.files.map(\.path) == ["fits.yaml"])
        #expect(snapshot.unread == ["big.yaml"])
        #expect(snapshot.problems.first?.message.contains("the file has 1001 bytes") == true)
    }

    @Test func aDirectoryThatCannotBeListedMakesOnlyItsPartUnknown() throws {
        let scratch = try Scratch()
        try scratch.directory("specs/locked")
        try scratch.write("a", to: "specs/a.yaml")
        // Root may read everything, so something that nobody can: a link with no end, and a name
        // in a path that is a file.
        try scratch.link("specs/round", to: "round")
        try scratch.link("specs/through.yaml", to: "a.yaml/x")
        try scratch.link("specs/gone", to: "nowhere")
        var scanner = scanner(scratch)
        let snapshot = scanner.scan()
        #expect(snapshot.texts == ["a.yaml=a"])
        #expect(snapshot.unread == ["gone", "round", "through.yaml"])
        #expect(!snapshot.isGone("round/x.yaml") && !snapshot.isGone("gone/deep/x.yaml"))
        #expect(snapshot.isGone("locked/x.yaml"))
    }

    @Test func anUnreadableFileOrDirectoryIsReported() throws {
        let scratch = try Scratch()
        try scratch.directory("specs/locked")
        try scratch.write("a", to: "specs/a.yaml")
        try scratch.write("b", to: "specs/b.yaml")
        chmod(scratch["specs/locked"], 0)
        chmod(scratch["specs/b.yaml"], 0)
        defer { chmod(scratch["specs/locked"], 0o700) }
        var scanner = scanner(scratch)
        if geteuid() == 0 {
            // Known before: one file alone is read on the thread that asks, which is what counts.
            for name in ["", "/specs", "/specs/a.yaml", "/specs/b.yaml", "/specs/locked"] {
                try #require(chown(scratch.path + name, 65534, 65534) == 0)
            }
            try #require(rename(scratch["specs/b.yaml"], scratch["b"]) == 0)
            try #require(scanner.scan().texts == ["a.yaml=a"])
            try #require(rename(scratch["b"], scratch["specs/b.yaml"]) == 0)
        }
        let snapshot = try asNobody { scanner.scan() }
        #expect(snapshot.texts == ["a.yaml=a"])
        #expect(snapshot.unread == ["b.yaml", "locked"])
        #expect(snapshot.problems.allSatisfy { $0.message.contains("Permission denied") })
    }

    /// Runs without root's right to read everything, on this thread only: the file system's user id
    /// is a thread's own on Linux, setfsuid(2).
    private func asNobody<Result>(_ body: () -> Result) throws -> Result {
        guard geteuid() == 0 else { return body() }
        // Not in Glibc's module: found by name.
        typealias Call = @convention(c) (UInt32) -> CInt
        let setfsuid = unsafeBitCast(try #require(dlsym(nil, "setfsuid")), to: Call.self)
        let user = setfsuid(65534)
        defer { _ = setfsuid(UInt32(user)) }
        return body()
    }

    private func makeSocket(_ path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        try #require(path.utf8.count < 108)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
    }
}
