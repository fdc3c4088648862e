import GRDB
import PalEngine
import PalLedger
import PalModel
import Testing

@Suite struct IntentTests {
    @Test func anIntentIsOpenUntilItIsFinished() throws {
        let ledger = try SQLiteLedger.inMemory()
        let first = try ledger.begin(.creation("a"), .small("a"))
        let second = try ledger.begin(.creation("b"), .small("b"))
        #expect(first < second)

        var expected = [Intent.creation("a"), Intent.creation("b")]
        expected[0].number = first
        expected[1].number = second
        #expect(try ledger.openIntents() == expected)
        #expect(try ledger.records().map(\.name) == ["a", "b"])

        try ledger.finish(first, outcome: "created")
        #expect(try ledger.openIntents() == [expected[1]])
        let kept = try ledger.recentIntents("a")
        #expect(kept == [IntentRecord(intent: expected[0], outcome: "created")])
        #expect(try ledger.recentIntents("b").map(\.outcome) == [nil])
    }

    @Test func theFirstOutcomeStays() throws {
        let ledger = try SQLiteLedger.inMemory()
        let number = try ledger.begin(.creation("a"), .small("a"))
        try ledger.finish(number, outcome: "created")
        try ledger.finish(number, outcome: "something else")
        try ledger.finish(9_999, outcome: "unknown")
        #expect(try ledger.recentIntents("a").map(\.outcome) == ["created"])
    }

    @Test func anIntentAndItsRecordAreWrittenTogetherOrNotAtAll() throws {
        let ledger = try SQLiteLedger.inMemory()
        var bad = InstanceRecord.full("a")
        bad.observed?.resources.cpu.used = .nan
        let record = bad
        let message = refusal { () throws(LedgerError) in
            _ = try ledger.begin(.creation("a"), record)
        }
        #expect(message.contains("'a'"))
        #expect(try ledger.openIntents().isEmpty)

        // The record is good and comes first; the intent is bad.
        let partial = PartialConfig([
            FieldChange(path: "metadata", from: nil, to: .double(.infinity))
        ])
        var intent = Intent.creation("b")
        intent.step = Step(.update, partial: partial)
        let unwritable = intent
        #expect(
            refusal { () throws(LedgerError) in _ = try ledger.begin(unwritable, .small("b")) }
                != "")
        #expect(try ledger.records().isEmpty)
        // And the record does not count as written.
        try ledger.save(.small("b"))
        #expect(try ledger.records() == [.small("b")])
    }

    @Test func finishedIntentsAreBoundedAndOpenOnesNeverDropped() throws {
        let ledger = try SQLiteLedger.inMemory()
        let open = try ledger.begin(.creation("a"), .small("a"))
        for generation in 2...(SQLiteLedger.finishedIntentsPerName + 11) {
            let number = try ledger.begin(
                .creation("a", generation: generation), .small("a", generation: generation))
            try ledger.finish(number, outcome: "done")
        }
        let kept = try ledger.recentIntents("a")
        #expect(kept.count == SQLiteLedger.finishedIntentsPerName + 1)
        #expect(kept.first?.intent.number == open)
        #expect(kept.last?.intent.step.generation == SQLiteLedger.finishedIntentsPerName + 11)
        #expect(try ledger.openIntents().map(\.number) == [open])
    }

    @Test func aNumberIsNeverGivenTwice() throws {
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path)
        let number = try ledger.begin(.creation("a"), .small("a"))
        try state.stranger().write { try $0.execute(sql: "DELETE FROM intent") }
        #expect(try ledger.begin(.creation("a"), .small("a")) > number)
    }
}
