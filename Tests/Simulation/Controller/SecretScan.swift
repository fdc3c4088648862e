import FoundationEssentials
import Logging
import PalEngine
import PalModel

/// Looks for the values of secrets in everything that pal writes. Every secret of a run holds the
/// same recognisable words.
struct SecretScan: Sendable {
    let trace: Trace
    private let records = Confined(0)

    init(trace: Trace) { self.trace = trace }

    /// What every secret's value begins with.
    static let mark = "hunter2-"

    func check(text: String, in place: String) {
        if text.contains(Self.mark) { trace.add(.leaked(place)) }
    }

    /// A record's sentences each time; all of it every fourth time, which is enough, because what
    /// stands in a record stays there.
    func check(_ record: InstanceRecord) {
        let place = "the record of \(record.name)"
        for condition in record.conditions { check(text: condition.message, in: place) }
        records.value += 1
        if records.value.isMultiple(of: 4) { check(record, in: place) }
    }

    func check(_ value: some Encodable, in place: String) {
        guard let bytes = try? JSONEncoder().encode(value) else { return }
        check(text: String(decoding: bytes, as: UTF8.self), in: place)
    }
}

/// Takes every line of the log, and keeps none.
struct CapturingLog: LogHandler {
    let guardian: SecretScan
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guardian.check(text: "\(event.message) \(event.metadata ?? [:])", in: "the log")
    }

    /// A logger that ends here.
    static func logger(_ guardian: SecretScan) -> Logger {
        Logger(label: "pal") { _ in CapturingLog(guardian: guardian) }
    }
}
