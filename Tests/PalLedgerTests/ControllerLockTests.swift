import Dispatch
import Foundation
import Glibc
import PalEngine
import PalLedger
import Synchronization
import Testing

@Suite struct ControllerLockTests {
    @Test func theSecondIsRefusedAndToldWhoTheFirstIs() throws {
        let state = StateFixture()
        #expect(ControllerLock.holder(directory: state.path) == nil)
        let first = try ControllerLock(directory: state.path, purpose: "pal run specs")
        let message = refusal { () throws(LedgerError) in
            _ = try ControllerLock(directory: state.path, purpose: "pal apply")
        }
        #expect(message.contains("pid \(getpid()) on "))
        #expect(message.contains("command: pal run specs"))
        let holder = try #require(ControllerLock.holder(directory: state.path))
        #expect(message.contains(holder))
        first.release()
    }

    @Test func itIsFreeAfterItsEnd() throws {
        let state = StateFixture()
        let first = try ControllerLock(directory: state.path, purpose: "pal run")
        first.release()
        first.release()
        #expect(ControllerLock.holder(directory: state.path) == nil)
        do {
            let second = try ControllerLock(directory: state.path, purpose: "pal run")
            #expect(ControllerLock.holder(directory: state.path) != nil)
            withExtendedLifetime(second) {}
        }
        #expect(ControllerLock.holder(directory: state.path) == nil)
    }

    @Test func whoOnlyLooksIsNotTakenForTheHolder() throws {
        let state = StateFixture()
        try ControllerLock(directory: state.path, purpose: "once").release()
        let seen = Mutex<Set<String>>([])
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for _ in 0..<2_000 {
                guard let holder = ControllerLock.holder(directory: state.path) else { continue }
                seen.withLock { _ = $0.insert(holder) }
            }
        }
        #expect(seen.withLock { $0 } == [])
    }

    @Test(.timeLimit(.minutes(10)))
    func whoOnlyLooksIsNotInTheWay() throws {
        final class Progress: Sendable {
            let hasBegun = Atomic(false)
            let isDone = Atomic(false)
        }
        let state = StateFixture()
        try ControllerLock(directory: state.path, purpose: "once").release()
        let progress = Progress()
        Thread.detachNewThread {
            while !progress.isDone.load(ordering: .relaxed) {
                _ = ControllerLock.holder(directory: state.path)
                progress.hasBegun.store(true, ordering: .relaxed)
            }
        }
        defer { progress.isDone.store(true, ordering: .relaxed) }
        while !progress.hasBegun.load(ordering: .relaxed) { sched_yield() }
        for _ in 0..<3_000 {
            try ControllerLock(directory: state.path, purpose: "pal run").release()
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func theDeathOfTheHolderFreesIt() throws {
        let state = StateFixture()
        try ControllerLock(directory: state.path, purpose: "left by a crash").release()
        let path = state.path + "/pal.lock"
        try Data("pid 1 on elsewhere".utf8).write(to: URL(filePath: path))
        // Words without a lock are a crash's.
        #expect(ControllerLock.holder(directory: state.path) == nil)

        let holder = Process()
        holder.executableURL = URL(filePath: "/usr/bin/flock")
        holder.arguments = ["--no-fork", path, "sh", "-c", "echo locked; exec sleep 600"]
        let output = Pipe()
        holder.standardOutput = output
        try holder.run()
        defer { kill(holder.processIdentifier, SIGKILL) }
        #expect(output.fileHandleForReading.availableData == Data("locked\n".utf8))

        #expect(ControllerLock.holder(directory: state.path) == "pid 1 on elsewhere")
        let message = refusal { () throws(LedgerError) in
            _ = try ControllerLock(directory: state.path, purpose: "pal run")
        }
        #expect(message.contains("pid 1 on elsewhere"))

        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        #expect(ControllerLock.holder(directory: state.path) == nil)
        try ControllerLock(directory: state.path, purpose: "pal run").release()
    }

    @Test func aLockFileThatCannotBeUsedIsNamed() throws {
        let state = StateFixture()
        try FileManager.default.createDirectory(
            atPath: state.path + "/pal.lock", withIntermediateDirectories: true)
        let message = refusal { () throws(LedgerError) in
            _ = try ControllerLock(directory: state.path, purpose: "pal run")
        }
        #expect(message.contains(state.path + "/pal.lock"))
    }
}
