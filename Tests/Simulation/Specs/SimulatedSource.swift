import PalEngine
import PalSpecs

/// The tree as one controller reads it.
struct TreeView: SpecTree {
    let tree: SimulatedTree
    let controller: Int

    /// The periodic look, as the real watcher has it.
    private static let interval = Duration.seconds(60)
    private static let quiet = Duration.milliseconds(100)

    func scan() -> TreeSnapshot<SpecFileContents> {
        let (snapshot, truth) = tree.look()
        tree.trace.add(.looked(truth), by: controller)
        return snapshot
    }

    func watch(_ changed: @Sendable () async -> Void) async {
        let (id, signals, signal) = tree.listen()
        let clock = tree.clock
        defer { tree.stopListening(id) }
        await withTaskGroup { group in
            group.addTask {
                while (try? await clock.sleep(for: Self.interval)) != nil { signal.yield() }
            }
            await changed()
            for await _ in signals {
                guard (try? await clock.sleep(for: Self.quiet)) != nil else { break }
                await changed()
            }
            group.cancelAll()
        }
    }
}

/// The production reader of the specs directory on the simulated tree; the trace learns what the
/// engine is told.
struct SimulatedSource: SpecSource {
    private let directory: SpecDirectory
    private let trace: Trace
    private let controller: Int

    init(_ tree: SimulatedTree, controller: Int) {
        directory = SpecDirectory(
            path: SimulatedTree.path, tree: TreeView(tree: tree, controller: controller),
            clock: tree.clock)
        trace = tree.trace
        self.controller = controller
    }

    func read() async -> Desired {
        let desired = await directory.read()
        trace.add(.told(desired), by: controller)
        return desired
    }

    func watch(_ changed: @Sendable () async -> Void) async { await directory.watch(changed) }
}
