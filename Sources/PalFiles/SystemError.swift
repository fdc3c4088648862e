import Glibc

/// A system call that failed: what was tried, on what, and the system's reason.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, as a verb: `open`, `rename`, `list`.
    public let action: String
    /// The path that it was tried on, as it was passed.
    public let path: String
    /// The `errno` of the failure.
    public let code: CInt

    /// Of a call that has just failed with `code`.
    public init(_ action: String, _ path: String, code: CInt) {
        self.action = action
        self.path = path
        self.code = code
    }

    /// The system's own words for the code: `No such file or directory`.
    public var reason: String { String(cString: strerror(code)) }

    /// `cannot open /x: Permission denied`.
    public var description: String { "cannot \(action) \(path): \(reason)" }

    /// True where the path, or the place that a link on it points to, does not exist.
    public var isMissing: Bool { code == ENOENT }
}

/// Calls again while a signal interrupts; a negative result becomes an error.
func retrying<Result: SignedInteger>(
    _ action: String, _ path: String, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        // Read at once: anything between the call and this line could overwrite it.
        let code = errno
        if code != EINTR { throw SystemError(action, path, code: code) }
    }
}
