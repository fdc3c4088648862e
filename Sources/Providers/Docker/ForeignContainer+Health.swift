import PalModel

/// How its Engine sees how it is.
extension ForeignContainer {
    /// A check that is not just its image's, with its times: the Engine's own where none is said.
    mutating func readHealth(
        _ config: inout InstanceConfig, _ specific: inout [String: Value]
    ) {
        guard let check = container["Config"]?["Healthcheck"], !check.saysNothing,
            check != image["Config"]?["Healthcheck"]
        else { return }
        guard let command = HealthCommand(test: check.texts("Test") ?? []) else {
            remarks.append("its health check: not carried over; health.path has pal ask")
            return
        }
        var said = command.value
        defer { specific["healthCheck"] = .map(said) }
        guard command != .none else { return }
        if let retries = check.number("Retries"), retries > 0 { said["retries"] = .int(retries) }
        config.health.interval = Self.span(check["Interval"], else: 30)
        config.health.timeout = Self.span(check["Timeout"], else: 30)
        config.health.grace = Self.span(check["StartPeriod"], else: 0)
        if let value = check["StartInterval"], !value.saysNothing {
            remarks.append("StartInterval of its health check: not carried over")
        }
    }

    /// Nanoseconds as a span, in whole milliseconds.
    private static func span(_ value: Value?, else seconds: Int) -> TimeSpan {
        let nanoseconds = value.flatMap { Int($0) } ?? 0
        guard nanoseconds > 0 else { return .seconds(seconds) }
        return TimeSpan(milliseconds: max(1, nanoseconds / 1_000_000))
    }
}
