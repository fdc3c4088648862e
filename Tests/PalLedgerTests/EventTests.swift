import PalEngine
import PalLedger
import Testing

@Suite struct EventTests {
    @Test func eventsComeBackInTheirOrder() throws {
        let ledger = try SQLiteLedger.inMemory()
        #expect(try ledger.newestEvent() == 0)
        for (name, message) in [("a", "1"), ("b", "2"), (nil, "3"), ("a", "4"), ("a", "5")] {
            try ledger.append(.made(name, message))
        }
        let all = try ledger.latestEvents(name: nil, limit: 100)
        #expect(all.map(\.message) == ["1", "2", "3", "4", "5"])
        var first = EventRecord.made("a", "1")
        first.number = all[0].number
        #expect(all.first == first)
        #expect(all.last?.number == (try ledger.newestEvent()))

        #expect(try ledger.latestEvents(name: nil, limit: 2).map(\.message) == ["4", "5"])
        #expect(try ledger.latestEvents(name: "a", limit: 2).map(\.message) == ["4", "5"])
        #expect(try ledger.latestEvents(name: "b", limit: 2).map(\.message) == ["2"])
        #expect(try ledger.latestEvents(name: nil, limit: -1).isEmpty)
    }

    @Test func followingMissesNothing() throws {
        let ledger = try SQLiteLedger.inMemory()
        for number in 1...10 {
            try ledger.append(.made(number.isMultiple(of: 2) ? "a" : "b", "\(number)"))
        }
        var seen: [String] = []
        var last: Int64 = 0
        while true {
            let batch = try ledger.events(name: nil, after: last, limit: 3)
            guard let newest = batch.last else { break }
            seen += batch.map(\.message)
            last = newest.number
        }
        #expect(seen == (1...10).map { "\($0)" })
        #expect(
            try ledger.events(name: "a", after: 4, limit: 100).map(\.message) == ["6", "8", "10"])
    }

    @Test func aNoisyInstanceDoesNotPushOutTheOthers() throws {
        let ledger = try SQLiteLedger.inMemory()
        try ledger.append(.made("quiet"))
        try ledger.append(.made(nil))
        for number in 1...(SQLiteLedger.eventsPerName + 500) {
            try ledger.append(.made("noisy", "\(number)"))
        }
        let noisy = try ledger.latestEvents(name: "noisy", limit: 100_000)
        #expect(noisy.count == SQLiteLedger.eventsPerName)
        #expect(noisy.first?.message == "501")
        #expect(try ledger.latestEvents(name: "quiet", limit: 10).count == 1)
        let all = try ledger.latestEvents(name: nil, limit: 100_000)
        #expect(all.count == SQLiteLedger.eventsPerName + 2)
    }

    @Test func eventsOfTheSwarmAreBoundedToo() throws {
        let ledger = try SQLiteLedger.inMemory()
        for _ in 1...(SQLiteLedger.eventsPerName + 5) { try ledger.append(.made(nil)) }
        let all = try ledger.latestEvents(name: nil, limit: 100_000)
        #expect(all.count == SQLiteLedger.eventsPerName)
    }

    @Test func allEventsTogetherAreBounded() throws {
        let ledger = try SQLiteLedger.inMemory()
        let count = SQLiteLedger.eventsKept + 300
        for number in 1...count { try ledger.append(.made("n\(number % 30)", "\(number)")) }
        let all = try ledger.latestEvents(name: nil, limit: 100_000)
        #expect((SQLiteLedger.eventsKept..<SQLiteLedger.eventsKept + 64).contains(all.count))
        #expect(all.last?.message == "\(count)")
        #expect(all.first?.message == "\(count - all.count + 1)")
    }
}
