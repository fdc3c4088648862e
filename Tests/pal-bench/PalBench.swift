import ArgumentParser
import Foundation

/// Benchmarks: ratios measured in one run, so that they mean the same on any machine.
@main
struct PalBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pal-bench",
        abstract: "Measure pal against the raw API of a platform, in one run.",
        discussion: """
            Each figure is a ratio, with the aim that it should not exceed. A figure that misses its
            aim is no failure of the command: the exit code is 0 when everything was measured.

              swift run -c release pal-bench docker
              swift run -c release pal-bench docker -o json
            """,
        subcommands: [DockerBenchmark.self, FlyBenchmark.self, ScaleBenchmark.self, ScalePart.self])
}

/// How figures are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

/// What went wrong with a measurement.
struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Tells on the standard error how far a benchmark is.
func tell(_ line: String) {
    FileHandle.standardError.write(Data("\(line)\n".utf8))
}
