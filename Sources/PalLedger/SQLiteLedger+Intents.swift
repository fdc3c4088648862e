import GRDB
public import PalEngine

/// An intent with what came of it.
public struct IntentRecord: Sendable, Hashable, Codable {
    /// What was to be done.
    public var intent: Intent
    /// Nil while it is open: it is being carried out, or a crash left it.
    public var outcome: String?

    /// An intent as it stands in the ledger.
    public init(intent: Intent, outcome: String?) {
        self.intent = intent
        self.outcome = outcome
    }
}

extension SQLiteLedger {
    /// How many finished intents are kept of one name.
    public static let finishedIntentsPerName = 20
    /// How many finished intents are kept in all, give or take the last 64.
    public static let finishedIntents = 10_000

    /// Writes an intent and its record in one transaction, and waits for the disk.
    ///
    /// - Returns: The intent's number, higher than any before it.
    public func begin(_ intent: Intent, _ record: InstanceRecord) throws(LedgerError) -> Int64 {
        let isNew = isNew(record)
        let number = try write(
            to: "write down what is about to be done to '\(intent.name)'", durably: true
        ) { db in
            if isNew { try Self.put(record, db) }
            try db.run(
                "INSERT INTO intent (name, intent) VALUES (?, ?)",
                [intent.name, try LedgerJSON.text(intent)])
            return db.lastInsertedRowID
        }
        if isNew { noteWritten([record]) }
        return number
    }

    /// Closes an intent. A number that is not open is left as it is.
    public func finish(_ number: Int64, outcome: String) throws(LedgerError) {
        try write(to: "write down what came of a change") { db in
            try db.run(
                "UPDATE intent SET outcome = ? WHERE number = ? AND outcome IS NULL",
                [outcome, number])
            try db.run(
                """
                DELETE FROM intent WHERE outcome IS NOT NULL
                    AND name = (SELECT name FROM intent WHERE number = ?1)
                    AND number <= (
                        SELECT number FROM intent WHERE outcome IS NOT NULL
                            AND name = (SELECT name FROM intent WHERE number = ?1)
                        ORDER BY number DESC LIMIT 1 OFFSET \(Self.finishedIntentsPerName))
                """, [number])
            guard number.isMultiple(of: 64) else { return }
            try db.run(
                """
                DELETE FROM intent WHERE outcome IS NOT NULL AND number <= (
                    SELECT number FROM intent WHERE outcome IS NOT NULL
                    ORDER BY number DESC LIMIT 1 OFFSET \(Self.finishedIntents))
                """)
        }
    }

    /// What a crash left, oldest first.
    public func openIntents() throws(LedgerError) -> [Intent] {
        try read(to: "read the open intents") { db in
            try Self.intents(
                db, "SELECT * FROM intent WHERE outcome IS NULL ORDER BY number"
            ).map(\.intent)
        }
    }

    /// The open and the last finished intents of one name, oldest first.
    public func recentIntents(_ name: String) throws(LedgerError) -> [IntentRecord] {
        try read(to: "read the intents of '\(name)'") { db in
            try Self.intents(
                db, "SELECT * FROM intent WHERE name = ? ORDER BY number", [name])
        }
    }

    private static func intents(
        _ db: Database, _ sql: String, _ arguments: StatementArguments = StatementArguments()
    ) throws -> [IntentRecord] {
        try Row.fetchAll(db, sql: sql, arguments: arguments).map { row in
            var intent = try LedgerJSON.value(Intent.self, row["intent"])
            intent.number = row["number"]
            return IntentRecord(intent: intent, outcome: row["outcome"])
        }
    }
}
