import FoundationEssentials
import PalEngine
import PalLedger
import PalModel
import Testing

@Suite struct RequestTests {
    private static func stop(_ by: String) -> ControlRequest {
        ControlRequest(verb: .stop, names: ["alice"], holdFor: nil, by: by)
    }

    @Test func aRequestIsOpenUntilItIsAnswered() throws {
        let state = StateFixture()
        let controller = try SQLiteLedger.open(directory: state.path)
        let asker = try SQLiteLedger.open(directory: state.path)
        let first = try asker.ask(Self.stop("ann"))
        let second = try asker.ask(Self.stop("bob"))

        var expected = Self.stop("ann")
        expected.number = first
        #expect(try controller.openRequests().first == expected)
        #expect(try controller.openRequests().map(\.number) == [first, second])
        #expect(try asker.reply(to: first) == nil)

        let reply = ControlReply(isDone: true, messages: ["alice is stopped"])
        try controller.answer(first, reply, durably: true)
        #expect(try asker.reply(to: first) == reply)
        #expect(try asker.reply(to: second) == nil)
        #expect(try controller.openRequests().map(\.number) == [second])
        try controller.answer(first, ControlReply(isDone: false, messages: []), durably: true)
        #expect(try asker.reply(to: first) == reply)
    }

    @Test func aRequestThatWasTakenBackIsGone() throws {
        let ledger = try SQLiteLedger.inMemory()
        let number = try ledger.ask(Self.stop("ann"))
        #expect(try ledger.withdraw(number))
        #expect(try ledger.openRequests().isEmpty)
        try ledger.answer(number, ControlReply(isDone: true, messages: []), durably: true)
        #expect(try ledger.reply(to: number) == nil)

        let answered = try ledger.ask(Self.stop("ann"))
        #expect(answered > number)
        try ledger.answer(answered, ControlReply(isDone: true, messages: []), durably: true)
        #expect(try ledger.withdraw(answered) == false)
        #expect(try ledger.reply(to: answered)?.isDone == true)
    }

    @Test func requestsThatNobodyTookInTimeAreNotCarriedOutLater() throws {
        let ledger = try SQLiteLedger.inMemory()
        let now = Date(timeIntervalSinceReferenceDate: 10_000)
        let old = try ledger.ask(Self.stop("ann"), at: now.addingTimeInterval(-601))
        let new = try ledger.ask(Self.stop("bob"), at: now.addingTimeInterval(-599))
        #expect(try ledger.expireRequests(leftBefore: now.addingTimeInterval(-600)) == 1)
        #expect(try ledger.openRequests().map(\.number) == [new])
        #expect(try ledger.reply(to: old)?.isDone == false)
    }

    @Test func answersAreBoundedAndOpenRequestsNeverDropped() throws {
        let ledger = try SQLiteLedger.inMemory()
        let open = try ledger.ask(Self.stop("ann"))
        let first = try ledger.ask(Self.stop("ann"))
        let done = ControlReply(isDone: true, messages: [])
        try ledger.answer(first, done, durably: true)
        var last = first
        for _ in 0..<1_001 {
            last = try ledger.ask(Self.stop("ann"))
            try ledger.answer(last, done, durably: true)
        }
        #expect(try ledger.reply(to: first) == nil)
        #expect(try ledger.reply(to: last) == done)
        #expect(try ledger.openRequests().map(\.number) == [open])
    }

    @Test(.timeLimit(.minutes(10)), arguments: [true, false])
    func aRequestWakesTheController(isOnDisk: Bool) async throws {
        let state = StateFixture()
        let controller =
            isOnDisk ? try SQLiteLedger.open(directory: state.path) : try SQLiteLedger.inMemory()
        let asker = isOnDisk ? try SQLiteLedger.open(directory: state.path) : controller
        try await watching(controller) { seen in
            // What was there before the watch began is looked at too.
            #expect(await seen.next() == [])
            _ = try asker.ask(Self.stop("ann"))
            while let open = await seen.next(), open != ["ann"] {}
            _ = try asker.ask(Self.stop("bob"))
            while let open = await seen.next(), open != ["ann", "bob"] {}
        }
        // A second watch, as after a restart of the engine in one process.
        try await watching(controller) { seen in
            #expect(await seen.next() == ["ann", "bob"])
            _ = try asker.ask(Self.stop("eve"))
            while let open = await seen.next(), open.count != 3 {}
        }
        #expect(try controller.openRequests().count == 3)
    }

    @Test(.timeLimit(.minutes(10)))
    func theControllerIsWokenAlsoAfterTheFileWasDeleted() async throws {
        let state = StateFixture()
        let controller = try SQLiteLedger.open(directory: state.path)
        let asker = try SQLiteLedger.open(directory: state.path)
        try await watching(controller) { seen in
            #expect(await seen.next() == [])
            try FileManager.default.removeItem(atPath: state.path + "/wake")
            _ = try asker.ask(Self.stop("ann"))
            while let open = await seen.next(), open != ["ann"] {}
            // The new file is watched in its turn.
            _ = try asker.ask(Self.stop("bob"))
            while let open = await seen.next(), open != ["ann", "bob"] {}
        }
        #expect(try controller.openRequests().count == 2)
    }

    @Test(.timeLimit(.minutes(10)))
    func theControllerLooksFromTimeToTimeWhereItCannotWatch() async throws {
        let state = StateFixture()
        let controller = try SQLiteLedger.open(directory: state.path)
        let asker = try SQLiteLedger.open(directory: state.path)
        // No file can be made in its place, and touching it fails.
        try FileManager.default.createDirectory(
            atPath: state.path + "/wake", withIntermediateDirectories: false)
        try await watching(controller) { seen in
            #expect(await seen.next() == [])
            let message = refusal { () throws(LedgerError) in _ = try asker.ask(Self.stop("ann")) }
            #expect(message.contains("cannot wake the controller"))
            #expect(message.contains(state.path + "/wake"))
            #expect(try controller.openRequests().isEmpty)
            try FileManager.default.removeItem(atPath: state.path + "/wake")
            _ = try asker.ask(Self.stop("bob"))
            while let open = await seen.next(), open != ["bob"] {}
        }
    }

    /// Watches, and reports who has open requests at each call of the handler, until the body ends.
    private func watching(
        _ ledger: SQLiteLedger,
        _ body: (inout AsyncStream<[String]>.Iterator) async throws -> Void
    ) async throws {
        let (seen, see) = AsyncStream.makeStream(of: [String].self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await ledger.watchRequests {
                    see.yield((try? ledger.openRequests().map(\.by)) ?? ["unreadable"])
                }
            }
            var iterator = seen.makeAsyncIterator()
            try await body(&iterator)
            group.cancelAll()
        }
    }
}
