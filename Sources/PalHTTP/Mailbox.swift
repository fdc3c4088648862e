import CCurl
import Synchronization

/// What tasks ask of the curl thread, and the bell that wakes it.
final class Mailbox: Sendable {
    enum Command: Sendable {
        /// Perform this request; answers `Exchange.finish` in every case.
        case start(Exchange, HTTPRequest)
        /// End this transfer, wherever it is.
        case cancel(Exchange)
        /// There is room again in this paused stream.
        case resume(Exchange)
    }

    /// Unchecked, because a pointer is never Sendable: other threads than its owner only hand it to
    /// `curl_multi_wakeup`, the one function that libcurl allows them, and only while it is here.
    private struct Bell: @unchecked Sendable {
        let multi: UnsafeMutableRawPointer
    }

    private struct State {
        var commands: [Command] = []
        var isClosed = false
        var bell: Bell?

        func ring() {
            if let bell { curl_multi_wakeup(bell.multi) }
        }
    }

    private let state = Mutex(State())

    /// Hands a command over. False once the mailbox is closed: nobody will read it.
    @discardableResult
    func post(_ command: Command) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.commands.append(command)
            // One ring is enough for all that is posted before the thread takes it.
            if state.commands.count == 1 { state.ring() }
            return true
        }
    }

    /// Tells the thread to end everything and to stop.
    func close() {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            state.ring()
        }
    }

    // MARK: The thread's side

    /// Takes all that was posted, and says whether the mailbox is closed: nothing follows then.
    func take() -> (commands: [Command], isClosed: Bool) {
        state.withLock { state in
            let commands = state.commands
            state.commands = []
            return (commands, state.isClosed)
        }
    }

    /// Names what is to be woken; nil before it goes away.
    func setBell(_ multi: UnsafeMutableRawPointer?) {
        let bell = multi.map(Bell.init)
        state.withLock { $0.bell = bell }
    }
}
