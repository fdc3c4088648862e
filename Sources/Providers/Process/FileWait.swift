import PalFiles

/// Waits for a condition on the files of a directory, woken by the kernel.
struct FileWait: Sendable {
    let clock: any Clock<Duration>

    /// Returns when the condition holds, the time is over, or the task is cancelled.
    func until(
        _ directory: String, within limit: Duration, _ condition: @escaping @Sendable () -> Bool
    ) async {
        guard let inotify = try? Inotify(),
            (try? inotify.watch(directory, for: [.names, .written])) != nil
        else { return }
        // Looked at after the watch began: what happened before is seen, what happens later wakes.
        if condition() { return inotify.close() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in inotify.batches where condition() { return }
            }
            group.addTask { [clock] in try? await clock.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}
