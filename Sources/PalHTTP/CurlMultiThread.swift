import CCurl

/// The one thread that owns libcurl: every transfer of a client runs on it.
///
/// It sleeps in `curl_multi_poll` until a socket, a timer or the mailbox's bell wakes it. Nothing
/// here is shared: tasks reach it through the mailbox, and it reaches them through exchanges.
final class CurlMultiThread {
    private let multi: UnsafeMutableRawPointer
    private let mailbox: Mailbox
    private let maximumConnections: Int

    private var transfers: [ObjectIdentifier: Transfer] = [:]
    /// Ordinary requests for which there is no connection yet, oldest first.
    private var queue: [(exchange: Exchange, request: HTTPRequest)] = []
    private var streamCount = 0

    /// How long the thread sleeps where libcurl has no timer of its own.
    private static let idleSleep: Int32 = 3_600_000

    private init(multi: UnsafeMutableRawPointer, mailbox: Mailbox, maximumConnections: Int) {
        self.multi = multi
        self.mailbox = mailbox
        self.maximumConnections = maximumConnections
    }

    /// Starts the thread. It ends when the mailbox is closed, and closes it where it cannot start.
    static func start(serving mailbox: Mailbox, maximumConnections: Int) {
        DetachedThread.start {
            guard Curl.isReady, let multi = curl_multi_init() else { return mailbox.close() }
            CurlMultiThread(
                multi: multi, mailbox: mailbox, maximumConnections: maximumConnections
            ).run()
        } orElse: {
            mailbox.close()
        }
    }

    private func run() {
        adjustConnectionPool()
        mailbox.setBell(multi)
        while serve() {}
        mailbox.close()
        mailbox.take().commands.forEach(apply)
        endEverything()
        mailbox.setBell(nil)
        curl_multi_cleanup(multi)
    }

    /// One turn. False when the mailbox is closed or libcurl is beyond repair.
    private func serve() -> Bool {
        let (commands, isClosed) = mailbox.take()
        commands.forEach(apply)
        guard !isClosed else { return false }
        admit()
        var running: Int32 = 0
        guard curl_multi_perform(multi, &running) == CURLM_OK else { return false }
        collectResults()
        admit()
        return curl_multi_poll(multi, nil, 0, Self.idleSleep, nil) == CURLM_OK
    }

    private func apply(_ command: Mailbox.Command) {
        switch command {
        case .start(let exchange, let request):
            if exchange.isStream {
                begin(request, for: exchange)
            } else {
                queue.append((exchange, request))
            }
        case .cancel(let exchange):
            cancel(exchange, because: HTTPError.cancelled)
        case .resume(let exchange):
            guard let transfer = transfers[ObjectIdentifier(exchange)] else { return }
            let code = transfer.resume()
            if code != CURLE_OK { end(transfer, transfer.outcome(code)) }
        }
    }

    /// Starts what waits, as far as there are connections. Streams do not count.
    private func admit() {
        var admitted = 0
        while admitted < queue.count, transfers.count - streamCount < maximumConnections {
            begin(queue[admitted].request, for: queue[admitted].exchange)
            admitted += 1
        }
        queue.removeFirst(admitted)
    }

    private func begin(_ request: HTTPRequest, for exchange: Exchange) {
        do throws(HTTPError) {
            let transfer = try Transfer(request, for: exchange)
            guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
                throw .invalid("libcurl took no further transfer.")
            }
            transfers[ObjectIdentifier(exchange)] = transfer
            if exchange.isStream { count(streams: 1) }
        } catch {
            exchange.finish(.failure(error))
        }
    }

    private func collectResults() {
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            // The message dies with remove_handle: copied first.
            let (kind, easy) = (message.pointee.msg, message.pointee.easy_handle)
            let code = message.pointee.data.result
            guard kind == CURLMSG_DONE, let easy, let transfer = Transfer.owner(of: easy) else {
                continue
            }
            end(transfer, transfer.outcome(code))
        }
    }

    /// Takes a transfer off. libcurl closes its connection where the answer was not complete.
    private func end(_ transfer: Transfer, _ outcome: Result<Void, HTTPError>) {
        curl_multi_remove_handle(multi, transfer.easy)
        transfers[ObjectIdentifier(transfer.exchange)] = nil
        if transfer.exchange.isStream { count(streams: -1) }
        transfer.exchange.finish(outcome)
    }

    private func cancel(_ exchange: Exchange, because error: (Endpoint, Bool) -> HTTPError) {
        if let transfer = transfers[ObjectIdentifier(exchange)] {
            end(transfer, .failure(error(exchange.endpoint, transfer.sent)))
        } else if let place = queue.firstIndex(where: { $0.exchange === exchange }) {
            queue.remove(at: place)
            exchange.finish(.failure(error(exchange.endpoint, false)))
        }
    }

    private func endEverything() {
        for exchange in queue.map(\.exchange) + transfers.values.map(\.exchange) {
            cancel(exchange, because: HTTPError.shutDown)
        }
    }

    private func count(streams change: Int) {
        streamCount += change
        adjustConnectionPool()
    }

    /// libcurl's bound counts busy connections too: streams must not push idle ones out.
    private func adjustConnectionPool() {
        pal_multi_set_long(multi, CURLMOPT_MAXCONNECTS, maximumConnections + streamCount)
    }
}

/// libcurl's process-wide state.
enum Curl {
    /// Sets it up, once in a process. Never torn down: other code may use libcurl too.
    static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
}
