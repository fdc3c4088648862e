import PalModel

/// When the Engine itself starts a container again: `on-failure` perhaps so many times.
struct RestartPolicy: Sendable, Hashable {
    var name: String
    /// 0 for without end.
    var retries = 0

    init(name: String) { self.name = name }

    /// As a spec says it; nil for what is no policy.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first,
            ["unless-stopped", "always", "on-failure", "no"].contains(name)
        else { return nil }
        self.name = name
        guard parts.count > 1 else { return }
        guard parts.count == 2, name == "on-failure", let count = Int(parts[1]), count > 0 else {
            return nil
        }
        retries = count
    }

    /// As the Engine takes it.
    var engineValue: Value {
        .map(["Name": .string(name), "MaximumRetryCount": .int(retries)])
    }
}
