import PalFiles
import PalModel
import PalProvider

/// Where the token for Fly.io comes from. It is read for each call and kept nowhere: a new one in
/// the file counts at once.
struct TokenSource: Sendable, Hashable {
    /// The file that holds it; nil for the environment.
    var file: String?
    /// The controller's variables.
    var environment: [String: String]

    /// As the `fly` command reads them, in this order.
    static let variables = ["FLY_API_TOKEN", "FLY_ACCESS_TOKEN"]

    /// The token as the header `Authorization` has it: macaroons in a form of their own, which the
    /// logs insist on and the Machines API takes, too.
    /// - Throws: A connection error where there is none.
    func header() throws(ProviderFailure) -> String {
        var token = try text().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for scheme in ["FlyV1 ", "Bearer "] where token.hasPrefix(scheme) {
            token.removeFirst(scheme.count)
        }
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw missing("is empty or holds more than a token")
        }
        let isMacaroon = ["fm1r_", "fm1a_", "fm2_"].contains { token.hasPrefix($0) }
        return "\(isMacaroon ? "FlyV1" : "Bearer") \(token)"
    }

    private func text() throws(ProviderFailure) -> String {
        guard let file else {
            for name in Self.variables {
                if let value = environment[name], !value.isEmpty { return value }
            }
            throw missing("is not set")
        }
        do throws(RegularFile.Failure) {
            return String(
                decoding: try RegularFile.read(at: file, limit: 64 << 10).bytes, as: UTF8.self)
        } catch {
            throw missing("cannot be read (\(error))")
        }
    }

    private func missing(_ problem: String) -> ProviderFailure {
        let place = file ?? Self.variables[0]
        return .connection(
            .notPermitted,
            "there is no token for Fly.io: \(place) \(problem); make one with "
                + "'fly tokens create org' and put it there", isRetryable: false)
    }
}
