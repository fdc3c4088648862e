import CCurl
import CLinux

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The thread of one `RawConnection`: libcurl makes the connection, TLS too, and moves the bytes.
///
/// It sleeps in `poll` until the socket or the connection's bell wakes it.
final class ConnectionThread {
    private let connection: RawConnection
    private let easy: UnsafeMutableRawPointer
    private let bell: Int32
    private var socket: Int32 = -1
    /// What was taken and is not sent yet.
    private var outgoing: ArraySlice<UInt8> = []
    private var hasFinished = false
    /// Whether bytes may be there that no poll tells of: TLS has taken them from the socket.
    private var mayHaveMore = false
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)

    private init(
        _ connection: RawConnection, _ easy: UnsafeMutableRawPointer, bell: Int32
    ) {
        self.connection = connection
        self.easy = easy
        self.bell = bell
    }

    /// Starts it. It ends when the connection has an outcome, and gives it one where it cannot
    /// start.
    static func start(
        _ connection: RawConnection, _ tls: TLSFiles?, connectTimeout: Duration
    ) {
        var ends: [Int32] = [-1, -1]
        let refuse: @Sendable () -> Void = {
            connection.finish(.failure(.invalid("the system gives no thread or pipe.")))
        }
        guard pal_pipe(&ends) == 0 else { return refuse() }
        let (reading, writing) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        connection.setBell(writing)
        DetachedThread.start {
            defer {
                connection.setBell(nil)
                close(reading)
                close(writing)
            }
            guard Curl.isReady, let easy = curl_easy_init() else { return refuse() }
            defer { curl_easy_cleanup(easy) }
            let thread = ConnectionThread(connection, easy, bell: reading)
            connection.finish(thread.run(tls, connectTimeout))
        } orElse: {
            connection.setBell(nil)
            close(reading)
            close(writing)
            refuse()
        }
    }

    private func run(_ tls: TLSFiles?, _ connectTimeout: Duration) -> Result<Void, HTTPError> {
        do throws(HTTPError) {
            try connect(tls, connectTimeout)
            connection.open()
            while try turn() {}
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    private func connect(_ tls: TLSFiles?, _ timeout: Duration) throws(HTTPError) {
        let endpoint = connection.endpoint
        let options = ConnectionOptions(easy: easy)
        try options.apply(endpoint, tls, connectTimeout: timeout)
        try options.set(CURLOPT_URL, endpoint.urlPrefix)
        try options.set(CURLOPT_CONNECT_ONLY, 1)
        // A proxy must pass everything on as it is.
        try options.set(CURLOPT_HTTPPROXYTUNNEL, 1)
        let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        defer { errorText.deallocate() }
        try ConnectionOptions.check(pal_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
        let code = curl_easy_perform(easy)
        pal_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, nil)
        guard code == CURLE_OK else {
            var systemError = 0
            pal_easy_get_long(easy, CURLINFO_OS_ERRNO, &systemError)
            let text = String(cString: errorText)
            throw HTTPError(
                code, sent: false, systemError: Int32(truncatingIfNeeded: systemError),
                detail: text.isEmpty ? String(cString: curl_easy_strerror(code)) : text,
                endpoint: endpoint)
        }
        guard pal_easy_get_socket(easy, &socket) == CURLE_OK, socket >= 0 else {
            throw .invalid("libcurl made no connection.")
        }
    }

    /// False when the connection is over.
    private func turn() throws(HTTPError) -> Bool {
        let turn = connection.takeTurn()
        if turn.isOver { return false }
        if let deadline = turn.deadline, deadline <= .now {
            throw HTTPError(
                .timedOut(sent: true), message: "\(connection.endpoint) did not answer in time.")
        }
        outgoing = outgoing.isEmpty ? turn.outgoing[...] : outgoing + turn.outgoing
        try sendWhatGoes()
        if turn.finishes, outgoing.isEmpty, !hasFinished { try finishSending() }
        if turn.hasRoom, !(try receiveWhatIsThere()) { return false }
        sleep(reads: turn.hasRoom, until: turn.deadline)
        return true
    }

    private func sendWhatGoes() throws(HTTPError) {
        while !outgoing.isEmpty {
            var count = 0
            let code = outgoing.withUnsafeBytes {
                curl_easy_send(easy, $0.baseAddress, $0.count, &count)
            }
            if code == CURLE_AGAIN { return }
            guard code == CURLE_OK else { throw broken(code) }
            outgoing = outgoing.dropFirst(count)
            connection.sent(count)
        }
    }

    private func finishSending() throws(HTTPError) {
        hasFinished = true
        guard pal_easy_finish_sending(easy) == 0 else {
            throw HTTPError(
                .broken(sent: true),
                message: "\(connection.endpoint) could not be told that its input has ended.")
        }
    }

    /// Takes in what there is, up to the bound. False at the end.
    private func receiveWhatIsThere() throws(HTTPError) -> Bool {
        mayHaveMore = false
        for _ in 0..<(RawConnection.bound / chunk.count) {
            var count = 0
            let code = chunk.withUnsafeMutableBytes {
                curl_easy_recv(easy, $0.baseAddress, $0.count, &count)
            }
            if code == CURLE_AGAIN { return true }
            guard code == CURLE_OK else { throw broken(code) }
            if count == 0 { return false }
            chunk.withUnsafeBytes {
                connection.receive(UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
        }
        mayHaveMore = true
        return true
    }

    private func sleep(reads: Bool, until deadline: ContinuousClock.Instant?) {
        var events: Int16 = reads ? Int16(POLLIN) : 0
        if !outgoing.isEmpty { events |= Int16(POLLOUT) }
        var descriptors = [
            pollfd(fd: events == 0 ? -1 : socket, events: events, revents: 0),
            pollfd(fd: bell, events: Int16(POLLIN), revents: 0),
        ]
        let limit = deadline.map { Int32(clamping: ($0 - .now).curlMilliseconds) } ?? -1
        poll(&descriptors, 2, reads && mayHaveMore ? 0 : limit)
        while read(bell, &chunk, chunk.count) > 0 {}
    }

    private func broken(_ code: CURLcode) -> HTTPError {
        HTTPError(
            code, sent: true, systemError: 0, detail: String(cString: curl_easy_strerror(code)),
            endpoint: connection.endpoint)
    }
}
