import ArgumentParser
import Simulation

/// Runs seeds of the simulation and prints those that broke a promise.
@main
struct PalSim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pal-sim",
        abstract: "Run the real engine in simulated worlds, one for each seed.",
        discussion: """
            A seed's run depends on nothing but the seed and the options: the command that is \
            printed with a failure replays it.

              swift run -c release pal-sim --seed 1 --count 2000 --twice
              swift run -c release pal-sim --seed 17 --trace
            """)

    @Option(help: "The first seed.") var seed: UInt64 = 1
    @Option(help: "How many seeds, from the first one on.") var count: UInt64 = 1
    @Flag(help: "Run each seed twice and compare.") var twice = false
    @Option(help: "Only these faults, separated by commas; all of them in every run.")
    var onlyFaults: String?
    @Option(help: "All faults but these.") var withoutFaults: String?
    @Flag(help: "Print everything that happens.") var trace = false
    @Flag(help: "Crash at every step of every kind of change instead, one run for each.")
    var crashPoints = false
    @Flag(help: "Let two controllers work on one swarm, each with a ledger of its own.")
    var rivals = false
    @Option(help: "Run until a seed breaks this promise, and say only which one does.")
    var until: String?

    func run() throws {
        if crashPoints {
            guard CrashTable().print() else { throw ExitCode(1) }
            return
        }
        let options = try options()
        if let until { return try search(until, options) }
        var report = Report(arguments: arguments)
        for start in stride(from: seed, to: seed + count, by: 64) {
            let batch = start..<min(start + 64, seed + count)
            for (outcome, again) in Batch.run(batch, twice: twice, { play($0, options) }) {
                if trace { for line in outcome.trace { print(line) } }
                report.add(outcome, again: again)
            }
        }
        print(report.summary)
        if report.failed > 0 { throw ExitCode(1) }
    }

    private func play(_ seed: UInt64, _ options: Options) -> Outcome {
        rivals ? Rivals.run(seed: seed, options) : Simulation.run(seed: seed, options)
    }

    private func search(_ promise: String, _ options: Options) throws {
        for start in stride(from: seed, to: seed + count, by: 4) {
            for (outcome, _) in Batch.run(
                start..<min(start + 4, seed + count), twice: false, { play($0, options) })
            {
                guard let found = outcome.findings.first(where: { $0.promise == promise })
                else { continue }
                print("seed \(outcome.seed): \(found)")
                return
            }
        }
        print("not broken by \(count) seeds: \(promise)")
        throw ExitCode(1)
    }

    private func options() throws -> Options {
        var options = Options()
        options.keepsTrace = trace
        if let onlyFaults {
            options.faults = try faults(onlyFaults)
            options.usesAllFaults = true
        }
        if let withoutFaults { options.faults.subtract(try faults(withoutFaults)) }
        return options
    }

    private func faults(_ list: String) throws -> Set<Fault> {
        Set(
            try list.split(separator: ",").map { word in
                guard let fault = Fault(rawValue: String(word)) else {
                    let known = Fault.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ValidationError("no fault is named '\(word)'; there are: \(known)")
                }
                return fault
            })
    }

    /// What must be said again to replay a seed.
    private var arguments: String {
        (rivals ? " --rivals" : "")
            + (onlyFaults.map { " --only-faults '\($0)'" } ?? "")
            + (withoutFaults.map { " --without-faults '\($0)'" } ?? "")
    }
}
