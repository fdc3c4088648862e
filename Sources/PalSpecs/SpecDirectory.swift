internal import PalFiles
public import PalEngine
internal import PalModel

/// The specs directory as the engine's source of declarations.
public actor SpecDirectory: SpecSource {
    private let path: String
    private let clock: any Clock<Duration>
    private var tree: any SpecTree
    private var merge = Merge()
    private var last: Desired?
    private var readings = 0
    private var lastFiles: Set<String> = []
    /// The directory that last had a spec in it.
    private var lastIdentity: FileIdentity?

    /// How long a disappearance must last before it is believed.
    private static let confirmation = Duration.milliseconds(150)
    private static let confirmations = 8
    /// How long to wait for files that are being written: after each of these comes another scan.
    /// The first is only as long as it must be, where that is known.
    private static let firstPause = Duration.milliseconds(8)
    private static let pauses = [20, 40, 60, 60, 60, 60, 60, 60].map { Duration.milliseconds($0) }

    /// - Parameters:
    ///   - path: The directory, absolute. It need not exist.
    ///   - clock: What waits are on.
    public init(path: String, clock: any Clock<Duration> = ContinuousClock()) {
        self.init(path: path, tree: DiskTree(root: path, clock: clock), clock: clock)
    }

    /// - Parameters:
    ///   - path: The directory's name in messages and records.
    ///   - tree: What is read.
    ///   - clock: What waits are on.
    public init(path: String, tree: any SpecTree, clock: any Clock<Duration>) {
        self.path = path
        self.tree = tree
        self.clock = clock
    }

    /// Calls the handler once at the start and after every change, until the task is cancelled.
    public func watch(_ changed: @Sendable () async -> Void) async {
        await tree.watch(changed)
    }

    /// Reads what has changed since the last time.
    ///
    /// A file that disappeared is believed to be gone only when a second look says the same, so
    /// that an editor's or a script's way of moving files deletes nothing.
    public func read() async -> Desired {
        var snapshot = await settledScan()
        var tries = 0
        while snapshot.state == .available, !lost(in: snapshot).isEmpty,
            tries < Self.confirmations
        {
            let before = lost(in: snapshot)
            try? await clock.sleep(for: Self.confirmation)
            snapshot = await settledScan()
            if lost(in: snapshot) == before { break }
            tries += 1
        }
        return desired(from: snapshot)
    }

    private func lost(in snapshot: TreeSnapshot<SpecFileContents>) -> Set<String> {
        lastFiles.subtracting(snapshot.files.map(\.path)).subtracting(snapshot.unread)
    }

    private func settledScan() async -> TreeSnapshot<SpecFileContents> {
        var snapshot = tree.scan()
        for pause in [snapshot.settlesIn ?? Self.firstPause] + Self.pauses {
            guard snapshot.state == .available, !snapshot.isSettled else { break }
            try? await clock.sleep(for: pause)
            snapshot = tree.scan()
        }
        return snapshot
    }

    private func desired(from snapshot: TreeSnapshot<SpecFileContents>) -> Desired {
        guard snapshot.state == .available else {
            return unavailable("the specs directory \(path) \(snapshot.state)")
        }
        // A mount that is gone, or a checkout on its way: what was there is only out of reach.
        if let lastIdentity, snapshot.identity != lastIdentity,
            snapshot.files.isEmpty, snapshot.unread.isEmpty
        {
            return unavailable(
                "the specs directory \(path) was replaced by an empty one (put a spec into it "
                    + "where that is meant)")
        }
        var files = Dictionary(
            snapshot.files.map { ($0.path, $0.value) }, uniquingKeysWith: { first, _ in first })
        for path in snapshot.unread {
            for file in known(below: path) where files[file] == nil {
                files[file] = SpecFileContents(unreadable: problem(of: path, in: snapshot))
            }
        }
        var desired = merge.desired(files, specsPath: path)
        desired.problems = Set(desired.problems).union(snapshot.problems).sorted()
        if let block = block(snapshot), desired.pruneBlock == nil { desired.pruneBlock = block }
        lastFiles = Set(files.keys)
        if !snapshot.files.isEmpty { lastIdentity = snapshot.identity }
        return counted(desired)
    }

    private func counted(_ desired: Desired) -> Desired {
        var desired = desired
        readings += 1
        desired.reading = readings
        last = desired
        return desired
    }

    /// The files that an unread path stands for: itself, or what was read below it before.
    private func known(below path: String) -> [String] {
        let below = lastFiles.filter { $0 == path || path.isEmpty || $0.hasPrefix(path + "/") }
        return below.isEmpty
            && SpecNames.isSpec(path.split(separator: "/").last.map(String.init) ?? "")
            ? [path] : below.sorted()
    }

    private func problem(
        of path: String, in snapshot: TreeSnapshot<SpecFileContents>
    ) -> Diagnostic {
        snapshot.problems.first { $0.location.file == path }
            ?? Diagnostic(SourceLocation(file: path), "it cannot be read")
    }

    private func block(_ snapshot: TreeSnapshot<SpecFileContents>) -> String? {
        if !snapshot.isSettled { return "\(path) keeps changing while it is read" }
        // What it last declared is kept; what else it declares by now nobody knows.
        guard let unread = snapshot.unread.first else { return nil }
        return "\(unread.isEmpty ? path : unread) cannot be read; mend that first"
    }

    private func unavailable(_ problem: String) -> Desired {
        let why = "\(problem); nothing is changed until it is back"
        var desired = last ?? Desired(specsPath: path)
        desired.source = .unavailable(why)
        desired.pruneBlock = why
        desired.changed = []
        return counted(desired)
    }
}
