import ArgumentParser
import Foundation

/// `pal-bench scale`.
struct ScaleBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Measure pal with 100,000 instances on a simulated platform.",
        discussion: """
            Writes the spec files into the temporary directory and removes them. Each part runs in a
            process of its own; the whole takes some minutes.
            """)

    @Option(name: .shortAndLong, help: "table or json.") var output = OutputFormat.table
    @Option(help: "Declared instances.") var specs = 100_000
    @Option(help: "Files that declare them.") var files = 1_000
    @Option(help: "Rounds of reading against composing.") var rounds = 3

    func validate() throws {
        guard files >= 10, specs >= 10 * files else {
            throw ValidationError("at least 10 files with 10 specs each")
        }
    }

    func run() async throws {
        let root = FileManager.default.temporaryDirectory
            .appending(path: "pal-scale-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        tell("writing \(specs) specs in \(files) files")
        let tree = try SpecFiles(in: root, specs: specs, files: files)
        let cold = try await ColdRead(tree: tree, rounds: rounds)
        tell("converging, changing files, reconciling")
        let engine = Values(try measured(.engine, tree, state: "\(root)/state"))
        tell("planning")
        let plan = Values(try measured(.plan, tree, state: "\(root)/state"))
        var figures = [cold.figure, planFigure(plan, cold), decideFigure(plan, cold)]
        figures += [changeFigure(engine, cold), memoryFigure(engine), growthFigure(engine)]
        figures.append(try resyncFigure(root))
        figures.append(try idleFigure(root))
        print(try Figures(benchmark: "scale", figures: figures).text(output))
    }

    /// What a part measured; what it did not measure is not a number, and holds no aim.
    private struct Values {
        private let values: [String: Double]
        init(_ values: [String: Double]) { self.values = values }
        subscript(name: String) -> Double { values[name] ?? .nan }
    }

    private func planFigure(_ plan: Values, _ cold: ColdRead) -> Figure {
        Figure(
            "plan", "a new list compared, and all \(specs) planned / cold read",
            value: plan["planMs"] / cold.read.median, aim: 0.05,
            parts: [
                "compareMs": plan["compareMs"], "previewMs": plan["previewMs"],
                "coldReadMs": cold.read.median,
                "microsecondsEach": plan["planMs"] * 1000 / Double(specs),
                "ratioToCompose": plan["planMs"] / cold.compose.median,
            ])
    }

    /// As after a start, when nothing is known to be as it should be.
    private func decideFigure(_ plan: Values, _ cold: ColdRead) -> Figure {
        Figure(
            "decide", "all \(specs) decided on, with nothing remembered / cold read",
            value: plan["decideMs"] / cold.read.median, aim: 0.05,
            parts: [
                "decideMs": plan["decideMs"],
                "withCompareMs": plan["decideMs"] + plan["compareMs"],
            ])
    }

    private func changeFigure(_ engine: Values, _ cold: ColdRead) -> Figure {
        let onlyWhatChanged = engine["parsedFiles"] == 1 && engine["plannedKeys"] == 1
        return Figure(
            "change", "change of one file, from the debounce's end to the call / cold read",
            value: onlyWhatChanged ? engine["changeMs"] / cold.read.median : .infinity, aim: 0.01,
            parts: [
                "changeMs": engine["changeMs"], "coldReadMs": cold.read.median,
                "parsedFiles": engine["parsedFiles"], "plannedKeys": engine["plannedKeys"],
                "ratioToCompose": engine["changeMs"] / cold.compose.median,
            ])
    }

    private func memoryFigure(_ engine: Values) -> Figure {
        let fixed = 60.0 * 1024 * 1024
        let own = engine["restBytes"] - engine["simulatorBytes"]
        return Figure(
            "memory", "KiB at rest for each instance beyond 60 MiB, less the simulator's records",
            value: max(0, own - fixed) / Double(specs) / 1024, aim: 3,
            parts: [
                "restMiB": engine["restBytes"] / 1_048_576,
                "simulatorMiB": engine["simulatorBytes"] / 1_048_576,
            ])
    }

    private func growthFigure(_ engine: Values) -> Figure {
        Figure(
            "growth", "memory after 10,000 reconciles / before",
            value: engine["afterBytes"] / engine["beforeBytes"], aim: 1.01,
            parts: [
                "beforeMiB": engine["beforeBytes"] / 1_048_576,
                "afterMiB": engine["afterBytes"] / 1_048_576,
            ])
    }

    /// The exponent of how the cost grows with the number of instances.
    private func resyncFigure(_ root: String) throws -> Figure {
        var points: [(x: Double, y: Double)] = []
        var parts: [String: Double] = [:]
        for size in [specs / 100, specs / 10, specs] {
            tell("resyncs of \(size)")
            let tree = try SpecFiles(in: root, specs: size, files: max(1, size * files / specs))
            let values = Values(try measured(.resync, tree, state: "\(root)/resync-\(size)"))
            points.append((log(Double(size)), log(values["processorMs"])))
            parts["processorMs\(size)"] = values["processorMs"]
            parts["wallMs\(size)"] = values["wallMs"]
        }
        return Figure(
            "resync", "exponent of the cost of a resync, from \(specs / 100) to \(specs)",
            value: slope(points), aim: 1.1, parts: parts)
    }

    private func slope(_ points: [(x: Double, y: Double)]) -> Double {
        let count = Double(points.count)
        let mean = (
            x: points.reduce(0) { $0 + $1.x } / count, y: points.reduce(0) { $0 + $1.y } / count
        )
        let covariance = points.reduce(0) { $0 + ($1.x - mean.x) * ($1.y - mean.y) }
        return covariance / points.reduce(0) { $0 + ($1.x - mean.x) * ($1.x - mean.x) }
    }

    private func idleFigure(_ root: String) throws -> Figure {
        let count = min(1_000, specs)
        tell("idling with \(count)")
        let tree = try SpecFiles(in: root, specs: count, files: 11)
        let values = Values(try measured(.idle, tree, state: "\(root)/idle"))
        return Figure(
            "idle", "percent of one core with \(count) unchanged instances",
            value: values["percent"], aim: 0.2, parts: ["instances": Double(count)])
    }
}
