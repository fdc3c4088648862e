import PalEngine

/// The records as they stand in the ledger, for those who look often: reading the database each
/// time would take longer than the run.
final class Mirror: Sendable {
    private let state = Confined([String: InstanceRecord]())

    func save(_ record: InstanceRecord) { state.value[record.name] = record }
    func forget(_ name: String) { state.value[name] = nil }

    /// By name.
    var records: [String: InstanceRecord] { state.value }
    /// Sorted by name.
    var sorted: [InstanceRecord] { state.value.values.sorted { $0.name < $1.name } }
}
