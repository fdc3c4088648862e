import Glibc

/// A stack that is deep enough for any text that libyaml accepts.
enum DeepStack {
    private static let bytes = 64 << 20
    /// Levels that any stack has room for.
    private static let harmless = 60

    /// Whether a text may be nested deeper than an ordinary stack holds. Counts too much rather
    /// than too little: brackets in quotes and comments, and every column of indentation.
    static func isNeeded(for text: String) -> Bool {
        var brackets = 0
        var indentation = 0
        var isLineStart = true
        var deepest = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"): brackets += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): brackets = max(0, brackets - 1)
            default: break
            }
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                isLineStart = true
                indentation = 0
            case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
                if isLineStart { indentation += 1 }
            default: isLineStart = false
            }
            deepest = max(deepest, brackets + indentation)
        }
        return deepest > harmless
    }

    /// Runs the body on a thread with a deep stack, and waits for it.
    ///
    /// Where no thread can be had it runs on the caller's own.
    static func run<T>(_ body: @escaping () -> T) -> T {
        let job = Job(body)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, bytes)
        var thread = pthread_t()
        let started = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<AnyJob>.fromOpaque(argument).takeUnretainedValue().run()
                return nil
            }, Unmanaged.passUnretained(job as AnyJob).toOpaque())
        if started == 0 { pthread_join(thread, nil) } else { job.run() }
        return job.result ?? body()
    }

    private class AnyJob {
        func run() {}
    }

    private final class Job<T>: AnyJob {
        private let body: () -> T
        private(set) var result: T?

        init(_ body: @escaping () -> T) { self.body = body }
        override func run() { result = body() }
    }
}
