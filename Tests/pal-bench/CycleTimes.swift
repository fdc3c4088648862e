/// What is measured of a contender in each round.
enum CycleRow: String, CaseIterable {
    case fromNothing, nothingToDo, changeOne, deleteAll

    func words(_ count: Int) -> String {
        switch self {
        case .fromNothing: "time until \(count) declared containers answer"
        case .nothingToDo: "looking at \(count) containers that are as declared"
        case .changeOne: "another environment for one of \(count), until it answers"
        case .deleteAll: "stopping and deleting \(count)"
        }
    }
}

/// All times of a benchmark's cycles: by contender, row and round.
struct CycleTimes {
    private var times: [String: [CycleRow: [Int: Series]]] = [:]

    mutating func add(_ time: Duration, of name: String, _ row: CycleRow, _ round: Int) {
        times[name, default: [:]][row, default: [:]][round, default: Series()].add(time)
    }

    /// Whether it took part.
    func has(_ name: String) -> Bool { times[name] != nil }

    /// The last time in a round, in whole milliseconds; nil where that was not measured.
    func last(of name: String, _ row: CycleRow, _ round: Int) -> Int? {
        times[name]?[row]?[round]?.last
    }

    /// The median, in milliseconds, of the rounds' medians.
    func median(of name: String, _ row: CycleRow) -> Double {
        Series(Array(medians(of: name, row).values)).median
    }

    /// In each round what a contender took, in parts of what another one took.
    func ratios(of name: String, to other: String, _ row: CycleRow) -> [Double] {
        let others = medians(of: other, row)
        return medians(of: name, row).compactMap { round, time in others[round].map { time / $0 } }
    }

    private func medians(of name: String, _ row: CycleRow) -> [Int: Double] {
        (times[name]?[row] ?? [:]).mapValues(\.median)
    }
}
