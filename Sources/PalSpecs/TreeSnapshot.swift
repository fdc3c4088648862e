public import PalFiles
public import PalModel

/// What one scan of a specs directory found.
public struct TreeSnapshot<Value: Sendable>: Sendable {
    /// One spec file.
    public struct File: Sendable {
        /// The path below the root, by the name that a person sees, with `/`.
        public let path: String
        /// The state in which it was read.
        public let fingerprint: FileFingerprint
        /// What was made of its bytes.
        public let value: Value

        /// Makes one of its parts.
        public init(path: String, fingerprint: FileFingerprint, value: Value) {
            self.path = path
            self.fingerprint = fingerprint
            self.value = value
        }
    }

    /// Whether there was a directory to read. Everything else is empty unless it is `available`.
    public let state: SourceState
    /// The directory that was read, links followed; another one after a swap or a mount.
    public let identity: FileIdentity?
    /// The spec files that could be read, sorted by path.
    public let files: [File]
    /// Files and directories, by path below the root, that could not be read; sorted. What they
    /// declare is unknown. `""` is the root itself.
    public let unread: [String]
    /// Why they could not be read; sorted.
    public let problems: [Diagnostic]
    /// False where something changed during the scan or two ticks of the files' clock before it:
    /// scan again, a little later, before deleting anything because of it.
    public let isSettled: Bool
    /// After how long another scan finds it settled, unless something changes again; nil where it
    /// is, or where nobody can say.
    public let settlesIn: Duration?
    /// How many files were read and loaded in this scan; the others came from the cache.
    public let loaded: Int

    /// Makes one of its parts; the lists sorted.
    public init(
        state: SourceState, identity: FileIdentity?, files: [File], unread: [String] = [],
        problems: [Diagnostic] = [], isSettled: Bool, settlesIn: Duration? = nil, loaded: Int = 0
    ) {
        self.state = state
        self.identity = identity
        self.files = files
        self.unread = unread
        self.problems = problems
        self.isSettled = isSettled
        self.settlesIn = settlesIn
        self.loaded = loaded
    }

    /// True when the whole directory was read in one settled state.
    public var isComplete: Bool { state == .available && unread.isEmpty && isSettled }

    /// True when it is certain that no spec file has this path any more.
    public func isGone(_ path: String) -> Bool {
        guard state == .available, isSettled, !files.contains(where: { $0.path == path }) else {
            return false
        }
        return !unread.contains { $0.isEmpty || path == $0 || path.hasPrefix($0 + "/") }
    }
}
