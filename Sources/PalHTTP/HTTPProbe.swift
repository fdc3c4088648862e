extension HTTPClient {
    /// Asks a URL with one GET and answers with its status, or with why there is none.
    ///
    /// For readiness: the connection is new, closed afterwards, and never taken from or left to
    /// other requests, so a server that was restarted meanwhile cannot be mistaken for a dead one.
    /// The body is not read. Redirects are answers.
    ///
    /// - Parameters:
    ///   - url: `http://host:port/path?query`, percent-encoded.
    ///   - timeout: for connecting and for the answer, together.
    public func probe(url: String, timeout: Duration) async -> Result<Int, HTTPError> {
        let afterScheme = url.firstIndex(of: ":").map { url[$0...].dropFirst(3) } ?? ""
        let pathStart = afterScheme.firstIndex { $0 == "/" || $0 == "?" } ?? url.endIndex
        let path = url[pathStart...]
        let request = HTTPRequest(
            "GET", path.hasPrefix("/") ? String(path) : "/" + path,
            connectTimeout: timeout, timeout: timeout, closesConnection: true)
        do throws(HTTPError) {
            return .success(
                try await stream(request, to: .origin(String(url[..<pathStart]))).status)
        } catch {
            return .failure(error)
        }
    }
}
