import CCurl
import Glibc

extension Transfer {
    /// Sets all options of a request that was found to be valid.
    func configure(_ request: HTTPRequest) throws(HTTPError) {
        let this = Unmanaged.passUnretained(self).toOpaque()
        try check(pal_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
        try check(pal_easy_set_pointer(easy, CURLOPT_PRIVATE, this))
        try check(pal_easy_set_pointer(easy, CURLOPT_HEADERDATA, this))
        try check(pal_easy_set_pointer(easy, CURLOPT_WRITEDATA, this))
        try check(pal_easy_set_callback(easy, CURLOPT_HEADERFUNCTION, Self.onHeader))
        try check(pal_easy_set_callback(easy, CURLOPT_WRITEFUNCTION, Self.onBody))
        try setConnection(request)
        try setMessage(request)
    }

    private func setConnection(_ request: HTTPRequest) throws(HTTPError) {
        try ConnectionOptions(easy: easy).apply(
            exchange.endpoint, exchange.tls, connectTimeout: request.connectTimeout)
        // A redirect would carry credentials in custom headers to another host.
        try set(CURLOPT_FOLLOWLOCATION, 0)
        if let timeout = request.timeout {
            try set(CURLOPT_TIMEOUT_MS, timeout.curlMilliseconds)
        }
        if request.closesConnection || !request.isReplayable || request.bodyFile != nil {
            try set(CURLOPT_FRESH_CONNECT, 1)
        }
        if request.closesConnection {
            try set(CURLOPT_FORBID_REUSE, 1)
        }
    }

    private func setMessage(_ request: HTTPRequest) throws(HTTPError) {
        try set(CURLOPT_URL, exchange.endpoint.urlPrefix + request.path)
        try set(CURLOPT_PATH_AS_IS, 1)
        try check(pal_easy_set_list(easy, CURLOPT_HTTPHEADER, headerLines))

        if let path = request.bodyFile {
            try setBodyFile(path)
        } else if let body = request.bodyToSend {
            try set(CURLOPT_POST, 1)
            try check(
                pal_easy_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
            // libcurl copies: the body need not outlive this call.
            try check(pal_easy_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, body))
        } else if request.method == "HEAD" {
            try set(CURLOPT_NOBODY, 1)
        }
        if request.method != "HEAD" {
            try set(CURLOPT_CUSTOMREQUEST, request.method)
        }
    }

    private func setBodyFile(_ path: String) throws(HTTPError) {
        var info = stat()
        bodyFile = open(path, O_RDONLY | O_CLOEXEC)
        guard bodyFile >= 0, fstat(bodyFile, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            throw .invalid("its body \(path) is not a file that can be read.")
        }
        let this = Unmanaged.passUnretained(self).toOpaque()
        try set(CURLOPT_POST, 1)
        try check(
            pal_easy_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(info.st_size)))
        try check(pal_easy_set_pointer(easy, CURLOPT_READDATA, this))
        try check(pal_easy_set_callback(easy, CURLOPT_READFUNCTION, Self.onBodyWanted))
    }

    /// The request's headers, and those that libcurl would add of itself, taken away.
    static func makeHeaderLines(
        _ request: HTTPRequest
    ) throws(HTTPError) -> UnsafeMutablePointer<curl_slist>? {
        // In libcurl's language `Name;` is a header without a value and `Name:` is none at all.
        var lines = request.headers.map { name, value in
            value.isEmpty ? "\(name);" : "\(name): \(value)"
        }
        if request.closesConnection { lines.append("Connection: close") }
        if request.bodyToSend != nil || request.bodyFile != nil {
            if !request.hasHeader("Expect") { lines.append("Expect:") }
            if !request.hasHeader("Content-Type") { lines.append("Content-Type:") }
        }
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                throw .invalid("libcurl has no memory for its headers.")
            }
            list = longer
        }
        return list
    }

    private func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
        try ConnectionOptions(easy: easy).set(option, value)
    }

    private func set(_ option: CURLoption, _ value: String) throws(HTTPError) {
        try ConnectionOptions(easy: easy).set(option, value)
    }

    private func check(_ code: CURLcode) throws(HTTPError) {
        try ConnectionOptions.check(code)
    }
}

extension HTTPRequest {
    /// The body, or an empty one where the method calls for its length.
    fileprivate var bodyToSend: [UInt8]? {
        body ?? (["POST", "PUT", "PATCH"].contains(method) ? [] : nil)
    }
}
