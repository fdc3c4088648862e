import Foundation
import PalFiles
import TestSupport
import Testing

@Suite struct FileLockTests {
    @Test func theSecondHolderIsRefusedAndToldWhoHasIt() throws {
        let scratch = try Scratch()
        let first = try FileLock(path: scratch["lock"], holder: "pid 1 on here")
        #expect(throws: FileLock.Failure.held(by: "pid 1 on here")) {
            try FileLock(path: scratch["lock"], holder: "two")
        }
        #expect(FileLock.holder(at: scratch["lock"]) == "pid 1 on here")
        first.release()
        #expect(FileLock.holder(at: scratch["lock"]) == nil)
        let second = try FileLock(path: scratch["lock"], holder: "two")
        #expect(FileLock.holder(at: second.path) == "two")
    }

    @Test func readingTheHolderTakesNothing() throws {
        let scratch = try Scratch()
        #expect(FileLock.holder(at: scratch["lock"]) == nil)
        #expect(try scratch.names() == [])
    }

    @Test func lettingGoReleases() throws {
        let scratch = try Scratch()
        do {
            let lock = try FileLock(path: scratch["lock"], holder: "short")
            #expect(lock.path == scratch["lock"])
        }
        _ = try FileLock(path: scratch["lock"], holder: "next")
    }

    /// A child that another thread starts has every file open until it runs its program.
    @Test func lettingGoReleasesAlsoWhereAChildHasTheFileOpen() throws {
        let scratch = try Scratch()
        let lock = try FileLock(path: scratch["lock"], holder: "parent")
        let all = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let own = try #require(
            all.first {
                let file = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/self/fd/\($0)")
                return file == scratch["lock"]
            }.flatMap(Int32.init))
        let inherited = dup(own)
        defer { close(inherited) }
        lock.release()
        _ = try FileLock(path: scratch["lock"], holder: "next")
    }

    @Test func releasingTwiceDoesNotCloseSomebodyElsesFile() throws {
        let scratch = try Scratch()
        let first = try FileLock(path: scratch["a"], holder: "a")
        first.release()
        let other = try FileLock(path: scratch["b"], holder: "b")
        first.release()
        #expect(throws: FileLock.Failure.held(by: "b")) {
            try FileLock(path: other.path, holder: "c")
        }
    }

    @Test func theKernelFreesItWhenTheHolderIsKilled() throws {
        let scratch = try Scratch()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["flock", scratch["lock"], "sh", "-c", "echo ready; exec sleep 600"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        _ = try output.fileHandleForReading.read(upToCount: 6)
        try scratch.write("the dead one", to: "lock")
        #expect(throws: FileLock.Failure.held(by: "the dead one")) {
            try FileLock(path: scratch["lock"], holder: "me")
        }
        // The lock belongs to the open file, which flock(1) and its child share.
        for child in try children(of: process.processIdentifier) { kill(child, SIGKILL) }
        process.waitUntilExit()
        #expect(FileLock.holder(at: scratch["lock"]) == "the dead one")
        let lock = try FileLock(path: scratch["lock"], holder: "me")
        #expect(FileLock.holder(at: lock.path) == "me")
    }

    @Test func aLinkInThePlaceOfTheLockFileIsRefused() throws {
        let scratch = try Scratch()
        try scratch.write("precious", to: "t")
        try scratch.link("lock", to: "t")
        #expect(throws: FileLock.Failure.self) { try FileLock(path: scratch["lock"], holder: "x") }
        #expect(try String(contentsOfFile: scratch["t"], encoding: .utf8) == "precious")
    }

    private func children(of process: pid_t) throws -> [pid_t] {
        let list = try String(
            contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8)
        return list.split(separator: " ").compactMap { pid_t($0) }
    }
}
