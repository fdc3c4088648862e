import Glibc

/// Ends the process where a promise is not kept, so that libFuzzer keeps the input.
///
/// Not `precondition`: an optimised build would not say which promise it was.
func demand(_ holds: Bool, _ promise: @autoclosure () -> String) {
    guard !holds else { return }
    tell(promise())
    abort()
}

func tell(_ text: String) {
    let line = "pal-fuzz: \(text)\n"
    _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
}

/// Cuts bytes into pieces of any size, none empty, as a seed says.
func cut(_ bytes: [UInt8], seed: UInt8) -> [[UInt8]] {
    var state = UInt32(seed)
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        state = state &* 1_664_525 &+ 1_013_904_223
        let size = 1 + Int(state >> 16) % (Int(seed) + 1)
        pieces.append(Array(rest.prefix(size)))
        rest = rest.dropFirst(size)
    }
    return pieces
}
