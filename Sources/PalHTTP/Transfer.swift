import CCurl
import Glibc

/// One easy handle at work: an exchange as libcurl sees it.
///
/// Made, used and destroyed on the curl thread. libcurl points back at it without a reference of
/// its own, so the thread keeps it until the handle has left the multi handle.
final class Transfer {
    let exchange: Exchange
    let easy: UnsafeMutableRawPointer
    /// What libcurl points to and does not copy. Freed after the handle.
    let errorText: UnsafeMutablePointer<CChar>
    let headerLines: UnsafeMutablePointer<curl_slist>?

    /// The file that is the body, where one is; closed with the handle.
    var bodyFile: CInt = -1

    private var headReader = ResponseHeadReader()
    /// Why a callback made libcurl give up.
    private var refusal: HTTPError?

    init(_ request: HTTPRequest, for exchange: Exchange) throws(HTTPError) {
        let headerLines = try Self.makeHeaderLines(request)
        guard let easy = curl_easy_init() else {
            curl_slist_free_all(headerLines)
            throw .invalid("libcurl has no memory for it.")
        }
        self.easy = easy
        self.exchange = exchange
        self.headerLines = headerLines
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        try configure(request)
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerLines)
        errorText.deallocate()
        if bodyFile >= 0 { close(bodyFile) }
    }

    /// The transfer that an easy handle belongs to.
    static func owner(of easy: UnsafeMutableRawPointer) -> Transfer? {
        var pointer: UnsafeMutableRawPointer?
        pal_easy_get_pointer(easy, CURLINFO_PRIVATE, &pointer)
        return pointer.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Whether any byte of the request was written to a connection.
    var sent: Bool {
        var bytes = 0
        pal_easy_get_long(easy, CURLINFO_REQUEST_SIZE, &bytes)
        return bytes > 0
    }

    /// What libcurl's result means for the exchange.
    func outcome(_ code: CURLcode) -> Result<Void, HTTPError> {
        if let refusal { return .failure(refusal) }
        guard code != CURLE_OK else {
            // libcurl takes a connection that closes inside the headers for a good end.
            guard !headReader.isComplete else { return .success(()) }
            return .failure(
                HTTPError(
                    .broken(sent: true),
                    message: "\(exchange.endpoint) closed the connection inside its headers."))
        }
        var systemError = 0
        pal_easy_get_long(easy, CURLINFO_OS_ERRNO, &systemError)
        let text = String(cString: errorText)
        return .failure(
            HTTPError(
                code, sent: sent, systemError: Int32(truncatingIfNeeded: systemError),
                detail: text.isEmpty ? String(cString: curl_easy_strerror(code)) : text,
                endpoint: exchange.endpoint))
    }

    /// Lets a paused transfer go on. libcurl may call `write` from here.
    func resume() -> CURLcode {
        curl_easy_pause(easy, CURLPAUSE_CONT)
    }

    // MARK: Called back by libcurl

    /// Takes a header line. Any number but its length makes libcurl give up.
    private func readHeader(_ line: UnsafeRawBufferPointer) -> Int {
        switch headReader.read(line) {
        case .more:
            break
        case .complete(let head):
            // From here on a stream may be silent for as long as it likes.
            if exchange.isStream { pal_easy_set_long(easy, CURLOPT_TIMEOUT_MS, 0) }
            exchange.receive(head)
        case .tooLarge:
            return refuse("headers of more than \(ResponseHeadReader.limit) bytes")
        }
        return line.count
    }

    /// Takes a piece of the body, all of it or nothing.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch exchange.receive(bytes) {
        case .taken: bytes.count
        case .paused: Int(CURL_WRITEFUNC_PAUSE)
        case .tooLarge: refuse("more than the allowed size")
        }
    }

    private func refuse(_ what: String) -> Int {
        refusal = HTTPError(.tooLarge, message: "\(exchange.endpoint) answered with \(what).")
        return 0
    }

    /// Gives libcurl more of the file that is the body.
    private func readBody(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = read(bodyFile, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            return count < 0 ? Int(CURL_READFUNC_ABORT) : count
        }
    }

    static let onBodyWanted: curl_write_callback = { pointer, size, count, transfer in
        guard let transfer else { return Int(CURL_READFUNC_ABORT) }
        return Unmanaged<Transfer>.fromOpaque(transfer).takeUnretainedValue()
            .readBody(into: UnsafeMutableRawBufferPointer(start: pointer, count: size * count))
    }

    static let onHeader: curl_write_callback = { pointer, size, count, transfer in
        guard let transfer else { return 0 }
        return Unmanaged<Transfer>.fromOpaque(transfer).takeUnretainedValue()
            .readHeader(UnsafeRawBufferPointer(start: pointer, count: size * count))
    }

    static let onBody: curl_write_callback = { pointer, size, count, transfer in
        guard let transfer else { return 0 }
        return Unmanaged<Transfer>.fromOpaque(transfer).takeUnretainedValue()
            .write(UnsafeRawBufferPointer(start: pointer, count: size * count))
    }
}
