import Dispatch
import GRDB
public import PalEngine
import Synchronization

extension SQLiteLedger {
    /// All records, sorted by name.
    public func records() throws(LedgerError) -> [InstanceRecord] {
        let records = try read(to: "read the records") { db in
            var records: [InstanceRecord] = []
            var batch: [StoredRecord] = []
            let rows = try Row.fetchCursor(
                db, sql: "SELECT name, record FROM instance ORDER BY name")
            while let row = try rows.next() {
                batch.append(StoredRecord(name: row[0], text: row[1]))
                guard batch.count == Self.batchSize else { continue }
                records += try decode(batch)
                batch.removeAll(keepingCapacity: true)
            }
            return records + (try decode(batch))
        }
        noteWritten(records)
        return records
    }

    private struct StoredRecord {
        let name: String
        let text: String
    }

    /// So many texts are held at a time.
    private static let batchSize = 4096
    private static let pieceSize = 256

    /// Decodes on all cores.
    private func decode(_ batch: [StoredRecord]) throws(LedgerError) -> [InstanceRecord] {
        let pieces = stride(from: 0, to: batch.count, by: Self.pieceSize).map {
            batch[$0..<min($0 + Self.pieceSize, batch.count)]
        }
        let done = Mutex<[Int: Result<[InstanceRecord], LedgerError>]>([:])
        DispatchQueue.concurrentPerform(iterations: pieces.count) { index in
            let result = Result { () throws(LedgerError) in try decode(pieces[index]) }
            done.withLock { $0[index] = result }
        }
        var records: [InstanceRecord] = []
        for (_, result) in done.withLock({ $0.sorted { $0.key < $1.key } }) {
            records += try result.get()
        }
        return records
    }

    private func decode(
        _ piece: ArraySlice<StoredRecord>
    ) throws(LedgerError) -> [InstanceRecord] {
        var records: [InstanceRecord] = []
        records.reserveCapacity(piece.count)
        for stored in piece { records.append(try decode(stored.text, of: stored.name)) }
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
        try read(to: "read the state of the swarm") { db in try Self.state(db) }
    }

    static func state(_ db: Database) throws -> SwarmState? {
        try String.fetchOne(db, sql: "SELECT value FROM swarm WHERE key = 'state'")
            .map { try LedgerJSON.value(SwarmState.self, $0) }
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
