import PalModel

/// What the Engine runs inside to see how an instance is, where the spec says it.
enum HealthCommand: Sendable, Hashable {
    /// Nothing, also where the image brings a check.
    case none
    /// A line for the image's shell.
    case shell(String)
    /// A program with its arguments.
    case program([String])

    /// `specific.healthCheck`; nil where it says neither what is run nor that nothing is.
    init?(_ check: Value) {
        if check["disabled"] == .bool(true) {
            self = .none
        } else if let words = check["command"].flatMap({ [String]($0) }), !words.isEmpty {
            self = .program(words)
        } else if let line = check["command"].flatMap({ String($0) }), !line.isEmpty {
            self = .shell(line)
        } else {
            return nil
        }
    }

    /// As the Engine says it; nil for what means the image's own.
    init?(test: [String]) {
        switch (test.first, test.dropFirst()) {
        case ("NONE", _): self = .none
        case ("CMD-SHELL", let line) where line.count == 1: self = .shell(line[1])
        case ("CMD", let words) where !words.isEmpty: self = .program(Array(words))
        default: return nil
        }
    }

    /// As the Engine takes it.
    var test: [String] {
        switch self {
        case .none: ["NONE"]
        case .shell(let line): ["CMD-SHELL", line]
        case .program(let words): ["CMD"] + words
        }
    }

    /// As `specific.healthCheck` says it.
    var value: [String: Value] {
        switch self {
        case .none: ["disabled": .bool(true)]
        case .shell(let line): ["command": .string(line)]
        case .program(let words): ["command": .strings(words)]
        }
    }
}
