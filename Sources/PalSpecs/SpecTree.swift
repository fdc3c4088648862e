import PalFiles

/// A tree of spec files: a directory on the disk, or one in a simulation.
///
/// All that lies above it (what is believed of a disappearance, last good versions, duplicates) is
/// `SpecDirectory`'s, and the same for both.
public protocol SpecTree: Sendable {
    /// One look at everything.
    mutating func scan() -> TreeSnapshot<SpecFileContents>
    /// Calls the handler once at the start and whenever something may have changed, until the task
    /// is cancelled.
    func watch(_ changed: @Sendable () async -> Void) async
}

/// A directory on the disk, read by `TreeScanner` and watched by `TreeWatcher`.
struct DiskTree: SpecTree {
    private var scanner: TreeScanner<SpecFileContents>
    private let watcher: TreeWatcher

    init(root: String, clock: any Clock<Duration>) {
        watcher = TreeWatcher(root: root, clock: clock)
        scanner = TreeScanner(root: root) { file, bytes in
            SpecFileContents(bytes: bytes, file: file)
        }
    }

    mutating func scan() -> TreeSnapshot<SpecFileContents> { scanner.scan() }

    func watch(_ changed: @Sendable () async -> Void) async {
        // The start counts too: what changed between the first reading and the first watch.
        await watcher.run { _ in await changed() }
    }
}
