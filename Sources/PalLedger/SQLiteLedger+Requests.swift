public import FoundationEssentials
import GRDB
public import PalEngine

// The controller's side.
extension SQLiteLedger {
    /// Requests that nobody has answered or withdrawn, oldest first.
    public func openRequests() throws(LedgerError) -> [ControlRequest] {
        try read(to: "read the requests") { db in
            let open = try db.cachedStatement(
                sql: "SELECT number, request FROM request WHERE answer IS NULL ORDER BY number")
            return try Row.fetchAll(open).map { row in
                var request = try LedgerJSON.value(ControlRequest.self, row["request"])
                request.number = row["number"]
                return request
            }
        }
    }

    /// Answers a request. One that was withdrawn or answered stays so.
    public func answer(
        _ number: Int64, _ reply: ControlReply, durably: Bool
    ) throws(LedgerError) {
        try write(to: "answer a request", durably: durably) { db in
            try db.run(
                "UPDATE request SET answer = ? WHERE number = ? AND answer IS NULL",
                [try LedgerJSON.text(reply), number])
        }
    }

    /// Calls the handler once at first, and then whenever a request may have come.
    public func watchRequests(_ arrived: @Sendable () async -> Void) async {
        await bell.listen(arrived)
    }

    /// Answers the requests that were left before a date with a refusal: whoever left them has
    /// given up by then, and does not expect them to be carried out later.
    ///
    /// For the start of a controller that holds the lock; one that runs may still work on them.
    /// - Returns: How many there were.
    @discardableResult
    public func expireRequests(leftBefore date: Date) throws(LedgerError) -> Int {
        try write(to: "drop old requests") { db in
            let reply = ControlReply(
                isDone: false, messages: ["no controller took this request in time; ask again"])
            try db.run(
                "UPDATE request SET answer = ? WHERE answer IS NULL AND createdAt < ?",
                [try LedgerJSON.text(reply), date.timeIntervalSinceReferenceDate])
            return db.changesCount
        }
    }
}

// The side of whoever asks.
extension SQLiteLedger {
    /// How many requests are kept after they were answered.
    static let answersKept: Int64 = 1_000

    /// Leaves a request for the controller and wakes it. The number in it is not read, nor which
    /// deletions wait: that is what the ledger says now.
    ///
    /// - Returns: The number to ask for the reply with.
    public func ask(
        _ request: ControlRequest, at date: Date = Date()
    ) throws(LedgerError) -> Int64 {
        let number = try write(to: "leave a request") { db in
            var left = request
            left.parked = request.verb == .approve ? try Self.state(db)?.parked?.names : nil
            try db.run(
                "INSERT INTO request (request, createdAt) VALUES (?, ?)",
                [try LedgerJSON.text(left), date.timeIntervalSinceReferenceDate])
            let number = db.lastInsertedRowID
            try db.run(
                "DELETE FROM request WHERE answer IS NOT NULL AND number <= ?",
                [number - Self.answersKept])
            return number
        }
        do { try bell.ring() } catch {
            try withdraw(number)
            throw LedgerError("cannot wake the controller: \(error)")
        }
        return number
    }

    /// What came of a request; nil while nobody has answered.
    public func reply(to number: Int64) throws(LedgerError) -> ControlReply? {
        try read(to: "read what came of a request") { db in
            try String.fetchOne(
                db, sql: "SELECT answer FROM request WHERE number = ?", arguments: [number]
            ).map { try LedgerJSON.value(ControlReply.self, $0) }
        }
    }

    /// Takes a request back that nobody has answered.
    ///
    /// A controller that has read it already may still carry it out.
    /// - Returns: False where it was answered already; then the reply stands.
    @discardableResult
    public func withdraw(_ number: Int64) throws(LedgerError) -> Bool {
        try write(to: "withdraw a request") { db in
            try db.run("DELETE FROM request WHERE number = ? AND answer IS NULL", [number])
            return db.changesCount > 0
        }
    }
}
