import PalProvider

/// Applies a function to all, so many at once, and gives the results in the order of the items.
func bounded<Item: Sendable, Output: Sendable>(
    _ items: [Item], atOnce limit: Int, _ body: @Sendable @escaping (Item) async -> Output
) async -> [Output] {
    await withTaskGroup(of: (Int, Output).self) { group in
        var results = [Output?](repeating: nil, count: items.count)
        for (index, item) in items.enumerated() {
            if index >= limit, let (done, output) = await group.next() {
                results[done] = output
            }
            group.addTask { (index, await body(item)) }
        }
        for await (done, output) in group { results[done] = output }
        return results.compactMap(\.self)
    }
}

extension Result where Success: Sendable, Failure == ProviderFailure {
    /// The result of an asynchronous function.
    ///
    /// Not for a tuple: one that went through here was other memory in a build that Swift 6.3.1 had
    /// optimized, and pal crashed at the first container.
    static func catching(
        _ body: () async throws(ProviderFailure) -> Success
    ) async -> Result<Success, Failure> {
        do throws(ProviderFailure) {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}
