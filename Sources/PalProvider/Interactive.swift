public import PalModel

/// A provider that runs commands to which somebody listens and talks while they run.
public protocol InteractiveProvider: Provider {
    /// Starts a command inside a running instance. Its limit of time is the caller's to keep.
    ///
    /// A command that is not there is not an error: its session says so on its output, and ends
    /// with exit code 126 or 127.
    /// - Throws: An instance error `WrongState` where the instance does not run.
    func openSession(
        _ reference: InstanceReference, _ request: SessionRequest
    ) async throws(ProviderFailure) -> any InteractiveSession
}

/// What a session is asked to be.
public struct SessionRequest: Sendable, Hashable {
    /// What runs.
    public var command: Command
    /// The size of the terminal that the command gets; no terminal where nil.
    public var terminal: TerminalSize?
    /// Whether the command has an input to read from; it is at its end at once where not.
    public var takesInput: Bool

    /// Makes one of its parts.
    public init(_ command: Command, terminal: TerminalSize? = nil, takesInput: Bool = true) {
        self.command = command
        self.terminal = terminal
        self.takesInput = takesInput
    }
}

/// How large a terminal is, in characters.
public struct TerminalSize: Sendable, Hashable {
    /// Lines.
    public var rows: Int
    /// Characters of a line.
    public var columns: Int

    /// Makes one of its parts.
    public init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }
}

/// Some of a command's output, cut anywhere.
public struct SessionOutput: Sendable, Hashable {
    /// Which of the two it was written to; of a terminal everything is standard output.
    public var stream: LogLine.Stream
    /// Never empty.
    public var bytes: [UInt8]

    /// Makes one of its parts.
    public init(_ stream: LogLine.Stream, _ bytes: [UInt8]) {
        self.stream = stream
        self.bytes = bytes
    }
}

/// A command that runs. One task reads and one writes; the others may be called at any time.
public protocol InteractiveSession: Sendable {
    /// The next output; nil when there will be none. Who does not read makes the command wait.
    func read() async throws(ProviderFailure) -> SessionOutput?

    /// Gives the command input, and returns when there is room for more.
    /// - Throws: Also where the command has ended or reads no more.
    func write(_ bytes: [UInt8]) async throws(ProviderFailure)

    /// Ends the command's input. The output goes on.
    func closeInput() async throws(ProviderFailure)

    /// Tells the command's terminal its size; nothing happens where it has none, or has ended.
    func resize(_ size: TerminalSize) async throws(ProviderFailure)

    /// Waits for the command's end; 128 + n where signal n ended it. To be asked for when there is
    /// no more output.
    func exitCode() async throws(ProviderFailure) -> Int

    /// Lets go of the command, and ends it where the platform can. Twice is harmless.
    func close() async
}
