import CFuzzer
import Glibc

// `pal-fuzz TARGET [libFuzzer's options] [CORPUS…]`; Tests/scripts/fuzz.sh builds and runs it.

/// What the bytes are given to.
private let targets: [String: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt] = [
    "yaml": { given($0, $1, fuzzYAML) },
    "json": { given($0, $1, fuzzJSON) },
    "frames": { given($0, $1, fuzzFrames) },
    "heads": { given($0, $1, fuzzHead) },
    "times": { given($0, $1, fuzzTime) },
]

private func given(
    _ bytes: UnsafePointer<UInt8>?, _ count: Int, _ body: ([UInt8]) -> Void
) -> CInt {
    body(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}

private func run() -> CInt {
    guard CommandLine.arguments.count > 1, let target = targets[CommandLine.arguments[1]] else {
        tell("usage: pal-fuzz \(targets.keys.sorted().joined(separator: "|")) [OPTIONS] [CORPUS…]")
        return 2
    }
    // libFuzzer sees the arguments without the target's name.
    var count = CommandLine.argc - 1
    let arguments = CommandLine.unsafeArgv
    arguments[1] = arguments[0]
    var rest: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments + 1
    return LLVMFuzzerRunDriver(&count, &rest, target)
}

exit(run())
