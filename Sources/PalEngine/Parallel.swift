internal import Dispatch

extension Array {
    /// Maps on all cores where there is enough to do; in order, and over when it returns.
    ///
    /// - Parameter transform: Called from several threads at once: it may change nothing that
    ///   another element's call touches.
    func mapInParallel<Result>(_ transform: (Element) -> Result) -> [Result] {
        let chunk = 1024
        guard count > 4 * chunk else { return map(transform) }
        let chunks = (count + chunk - 1) / chunk
        return [Result](unsafeUninitializedCapacity: count) { buffer, initialized in
            // Safe: nobody writes the elements meanwhile, each thread writes to places of its own,
            // and all have ended before this goes on.
            nonisolated(unsafe) let (elements, buffer) = (self, buffer)
            withoutActuallyEscaping(transform) { transform in
                // Safe as long as the caller keeps to what is said of it above.
                nonisolated(unsafe) let transform = transform
                DispatchQueue.concurrentPerform(iterations: chunks) { number in
                    for index in number * chunk..<Swift.min(elements.count, (number + 1) * chunk) {
                        buffer.initializeElement(at: index, to: transform(elements[index]))
                    }
                }
            }
            initialized = count
        }
    }
}
