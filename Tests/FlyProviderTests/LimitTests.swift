import FlyEmulation
import Foundation
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import FlyProvider

@Suite("Fly.io's limits", .timeLimit(.minutes(3)))
struct LimitTests {
    @Test(
        "many creations at once are made at the pace that Fly.io allows: hardly a call is too many")
    func crowd() async throws {
        try await FlySwarm.run(speed: 2) { swarm in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 1...25 {
                    group.addTask {
                        _ = try await swarm.create("i\(index)") {
                            $0.command = nil
                            $0.resources.storagePersistent = true
                        }
                    }
                }
                try await group.waitForAll()
            }
            // On a machine that is busy with other tests two calls can come closer than they left.
            let refused = swarm.fly.calls.filter { $0.status == 429 }
            #expect(refused.count < 3, "\(refused)")
            #expect(try await swarm.provider.listInstances(.all).count == 25)
        }
    }

    @Test("a refusal out of turn is waited out as long as Fly.io says, and no longer than that")
    func refusal() async throws {
        try await FlySwarm.run { swarm in
            _ = try await swarm.create("alice")
            swarm.fly.fail(.tooMany(.listMachines, retryAfter: 7))
            _ = swarm.fly.takeCalls()
            #expect(try await swarm.provider.listInstances(.all).count == 1)
            let lists = swarm.fly.takeCalls().filter { $0.path.hasSuffix("/machines") }
            #expect(lists.map(\.status) == [429, 200])
            #expect(lists[1].at - lists[0].at >= .seconds(7))
        }
    }

    @Test("where it goes on the failure says how long to wait")
    func refusals() async throws {
        try await FlySwarm.run { swarm in
            _ = try await swarm.create("alice")
            swarm.fly.fail(.tooMany(.listMachines, retryAfter: 60))
            let limited = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.listInstances(.all)
            }
            #expect(limited.error?.code == .rateLimited)
            #expect(limited.error?.retryAfter == 60)
        }
    }

    @Test("calls that may share a look at the volumes do, and a later one looks again")
    func sharedLooks() async throws {
        try await FlySwarm.run { swarm in
            _ = try await swarm.create("alice") { $0.resources.storagePersistent = true }
            _ = swarm.fly.takeCalls()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...50 {
                    group.addTask { try await swarm.provider.listStorage().count }
                }
                for try await count in group { #expect(count == 1) }
            }
            let looks = swarm.fly.takeCalls().count { $0.path.hasSuffix("/volumes") }
            #expect((1...10).contains(looks), "\(looks) looks")
        }
    }

    @Test("a place that is free is taken at once, and the next ones an interval later each")
    func limiter() {
        let limiter = RateLimiter()
        let key = RateLimiter.Key(action: .createMachine, object: "app")
        let second = RateLimiter.Rate.usual.interval
        #expect(limiter.reserve(key, now: .zero) == .zero)
        #expect(limiter.reserve(key, now: .zero) == .zero)
        #expect(limiter.reserve(key, now: .zero) == second)
        #expect(limiter.reserve(key, now: .zero) == second * 2)
        for _ in 1...2 { #expect(limiter.leave(key, now: .zero) == nil) }
        // One that comes too early, as after another that left late, waits for the rest.
        #expect(limiter.leave(key, now: second / 2) == second / 2)
        #expect(limiter.leave(key, now: second) == nil)
        let other = RateLimiter.Key(action: .createMachine, object: "other")
        #expect(limiter.reserve(other, now: .zero) == .zero)
        limiter.hold(other, for: .seconds(5), now: .zero)
        #expect(limiter.reserve(other, now: .zero) == .seconds(5))
        #expect(limiter.leave(other, now: .zero) == .seconds(5))
        #expect(limiter.reserve(key, now: .seconds(100)) == .zero)
    }
}
