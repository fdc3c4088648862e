internal import FoundationEssentials
import PalProvider

extension Timestamp {
    /// Seconds and nanoseconds as the Engine's `since` takes them: a microsecond early, because a
    /// `Date` is not exact to the nanosecond and nothing at that very time may be missed.
    static func sinceParameter(_ date: Date) -> String {
        let micros = Int((date.timeIntervalSince1970 * 1e6).rounded(.down)) - 1
        guard micros > 0 else { return "0" }
        let digits = String(micros % 1_000_000)
        return "\(micros / 1_000_000)." + String(repeating: "0", count: 6 - digits.count) + digits
            + "000"
    }
}
