import Dispatch
public import PalFiles
import PalModel
import Synchronization

/// Reads a specs directory, again and again, and reads only what has changed.
///
/// A scan is one consistent look: when a directory or a link changes meanwhile (a ConfigMap or a
/// git-sync swap), it starts over, a bounded number of times. It blocks while it reads, on all
/// cores.
public struct TreeScanner<Value: Sendable>: Sendable {
    /// The directory, as the user gave it. Links in it are followed anew in each scan.
    public let root: String

    private let limit: Int
    private let followsLinksOutside: Bool
    private let load: @Sendable (_ path: String, _ bytes: [UInt8]) -> Value
    private let now: @Sendable () -> Int64
    private var cache = FileCache<Value>()
    private static var attempts: Int { 5 }

    /// - Parameters:
    ///   - root: absolute, or relative to the working directory.
    ///   - limit: the largest file that is read, in bytes; a larger one is a problem.
    ///   - followsLinksOutside: false reports links that leave the directory: for sources that
    ///     others write.
    ///   - now: the wall clock whose ticks file systems stamp with, in nanoseconds since 1970.
    ///   - load: makes a value of a file's bytes, given its path below the root. Called once for
    ///     each state of a file, from several threads; an empty file has no bytes.
    public init(
        root: String, limit: Int = SpecText.maximumBytes, followsLinksOutside: Bool = true,
        now: @escaping @Sendable () -> Int64 = FileFingerprint.currentTime,
        load: @escaping @Sendable (_ path: String, _ bytes: [UInt8]) -> Value
    ) {
        self.root = root
        self.limit = limit
        self.followsLinksOutside = followsLinksOutside
        self.now = now
        self.load = load
    }

    /// What the directory holds now.
    public mutating func scan() -> TreeSnapshot<Value> {
        for _ in 1..<Self.attempts {
            let (snapshot, holds) = attempt()
            if holds { return snapshot }
        }
        return attempt().snapshot
    }

    /// One pass, and whether everything in it was true at one time.
    private mutating func attempt() -> (snapshot: TreeSnapshot<Value>, holds: Bool) {
        let now = now()
        let walk = TreeWalk(root: root, followsLinksOutside: followsLinksOutside)
        var pass = Pass(unread: walk.unread, problems: walk.problems)
        guard walk.state == .available else {
            return (snapshot(walk, pass, isSettled: false), true)
        }
        pass.files.reserveCapacity(walk.files.count)
        let news = read(walk.files.filter { cache.value(for: $0.path, $0.fingerprint) == nil })
        let look = now...max(now, self.now())
        for file in walk.files { take(file, news[file.path], look, &pass) }
        let holds = pass.isConsistent && walk.isStillTrue()
        cache.keep(only: Set(pass.files.map(\.path)))
        let fresh = [pass.freshUntil, walk.freshUntil(during: look)].compactMap(\.self).max()
        let isSettled = holds && fresh == nil
        let left = fresh.map { Duration.nanoseconds(max(0, $0 - look.upperBound)) }
        let settlesIn = holds ? left : nil
        return (snapshot(walk, pass, isSettled: isSettled, settlesIn), holds)
    }

    /// What one pass has gathered.
    private struct Pass {
        var files: [TreeSnapshot<Value>.File] = []
        var unread: [String]
        var problems: [Diagnostic]
        var loaded = 0
        var freshUntil: Int64?
        var isConsistent = true
    }

    /// A file's value with the state that it was made of.
    private typealias Loaded = (value: Value, fingerprint: FileFingerprint)

    /// Reads and loads files, by path.
    private func read(
        _ files: [TreeWalk.File]
    ) -> [String: Result<Loaded, RegularFile.Failure>] {
        let results = Mutex<[String: Result<Loaded, RegularFile.Failure>]>([:])
        DispatchQueue.concurrentPerform(iterations: files.count) { index in
            let result = read(files[index])
            results.withLock { $0[files[index].path] = result }
        }
        return results.withLock { $0 }
    }

    private func read(_ file: TreeWalk.File) -> Result<Loaded, RegularFile.Failure> {
        do throws(RegularFile.Failure) {
            let (bytes, fingerprint) = try RegularFile.read(at: file.absolute, limit: limit)
            return .success((load(file.path, bytes), fingerprint))
        } catch {
            return .failure(error)
        }
    }

    /// Takes up what was just read of a file, or else what is known of it.
    private mutating func take(
        _ file: TreeWalk.File, _ news: Result<Loaded, RegularFile.Failure>?,
        _ look: ClosedRange<Int64>, _ pass: inout Pass
    ) {
        switch news {
        case .success(let (value, fingerprint)):
            pass.files.append(.init(path: file.path, fingerprint: fingerprint, value: value))
            pass.loaded += 1
            // Another file than the one that was found, or the same one written since.
            if fingerprint != file.fingerprint { pass.isConsistent = false }
            let fresh = fingerprint.freshUntil(during: look)
            pass.freshUntil = [pass.freshUntil, fresh].compactMap(\.self).max()
            // What is read now counts; whether it has changed by the next scan its bytes must tell.
            if fingerprint.isRacy(at: look.lowerBound) {
                cache.remove(file.path)
            } else {
                cache.store(value, for: file.path, fingerprint)
            }
        case .failure(let error):
            pass.unread.append(file.path)
            pass.problems.append(Diagnostic(SourceLocation(file: file.path), Self.reason(error)))
            if case .system(let error) = error, error.isMissing { pass.isConsistent = false }
            if error == .changing { pass.isConsistent = false }
        case nil:
            guard let value = cache.value(for: file.path, file.fingerprint) else { return }
            pass.files.append(
                .init(path: file.path, fingerprint: file.fingerprint, value: value))
        }
    }

    private static func reason(_ failure: RegularFile.Failure) -> String {
        switch failure {
        case .system(let error): "the file cannot be read: \(error.reason)"
        case .notRegular(let kind): "not a regular file but a \(kind): it is not read"
        case .tooLarge(let size): SpecText.tooLarge(size)
        case .changing: "the file is being written: it is read when that has ended"
        }
    }

    private func snapshot(
        _ walk: TreeWalk, _ pass: Pass, isSettled: Bool, _ settlesIn: Duration? = nil
    ) -> TreeSnapshot<Value> {
        let available = walk.state == .available
        return TreeSnapshot(
            state: walk.state, identity: walk.identity, files: available ? pass.files : [],
            unread: available ? pass.unread.sorted() : [],
            problems: available ? pass.problems.sorted() : [],
            isSettled: isSettled, settlesIn: settlesIn, loaded: pass.loaded)
    }
}
