import FoundationEssentials
import PalModel
import Testing

@testable import PalEngine

@Suite("The prune budget")
struct AdmissionTests {
    private func names(_ count: Int) -> Set<String> { Set((0..<count).map { "n\($0)" }) }

    private func deletion(_ name: String) -> InstancePlan {
        var plan = InstancePlan(
            name: name, provider: "docker", action: .delete, steps: [Step(.delete)])
        plan.isPrune = true
        return plan
    }

    @Test(arguments: [(1, 0), (5, 0), (5, 100), (6, 19), (30, 1000)])
    func letsThroughWhatIsWithinEitherLimit(_ pruned: Int, _ declared: Int) {
        var admission = Admission(policy: Policy())
        admission.weigh(names(pruned), declared, at: .zero)
        #expect(admission.parked == nil)
        #expect(admission.admit(deletion("n0"), at: .zero, Date()) == nil)
    }

    @Test(arguments: [(6, 0), (30, 10), (6, 17)])
    func parksWhatIsOverBoth(_ pruned: Int, _ declared: Int) {
        var admission = Admission(policy: Policy())
        admission.weigh(names(pruned), declared, at: .zero)
        #expect(admission.parked?.names.count == pruned)
        #expect(admission.admit(deletion("n0"), at: .zero, Date())?.kind == .parked)
    }

    @Test func consentLetsExactlyThoseGo() {
        var admission = Admission(policy: Policy())
        admission.weigh(names(30), 10, at: .zero)
        admission.approve(by: "ann")
        #expect(admission.admit(deletion("n0"), at: .zero, Date()) == nil)
        admission.weigh(names(20), 10, at: .zero)
        #expect(admission.admit(deletion("n1"), at: .zero, Date()) == nil)
        admission.weigh(names(35), 10, at: .zero)
        #expect(
            admission.admit(deletion("n2"), at: .zero, Date()) != nil,
            "others need consent of their own")
    }

    @Test func restoringTheFilesEndsIt() {
        var admission = Admission(policy: Policy())
        admission.weigh(names(30), 10, at: .zero)
        admission.weigh([], 40, at: .zero)
        #expect(admission.parked == nil)
    }

    /// Seed 10536: of what was parked and then deleted by hand it was still said that it waits for
    /// consent, for as long as nothing could be pruned.
    @Test func whatIsGoneWaitsForNobodyWhateverMayBePruned() {
        var admission = Admission(policy: Policy())
        admission.weigh(names(30), 10, at: .zero)
        func weigh(known: Set<String>) {
            admission.weigh(
                nil, declared: 0, isUndeclared: known.contains, at: .seconds(5), Date())
        }
        weigh(known: ["n0", "n1"])
        #expect(admission.parked?.names == ["n0", "n1"])
        weigh(known: [])
        #expect(admission.parked == nil)
    }

    @Test func theNextControllerCountsWhatTheLastOneLetThrough() {
        var first = Admission(policy: Policy())
        for name in names(4).sorted() {
            #expect(first.admit(deletion(name), at: .zero, Date()) == nil)
        }
        var state = SwarmState(specsPath: "/specs", updatedAt: Date())
        state.recentDeletions = first.recentDeletions
        var second = Admission(policy: Policy(), from: state, at: .seconds(100))
        second.weigh(["m0", "m1", "m2", "m3"], 12, at: .seconds(101))
        #expect(second.admit(deletion("m0"), at: .seconds(101), Date()) != nil)
    }

    @Test func aTrickleWithinTheWindowCountsTogether() {
        var admission = Admission(policy: Policy())
        admission.weigh(names(4), 16, at: .zero)
        for name in names(4).sorted() {
            #expect(admission.admit(deletion(name), at: .zero, Date()) == nil)
        }
        let rest: Set<String> = ["m0", "m1", "m2", "m3"]
        admission.weigh(rest, 12, at: .seconds(5))
        #expect(admission.admit(deletion("m0"), at: .seconds(5), Date()) != nil)
        admission.weigh(rest, 12, at: .seconds(500))
        #expect(admission.admit(deletion("m0"), at: .seconds(500), Date()) != nil)
    }

    /// Seed 2927: one of the parked became somebody else's, and the others were deleted.
    @Test func whatIsParkedIsNotLetGoBecauseFewerAreLeft() {
        var admission = Admission(policy: Policy())
        admission.weigh(names(6), 0, at: .zero)
        admission.weigh(names(2), 4, at: .seconds(600))
        #expect(admission.parked?.names == ["n0", "n1"])
        #expect(admission.admit(deletion("n0"), at: .seconds(600), Date())?.kind == .parked)
        admission.weigh(["n0", "other"], 4, at: .seconds(700))
        #expect(admission.parked?.names == ["n0"])
        #expect(admission.admit(deletion("other"), at: .seconds(700), Date()) == nil)
        admission.approve(by: "ann")
        #expect(admission.admit(deletion("n0"), at: .seconds(700), Date()) == nil)
        admission.weigh(["n0"], 4, at: .seconds(701))
        #expect(admission.parked == nil)
    }

    @Test func whoseFileWasBackNeedsConsentOfItsOwn() {
        var admission = Admission(policy: Policy())
        admission.weigh(names(8), 0, at: .zero)
        admission.approve(by: "ann")
        admission.weigh(names(7), 1, at: .zero)
        admission.weigh(names(8), 0, at: .zero)
        #expect(admission.parked?.approvedBy == nil)
        #expect(admission.admit(deletion("n7"), at: .zero, Date())?.kind == .parked)
    }

    @Test func whatIsParkedStaysSoWhileNothingMayBePrunedOrIsSeen() {
        var admission = Admission(policy: Policy())
        admission.weigh(names(6), 0, at: .zero)
        admission.weigh(nil, 0, at: .zero)
        admission.weigh([], declared: 0, isUndeclared: { _ in true }, at: .zero, Date())
        admission.weigh(names(1), 5, at: .seconds(600))
        #expect(admission.admit(deletion("n0"), at: .seconds(600), Date())?.kind == .parked)
    }
}

