import Simulation

/// Proof that the checkers can fail: each broken engine, and how many seeds it lived.
enum Mutants {
    /// So many seeds at most until one must be caught.
    static let patience: UInt64 = 200

    /// Prints the table.
    /// - Returns: How many were not caught.
    static func run(from seed: UInt64) -> Int {
        var escaped = 0
        for mutant in Mutant.allCases {
            var options = Options()
            options.mutant = mutant
            var line = "not caught within \(patience) seeds"
            var isCaught = false
            for start in stride(from: seed, to: seed + patience, by: 4) where !isCaught {
                let outcomes = Batch.run(start..<(start + 4), options, twice: false)
                guard
                    let found = outcomes.first(where: {
                        !$0.first.findings.isEmpty && !isKnown($0.first.seed)
                    })?.first, let first = found.findings.first
                else { continue }
                isCaught = true
                line = "seed \(found.seed), after \(found.seed - seed + 1): \(first)"
            }
            if !isCaught { escaped += 1 }
            print("\(mutant.rawValue): \(line)")
        }
        return escaped
    }

    /// Whether the unbroken engine fails on a seed as well: then nothing is proven.
    private static func isKnown(_ seed: UInt64) -> Bool {
        !Simulation.run(seed: seed).findings.isEmpty
    }
}
