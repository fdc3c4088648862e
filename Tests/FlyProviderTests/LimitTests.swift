import FlyEmulation
import Foundation
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import FlyProvider

@Suite("Fly.io's limits", .timeLimit(.minutes(3)))
struct LimitTests {
    @Test("of many creations at once none is given up")
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
            // Refused calls are not counted: on a busy machine calls come closer than they left.
            #expect(try await swarm.provider.listInstances(.all).count == 25)
            #expect(try await swarm.provider.listStorage().count == 25)
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

    @Test(
        "however late each caller comes, what leaves is never more than the rate", arguments: 1...50
    )
    func departures(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limiter = RateLimiter()
        let key = RateLimiter.Key(action: .createMachine, object: "app")
        let rate = key.action.rate
        // A caller wakes when it was told to, or later; so they are played in the order of waking.
        var wakes = (1...40).map { _ in
            Duration.milliseconds(Int.random(in: 0...9000, using: &random))
        }
        wakes = wakes.map { $0 + limiter.reserve(key, now: $0) }
        var left: [Duration] = []
        while let now = wakes.min(), let next = wakes.firstIndex(of: now) {
            wakes.remove(at: next)
            if let wait = limiter.leave(key, now: now) {
                let late = Duration.milliseconds(Int.random(in: 0...3000, using: &random))
                wakes.append(now + wait + (Bool.random(using: &random) ? late : .zero))
            } else {
                left.append(now)
            }
        }
        #expect(left.count == 40)
        for (first, one) in left.enumerated() {
            for (count, other) in left[first...].enumerated() {
                let allowed = Double((other - one) / rate.interval) + Double(rate.burst)
                #expect(Double(count + 1) <= allowed + 1e-6, "\(left)")
            }
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