extension Admission {
    /// Everything that is to be pruned is undeclared, and nothing else.
    fileprivate mutating func weigh(
        _ candidates: Set<String>?, _ declared: Int, at elapsed: Duration
    ) {
        weigh(
            candidates, declared: declared, isUndeclared: { candidates?.contains($0) ?? true },
            at: elapsed, Date())
    }
}

@Suite("The work queue")
struct WorkQueueTests {
    private func all(_ queue: inout WorkQueue, at time: Duration = .zero) -> [String] {
        var names: [String] = []
        while let name = queue.next(at: time) { names.append(name) }
        return names
    }

    @Test func handsOutEachNameOnceAndNotWhileItIsWorkedOn() {
        var queue = WorkQueue()
        for _ in 0..<3 { queue.add("a") }
        #expect(all(&queue) == ["a"])
        queue.add("a")
        #expect(all(&queue) == [])
        queue.done("a")
        #expect(all(&queue) == ["a"])
    }

    @Test func waitsForTheTimeAndKeepsTheEarlierOne() {
        var queue = WorkQueue()
        queue.add("a", at: .seconds(5))
        queue.add("a", at: .seconds(9))
        #expect(all(&queue, at: .seconds(4)) == [])
        #expect(queue.nextTime == .seconds(5))
        #expect(all(&queue, at: .seconds(5)) == ["a"])
        queue.done("a")
        #expect(all(&queue, at: .seconds(9)) == [])
    }

    @Test func anEarlierTimeTakesThePlaceOfALaterOne() {
        var queue = WorkQueue()
        queue.add("a", at: .seconds(9))
        queue.add("a", at: .seconds(5))
        #expect(queue.nextTime == .seconds(5))
        #expect(all(&queue, at: .seconds(10)) == ["a"])
        queue.done("a")
        #expect(queue.isEmpty)
    }

    @Test func firstComeFirstServed() {
        var queue = WorkQueue()
        for name in ["c", "a", "b"] { queue.add(name) }
        #expect(all(&queue) == ["c", "a", "b"])
    }

    @Test func keepsNothingOfTimesThatWereOvertaken() {
        var queue = WorkQueue()
        for round in (1...10_000).reversed() { queue.add("a", at: .seconds(round)) }
        #expect(all(&queue, at: .seconds(20_000)) == ["a"])
        queue.done("a")
        #expect(queue.isEmpty && queue.nextTime == nil)
    }
}
