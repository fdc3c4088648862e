import PalFiles
import PalModel
import PalSpecs

/// A directory of spec files in memory, with what editors, scripts and mounts do to directories.
final class SimulatedTree: Sendable {
    private struct State {
        var files: [String: SpecFile] = [:]
        var source = SourceState.available
        /// Another number is another directory under the same path.
        var inode: UInt64 = 1
        /// The files of the directory that is mounted over, while it is.
        var covered: [String: SpecFile]?
        var isSwapping = false
        var changedAt = Duration.zero - .seconds(10)
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var count = 0
        var parsed: [String: (text: String, contents: SpecFileContents)] = [:]
    }

    /// Its path, as records name it.
    static let path = "/specs"
    /// How long a change must lie back before a look counts as settled.
    private static let settling = Duration.milliseconds(50)

    private let state = Confined(State())
    let clock: VirtualClock
    let faults: FaultPlan
    let trace: Trace

    init(clock: VirtualClock, faults: FaultPlan, trace: Trace) {
        self.clock = clock
        self.faults = faults
        self.trace = trace
    }

    // MARK: What people see

    /// What the writer means, whether it can be read now or not.
    var files: [String: SpecFile] { state.value.covered ?? state.value.files }
    /// The paths, sorted.
    var paths: [String] { files.keys.sorted() }
    /// Every document that is meant, in order; a name may be there twice.
    var documents: [InstanceConfig] { paths.flatMap { files[$0]?.documents ?? [] } }
    /// Every instance that is meant, replicas too.
    var instances: [InstanceConfig] { documents.flatMap(\.instances) }
    /// Whether the directory itself is as it should be.
    var isThere: Bool { state.value.source == .available && state.value.covered == nil }

    // MARK: What happens to it

    func write(_ path: String, _ documents: [InstanceConfig], _ form: SpecFile.Form = .good) {
        var file = SpecFile(documents: documents, form: form)
        change("writes \(path): \(file.text)") { files in
            file.lastGood = form == .good ? file.names : files[path]?.lastGood
            files[path] = documents.isEmpty ? nil : file
        }
    }

    func remove(_ path: String) {
        change("removes \(path)") { $0[path] = nil }
    }

    func move(_ path: String, to other: String) {
        change("moves \(path) to \(other)") { $0[other] = $0.removeValue(forKey: path) }
    }

    func setReadable(_ path: String, _ isReadable: Bool) {
        change("\(path) is readable: \(isReadable)") { $0[path]?.isReadable = isReadable }
    }

    /// Puts other files in the place of all; half of them first, as a look in between may see it.
    func swap(to files: [String: SpecFile], halfway: Duration) {
        let old = self.files
        state.value.isSwapping = true
        change("swaps the directory, half of it") { now in
            for path in Set(old.keys).union(files.keys).sorted() where path.utf8.count % 2 == 0 {
                now[path] = files[path]
            }
        }
        clock.after(halfway) { [self] in
            guard state.value.isSwapping else { return }
            state.value.isSwapping = false
            state.value.inode += 1
            change("swaps the directory") { $0 = files }
        }
    }

    /// A swap that is half done stays so, and is over.
    func endSwap() { state.value.isSwapping = false }

    /// The directory is not there, or cannot be read, for a while.
    func set(_ source: SourceState) {
        state.value.source = source
        change("the directory \(source)") { _ in }
    }

    /// An empty directory is mounted over it, or that one is taken away.
    func cover(_ isCovered: Bool) {
        guard isCovered != (state.value.covered != nil) else { return }
        let files = state.value.covered ?? state.value.files
        state.value.covered = isCovered ? files : nil
        state.value.files = isCovered ? [:] : files
        state.value.inode += isCovered ? 1_000_000 : 0
        if !isCovered { state.value.inode -= 1_000_000 }
        noteChange("an empty directory lies over it: \(isCovered)")
    }

    private func change(_ what: String, _ body: (inout [String: SpecFile]) -> Void) {
        if state.value.covered == nil {
            body(&state.value.files)
        } else if var files = state.value.covered {
            body(&files)
            state.value.covered = files
        }
        noteChange(what)
    }

    private func noteChange(_ what: String) {
        state.value.changedAt = clock.elapsed()
        trace.add(.outside("files: \(what)"))
        guard !faults.strikes(.lostFileEvent) else { return }
        clock.after(.milliseconds(2)) { [self] in
            for id in state.value.listeners.keys.sorted() { state.value.listeners[id]?.yield() }
        }
    }

    // MARK: What a reader sees

    func listen() -> (id: Int, AsyncStream<Void>, AsyncStream<Void>.Continuation) {
        let (signals, signal) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.value.count += 1
        state.value.listeners[state.value.count] = signal
        return (state.value.count, signals, signal)
    }

    func stopListening(_ id: Int) { state.value.listeners[id] = nil }

    /// One look, and what it was in truth.
    func look() -> (snapshot: TreeSnapshot<SpecFileContents>, truth: Look) {
        let now = state.value
        guard now.source == .available else {
            return (
                TreeSnapshot(state: now.source, identity: nil, files: [], isSettled: false),
                Look(isComplete: false)
            )
        }
        var truth = Look(
            isComplete: !now.isSwapping && clock.elapsed() - now.changedAt >= Self.settling)
        let isSettled = truth.isComplete
        var files: [TreeSnapshot<SpecFileContents>.File] = []
        var unread: [String] = []
        for path in now.files.keys.sorted() {
            guard let file = now.files[path] else { continue }
            truth.note(file, path)
            if file.isReadable {
                files.append(read(path, file, now.inode))
            } else {
                unread.append(path)
                truth.isComplete = false
            }
        }
        let snapshot = TreeSnapshot(
            state: .available, identity: FileIdentity(device: 1, inode: now.inode), files: files,
            unread: unread,
            problems: unread.map {
                Diagnostic(SourceLocation(file: $0), "the file cannot be read: permission denied")
            }, isSettled: isSettled)
        if now.covered != nil { truth.isComplete = false }
        return (snapshot, truth)
    }

    private func read(
        _ path: String, _ file: SpecFile, _ inode: UInt64
    ) -> TreeSnapshot<SpecFileContents>.File {
        let text = file.text
        let contents: SpecFileContents
        if let known = state.value.parsed[path], known.text == text {
            contents = known.contents
        } else {
            contents = SpecFileContents(bytes: Array(text.utf8), file: path)
            state.value.parsed[path] = (text, contents)
        }
        let fingerprint = FileFingerprint(
            identity: FileIdentity(device: 1, inode: inode), kind: .file,
            size: Int64(text.utf8.count), modified: 0, changed: 0)
        return .init(path: path, fingerprint: fingerprint, value: contents)
    }
}

extension Look {
    init(isComplete: Bool) {
        self.init(
            isComplete: isComplete, declared: [], hidden: [], goodFiles: [], brokenFiles: [])
    }

    mutating func note(_ file: SpecFile, _ path: String) {
        declared.formUnion(file.declared)
        hidden.formUnion(file.hidden)
        if case .torn = file.form { torn.formUnion(file.hidden) }
        switch file.form {
        case .good where file.isReadable: goodFiles.insert(path)
        case .strange where file.isReadable, .blabbing where file.isReadable: break
        default: brokenFiles.insert(path)
        }
    }
}
