import GRDB
public import PalEngine

extension SQLiteLedger {
    /// All records, sorted by name.
    public func records() throws(LedgerError) -> [InstanceRecord] {
        let rows = try read(to: "read the records") { db in
            try Row.fetchAll(db, sql: "SELECT name, record FROM instance ORDER BY name")
        }
        var records: [InstanceRecord] = []
        records.reserveCapacity(rows.count)
        for row in rows { records.append(try decode(row["record"], of: row["name"])) }
        noteWritten(records)
        return records
    }

    /// The record of one name, or nil.
    public func record(_ name: String) throws(LedgerError) -> InstanceRecord? {
        let text = try read(to: "read the record of '\(name)'") { db in
            try String.fetchOne(
                db, sql: "SELECT record FROM instance WHERE name = ?", arguments: [name])
        }
        guard let text else { return nil }
        return try decode(text, of: name)
    }

    /// Writes a record, unless it is what this object read or wrote last.
    public func save(_ record: InstanceRecord) throws(LedgerError) {
        guard isNew(record) else { return }
        try write(to: "save the record of '\(record.name)'") { try Self.put(record, $0) }
        noteWritten([record])
    }

    /// Removes a record. The name's events and intents stay readable.
    public func forget(_ name: String) throws(LedgerError) {
        try write(to: "forget '\(name)'") { db in
            try db.run("DELETE FROM instance WHERE name = ?", [name])
        }
        noteForgotten(name)
    }

    /// The swarm's state as of the last round; nil before the first.
    public func swarmState() throws(LedgerError) -> SwarmState? {
        try read(to: "read the state of the swarm") { db in
            try String.fetchOne(db, sql: "SELECT value FROM swarm WHERE key = 'state'")
                .map { try LedgerJSON.value(SwarmState.self, $0) }
        }
    }

    /// Writes the swarm's state in the place of the former one.
    public func save(_ state: SwarmState) throws(LedgerError) {
        try write(to: "save the state of the swarm") { db in
            try db.run(
                """
                INSERT INTO swarm (key, value) VALUES ('state', ?)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value
                """, [try LedgerJSON.text(state)])
        }
    }

    static func put(_ record: InstanceRecord, _ db: Database) throws {
        try db.run(
            """
            INSERT INTO instance (name, record) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET record = excluded.record
            """, [record.name, try LedgerJSON.text(record)])
    }

    private func decode(_ text: String, of name: String) throws(LedgerError) -> InstanceRecord {
        do { return try LedgerJSON.value(InstanceRecord.self, text) } catch {
            throw LedgerError(error, action: "read the record of '\(name)'", path: path)
        }
    }
}
