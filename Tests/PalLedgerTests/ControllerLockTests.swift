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

    @Test func lookingDoesNotTakeIt() async throws {
        let state = StateFixture()
        try ControllerLock(directory: state.path, purpose: "once").release()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<2_000 { _ = ControllerLock.holder(directory: state.path) }
                }
            }
            for _ in 0..<100 {
                try ControllerLock(directory: state.path, purpose: "pal run").release()
            }
            try await group.waitForAll()
        }
    }

    @Test(.timeLimit(.minutes(1)))
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
