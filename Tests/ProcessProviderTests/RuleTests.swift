import FoundationEssentials
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct RuleTests {
    @Test func onlyTheStoragesPersistenceIsInTheHash() {
        #expect(Capabilities.process(nil).hashedFields == ["resources.storage.persistent"])
    }

    @Test func everyPlatformFieldHasAnAnswer() {
        let known = Set(Capabilities.process(nil).fields.keys)
        let fields = Set(FieldTable.all.filter { $0.role == .platform }.map(\.path))
        #expect(known == fields)
    }

    @Test func losingPersistenceLosesData() {
        let path = "resources.storage.persistent"
        let lost = FieldChange(path: path, from: .bool(true), to: .bool(false))
        let kept = FieldChange(path: path, from: .bool(false), to: .bool(true))
        #expect(ProcessRules.classify(lost) == .replaceLosingData)
        #expect(ProcessRules.classify(kept) == .replace)
        let env = FieldChange(path: "env", from: nil, to: nil)
        #expect(ProcessRules.classify(env) == .restart)
    }

    @Test func whatAProcessCannotDoIsRefused() async throws {
        try await Bench.run { bench in
            var config = InstanceConfig(name: "alice")
            config.image = "debian"
            config.region = "mars"
            config.command = []
            config.specific = ["stopTimeOut": .string("1s")]
            config.extensions = ["golang.go"]
            let problems = bench.provider.validateInstanceConfig(config)
            #expect(
                Set(problems.map(\.path)) == [
                    "image", "region", "command", "specific.stopTimeOut", "extensions",
                ])
            let typo = problems.first { $0.path == "specific.stopTimeOut" }
            #expect(typo?.message.contains("'stopTimeout'") == true)
        }
    }

    @Test func aProgramsNameCannotConfuseItsStartTime() {
        let line = "42 (a) R (b) S 7 " + (5...52).map(String.init).joined(separator: " ")
        let stat = ProcessStat(Array(line.utf8))
        #expect(stat?.state == UInt8(ascii: "S"))
        #expect(stat?.parent == 7)
        #expect(stat?.start == 22)
        #expect(ProcessStat(Array("42 (sh".utf8)) == nil)
    }

    @Test func candidatesForGroupsAreOwnThenBesideThenTop() {
        let v2 = CgroupMount(
            directory: "/sys/fs/cgroup", root: "/", controllers: [], isUnified: true)
        #expect(
            v2.candidates("/user.slice/app/pal") == [
                "/sys/fs/cgroup/user.slice/app/pal", "/sys/fs/cgroup/user.slice/app",
                "/sys/fs/cgroup",
            ])
        let v1 = CgroupMount(
            directory: "/m", root: "/docker/1", controllers: ["memory"], isUnified: false)
        #expect(v1.candidates("/docker/1/x") == ["/m/x", "/m"])
        #expect(v1.candidates("/elsewhere") == ["/m"])
    }
}

@Suite struct RunStateTests {
    private static let boot = "boot"
    private static let supervisor = ProcessIdentity(pid: 1, start: 2, boot: boot)

    private func state(
        locked: Bool, alive: Bool? = nil, run: Bool = true, stop: Bool = false, exit: Bool = false,
        boot: String = boot
    ) -> InstanceStatus {
        let run = run ? RunFile(run: "r", supervisor: Self.supervisor, startedAt: .now) : nil
        let stop = stop ? StopFile(run: "r", at: .now, grace: 0) : nil
        let exit =
            exit
            ? ExitFile(run: "r", code: 1, isOutOfMemory: false, wasRequested: false, at: .now)
            : nil
        return RunState(
            RunEvidence(
                isLocked: locked, isSupervisorAlive: alive ?? locked, run: run, stop: stop,
                exit: exit), boot: boot
        ).status
    }

    @Test func eachPieceOfEvidenceHasItsMeaning() {
        #expect(state(locked: false, run: false) == .stopped)
        #expect(state(locked: true, run: false) == .starting)
        #expect(state(locked: true) == .running)
        #expect(state(locked: true, stop: true) == .stopping)
        #expect(state(locked: true, exit: true) == .failed)
        #expect(state(locked: false, exit: true) == .failed)
        #expect(state(locked: false, stop: true, exit: true) == .stopped)
        #expect(state(locked: false) == .failed)
        #expect(state(locked: true, alive: false) == .failed)
        #expect(state(locked: false, stop: true) == .stopped)
        #expect(state(locked: false, boot: "next") == .stopped)
    }
}
