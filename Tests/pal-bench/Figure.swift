import Foundation

/// One measured ratio and what it should be at most.
struct Figure: Encodable {
    /// One word for machines.
    var name: String
    /// What is divided by what, for people.
    var meaning: String
    var value: Double
    /// The value should be at most this.
    var aim: Double
    /// Whether it is.
    var holds: Bool
    /// What it was made of: medians in milliseconds, counts, and the least and most of many ratios.
    var parts: [String: Double]

    init(
        _ name: String, _ meaning: String, value: Double, aim: Double, parts: [String: Double]
    ) {
        self.name = name
        self.meaning = meaning
        self.value = Self.rounded(value, 3)
        self.aim = aim
        holds = value <= aim
        self.parts = parts.mapValues { Self.rounded($0, 3) }
    }

    private static func rounded(_ number: Double, _ digits: Int) -> Double {
        let scale = pow(10, Double(digits))
        return (number * scale).rounded() / scale
    }
}

/// All figures of one benchmark.
struct Figures: Encodable {
    var benchmark: String
    var figures: [Figure]

    /// The figures as they are printed.
    func text(_ format: OutputFormat) throws -> String {
        switch format {
        case .table: table
        case .json: try json
        }
    }

    private var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "infinite", negativeInfinity: "-infinite", nan: "unknown")
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    private var table: String {
        let rows =
            [["FIGURE", "VALUE", "AIM", "HOLDS", "MEANING"]]
            + figures.map { figure in
                let parts = figure.parts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                return [
                    figure.name, String(figure.value), "<= \(figure.aim)",
                    figure.holds ? "yes" : "no",
                    "\(figure.meaning) (\(parts.joined(separator: ", ")))",
                ]
            }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                column < widths.count
                    ? row[column].padding(
                        toLength: widths[column], withPad: " ", startingAt: 0) : row[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

/// What was measured for one thing: times in milliseconds, or ratios.
struct Series {
    private(set) var values: [Double]

    init(_ values: [Double] = []) { self.values = values }

    mutating func add(_ time: Duration) { values.append(time.milliseconds) }

    /// The last one, whole.
    var last: Int { values.last.map { Int($0) } ?? 0 }

    /// Nothing was measured: not a number.
    var median: Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2)
            ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
    var least: Double { values.min() ?? .nan }
    var most: Double { values.max() ?? .nan }
}

extension Duration {
    /// Milliseconds, with fractions.
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}

/// How long something takes.
func timed(_ body: () async throws -> Void) async rethrows -> Duration {
    let start = ContinuousClock.now
    try await body()
    return ContinuousClock.now - start
}
