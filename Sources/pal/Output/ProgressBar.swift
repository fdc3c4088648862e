import PalEngine
import PalModel
import PalProvider

/// The one line that `apply` writes over while it waits: how many are ready, and a bar for what
/// takes long.
enum ProgressBar {
    private static let width = 20

    /// The line, cut so that it never wraps.
    static func line(_ records: [InstanceRecord], columns: Int) -> String {
        let ready = records.count { $0.conditions.contains { $0.kind == .ready && $0.isTrue } }
        var line = "\(ready) of \(records.count) ready"
        let busy = records.filter { $0.progress != nil }.sorted { $0.name < $1.name }
        if let first = busy.first, let progress = first.progress {
            line += "  " + bar(progress) + "\(first.name): \(progress.message)"
            if busy.count > 1 { line += ", and \(busy.count - 1) more" }
        }
        return String(line.prefix(max(1, columns - 1)))
    }

    private static func bar(_ progress: PalProvider.Progress) -> String {
        guard let fraction = progress.fraction else { return "" }
        let full = Int((max(0, min(1, fraction)) * Double(width)).rounded())
        return "[" + String(repeating: "#", count: full)
            + String(repeating: "-", count: width - full) + "] "
    }
}
