import CCurl

/// The options that say how a handle of libcurl makes its connection.
struct ConnectionOptions {
    let easy: UnsafeMutableRawPointer

    /// Sets all that the endpoint and the certificates ask for.
    func apply(
        _ endpoint: Endpoint, _ tls: TLSFiles?, connectTimeout: Duration
    ) throws(HTTPError) {
        try Self.check(pal_easy_allow_only_http(easy))
        try Self.check(pal_easy_set_quick_exit(easy))
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // Without it libcurl uses signals for its timeouts.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, connectTimeout.curlMilliseconds)
        if endpoint.bypassesProxies {
            try set(CURLOPT_PROXY, "")
        }
        if case .unixSocket(let path) = endpoint {
            try set(CURLOPT_UNIX_SOCKET_PATH, path)
        }
        if let tls { try apply(tls) }
    }

    private func apply(_ tls: TLSFiles) throws(HTTPError) {
        if let authority = tls.authority { try set(CURLOPT_CAINFO, authority) }
        if let certificate = tls.certificate { try set(CURLOPT_SSLCERT, certificate) }
        if let key = tls.key { try set(CURLOPT_SSLKEY, key) }
        try set(CURLOPT_SSL_VERIFYPEER, tls.verifiesServer ? 1 : 0)
        try set(CURLOPT_SSL_VERIFYHOST, tls.verifiesServer ? 2 : 0)
    }

    func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
        try Self.check(pal_easy_set_long(easy, option, value))
    }

    func set(_ option: CURLoption, _ value: String) throws(HTTPError) {
        try Self.check(pal_easy_set_string(easy, option, value))
    }

    static func check(_ code: CURLcode) throws(HTTPError) {
        guard code != CURLE_OK else { return }
        throw .invalid("libcurl refused an option (\(String(cString: curl_easy_strerror(code)))).")
    }
}

extension Duration {
    /// Milliseconds as libcurl takes them: at least 1, because 0 means its own default, and no more
    /// than a 32-bit number holds.
    var curlMilliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
