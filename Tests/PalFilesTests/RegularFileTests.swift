import Foundation
import Glibc
import PalFiles
import TestSupport
import Testing

@Suite struct RegularFileTests {
    @Test func readsAllOfAFileAndItsFingerprint() throws {
        let scratch = try Scratch()
        try scratch.write("hello", to: "f")
        let (bytes, fingerprint) = try RegularFile.read(at: scratch["f"], limit: 5)
        #expect(String(decoding: bytes, as: UTF8.self) == "hello")
        #expect(fingerprint == (try FileFingerprint(at: scratch["f"])))
        #expect(fingerprint.size == 5)
        try scratch.write("", to: "empty")
        #expect(try RegularFile.read(at: scratch["empty"], limit: 5).bytes == [])
    }

    @Test func aLargerFileIsNotRead() throws {
        let scratch = try Scratch()
        try scratch.write("hello!", to: "f")
        #expect(throws: RegularFile.Failure.tooLarge(size: 6)) {
            try RegularFile.read(at: scratch["f"], limit: 5)
        }
    }

    @Test func whatWouldBlockOrActIsNotOpened() throws {
        let scratch = try Scratch()
        try #require(mkfifo(scratch["fifo"], 0o600) == 0)
        #expect(throws: RegularFile.Failure.notRegular(.fifo)) {
            try RegularFile.read(at: scratch["fifo"], limit: 5)
        }
        #expect(throws: RegularFile.Failure.notRegular(.device)) {
            try RegularFile.read(at: "/dev/zero", limit: 5)
        }
        #expect(throws: RegularFile.Failure.notRegular(.directory)) {
            try RegularFile.read(at: scratch.path, limit: 5)
        }
    }

    @Test func aFileWhoseSizeTheSystemDoesNotTellIsReadToItsEnd() throws {
        let bytes = try RegularFile.read(at: "/proc/self/maps", limit: 1 << 20).bytes
        #expect(bytes.count > 4096)
        #expect(bytes.last == UInt8(ascii: "\n"))
    }

    @Test func everyWriteChangesTheFingerprintOnceItIsNoLongerRacy() throws {
        let scratch = try Scratch()
        try scratch.write("one", to: "f")
        let fresh = try FileFingerprint(at: scratch["f"])
        #expect(fresh.isRacy(at: FileFingerprint.currentTime()))
        #expect(!fresh.isRacy(at: fresh.changed + FileFingerprint.racyWindow))
        #expect(!fresh.isRacy(at: fresh.changed - FileFingerprint.racyWindow))
        try AtomicFile.write("two".utf8, to: scratch["f"])
        #expect(try FileFingerprint(at: scratch["f"]) != fresh)
    }

    /// One tick too many made each change of a spec wait for 28 ms instead of 8, most of the time.
    @Test func whatChangedTwoTicksAgoIsNotFresh() throws {
        let scratch = try Scratch()
        try scratch.write("one", to: "f")
        let file = try FileFingerprint(at: scratch["f"])
        let (first, last) = (min(file.modified, file.changed), max(file.modified, file.changed))
        let ticks = FileFingerprint.twoTicks
        let end = last + ticks
        #expect(file.freshUntil(during: last...last) == end)
        #expect(file.freshUntil(during: (end - 1)...end) == end)
        #expect(file.freshUntil(during: end...end) == nil)
        #expect(file.freshUntil(during: (first - ticks + 1)...(first - ticks + 1)) != nil)
        #expect(file.freshUntil(during: (first - ticks)...(first - ticks)) == nil)
        // During the look itself.
        #expect(file.freshUntil(during: (first - ticks)...end) == end)
    }

    @Test func bootIDIsStable() throws {
        let id = try BootID.current()
        #expect(UUID(uuidString: id) != nil)
        #expect(try BootID.current() == id)
    }

    @Test func namesAreSortedCompleteAndMarkedWhereTheyAreNotUTF8() throws {
        let scratch = try Scratch()
        for name in ["b", "a", ".c"] { try scratch.write("", to: name) }
        let raw = scratch.path.utf8CString.dropLast() + [0x2F, CChar(bitPattern: 0xFF), 0x78, 0]
        close(open(Array(raw), O_CREAT | O_WRONLY, 0o600))
        #expect(
            try Directory.names(in: scratch.path)
                == [.text(".c"), .text("a"), .text("b"), .notUTF8("\u{FFFD}x")])
        #expect(throws: SystemError.self) { try Directory.names(in: scratch["a"]) }
        unlink(Array(raw))
    }
}
