import FoundationEssentials
import GRDB
public import PalEngine

extension SQLiteLedger {
    /// How many events are kept of one name, and of the swarm itself.
    public static let eventsPerName = 1_000
    /// How many events are kept in all, give or take the last 64.
    public static let eventsKept = 10_000

    /// Adds an event, and drops the oldest ones past the limits. The number in it is not read.
    public func append(_ event: EventRecord) throws(LedgerError) {
        try write(to: "write down an event") { db in
            try db.run(
                "INSERT INTO event (at, name, severity, reason, message) VALUES (?, ?, ?, ?, ?)",
                [
                    event.at.timeIntervalSinceReferenceDate, event.name, event.severity.rawValue,
                    event.reason, event.message,
                ])
            let number = db.lastInsertedRowID
            try db.run(
                """
                DELETE FROM event WHERE name IS ?1 AND number <= (
                    SELECT number FROM event WHERE name IS ?1
                    ORDER BY number DESC LIMIT 1 OFFSET \(Self.eventsPerName))
                """, [event.name])
            guard number.isMultiple(of: 64) else { return }
            try db.run(
                """
                DELETE FROM event WHERE number <= (
                    SELECT number FROM event ORDER BY number DESC
                    LIMIT 1 OFFSET \(Self.eventsKept))
                """)
        }
    }

    /// The events that came after a number, oldest first: for following.
    ///
    /// - Parameters:
    ///   - name: the instance; nil for all, and the swarm's own.
    ///   - number: the last event that is already known; 0 for none.
    ///   - limit: the most that are returned, the oldest of them.
    public func events(
        name: String?, after number: Int64, limit: Int
    ) throws(LedgerError) -> [EventRecord] {
        try events(name, "number > ? ORDER BY number LIMIT ?", [number, max(0, limit)])
    }

    /// The newest events, oldest of them first.
    ///
    /// - Parameters:
    ///   - name: the instance; nil for all, and the swarm's own.
    ///   - limit: the most that are returned.
    public func latestEvents(name: String?, limit: Int) throws(LedgerError) -> [EventRecord] {
        try events(name, "true ORDER BY number DESC LIMIT ?", [max(0, limit)]).reversed()
    }

    /// The number of the newest event; 0 where there is none.
    public func newestEvent() throws(LedgerError) -> Int64 {
        try read(to: "read the events") { db in
            try Int64.fetchOne(db, sql: "SELECT max(number) FROM event") ?? 0
        }
    }

    private func events(
        _ name: String?, _ condition: String, _ arguments: StatementArguments
    ) throws(LedgerError) -> [EventRecord] {
        try read(to: "read the events") { db in
            let ofName = name == nil ? "" : "name = ? AND "
            let arguments = name.map { [$0] + arguments } ?? arguments
            return try Row.fetchAll(
                db, sql: "SELECT * FROM event WHERE \(ofName)\(condition)", arguments: arguments
            ).map(Self.event)
        }
    }

    private static func event(_ row: Row) -> EventRecord {
        EventRecord(
            number: row["number"], at: Date(timeIntervalSinceReferenceDate: row["at"]),
            name: row["name"], severity: .init(rawValue: row["severity"]) ?? .warning,
            reason: row["reason"], message: row["message"])
    }
}
