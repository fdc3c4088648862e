internal import FoundationEssentials

/// One line of what the Engine says during a pull.
struct PullLine: Decodable, Sendable {
    struct Detail: Decodable, Sendable {
        var current: Int?
        var total: Int?
    }

    struct Problem: Decodable, Sendable { var message: String? }

    var status: String?
    /// The layer that is meant.
    var id: String?
    var progressDetail: Detail?
    var errorDetail: Problem?
    var error: String?

    /// What went wrong, in the Engine's words.
    var problem: String? { errorDetail?.message ?? error }

    /// Reads a line; nil for what is none.
    init?(_ bytes: [UInt8]) {
        guard let line = try? JSONDecoder().decode(PullLine.self, from: Data(bytes)) else {
            return nil
        }
        self = line
    }
}

/// How far a pull is, added up over its layers. What it keeps is bounded.
struct PullProgress: Sendable {
    private struct Layer {
        var loaded = 0
        var total: Int?
        /// From 0 to 1: most of it is the download.
        var done = 0.0
    }

    /// More layers than an image may have.
    private static let mostLayers = 256
    private static let downloadShare = 0.8

    private var layers: [String: Layer] = [:]
    /// Never goes back, though layers are found on the way.
    private(set) var fraction = 0.0

    /// Takes a line in.
    mutating func take(_ line: PullLine) {
        guard let id = line.id, let status = line.status, let share = Self.share(line, status)
        else { return }
        guard layers[id] != nil || layers.count < Self.mostLayers else { return }
        var layer = layers[id] ?? Layer()
        layer.done = max(layer.done, share)
        if status == "Downloading", let detail = line.progressDetail {
            if let total = detail.total, total > 0 { layer.total = total }
            layer.loaded = max(layer.loaded, detail.current ?? 0)
        }
        if layer.done >= Self.downloadShare, let total = layer.total { layer.loaded = total }
        layers[id] = layer
        fraction = max(fraction, min(1, weighted))
    }

    /// What a line says of its layer; nil where it is about something else.
    private static func share(_ line: PullLine, _ status: String) -> Double? {
        let part: Double
        if let detail = line.progressDetail, let total = detail.total, total > 0 {
            part = min(1, max(0, Double(detail.current ?? 0) / Double(total)))
        } else {
            part = 0
        }
        switch status {
        case "Pulling fs layer", "Waiting": return 0
        case "Downloading": return part * downloadShare
        case "Verifying Checksum", "Download complete": return downloadShare
        case "Extracting": return downloadShare + part * (1 - downloadShare)
        case "Pull complete", "Already exists": return 1
        default: return nil
        }
    }

    /// By size where that is known; a layer of unknown size counts as the mean of the others.
    private var weighted: Double {
        let known = layers.values.compactMap(\.total)
        let mean = known.isEmpty ? 1 : max(1, Double(known.reduce(0, +)) / Double(known.count))
        var (sum, weights) = (0.0, 0.0)
        for layer in layers.values {
            let weight = layer.total.map { Double($0) } ?? mean
            sum += weight * layer.done
            weights += weight
        }
        return weights > 0 ? sum / weights : 0
    }

    /// `45 of 120 MB`; nil where nothing is known yet.
    var amount: String? {
        let sized = layers.values.filter { $0.total != nil }
        guard !sized.isEmpty else { return nil }
        let loaded = sized.reduce(0) { $0 + $1.loaded }
        return Self.amount(loaded, of: sized.reduce(0) { $0 + ($1.total ?? 0) })
    }

    private static func amount(_ loaded: Int, of total: Int) -> String {
        "\(megabytes(loaded)) of \(megabytes(total)) MB"
    }

    /// Whole megabytes; tenths below ten.
    static func megabytes(_ bytes: Int) -> String {
        let tenths = (bytes + 50_000) / 100_000
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10)" : "\((tenths + 5) / 10)"
    }
}
