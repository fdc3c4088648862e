import Glibc
import PalFiles
public import PalModel
public import PalProvider

extension ProcessProvider: MetricsProvider {
    /// From the instance's control groups; nil where it has none, or does not run.
    public func getUsage(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> ResourceUsage? {
        guard let entry = try records.find(reference), try RunState.read(entry.files).isActive,
            let launch = try? JSONFile.read(LaunchFile.self, at: entry.files.launch),
            let place = launch.cgroup
        else { return nil }
        var usage = ResourceUsage(
            memory: place.memoryUsed().map { Double($0) / Double(1 << 20) })
        if let first = place.cpuSeconds() {
            let start = ContinuousClock.now
            try? await clock.sleep(for: .milliseconds(250))
            let passed = (ContinuousClock.now - start) / .seconds(1)
            if let second = place.cpuSeconds(), passed > 0.05, second >= first {
                usage.cpu = (second - first) / passed
            }
        }
        return usage == ResourceUsage() ? nil : usage
    }
}

extension CgroupPlace {
    /// The time that all processors together have spent here; nil where the kernel does not count.
    fileprivate func cpuSeconds() -> Double? {
        guard let cpu else { return nil }
        switch version {
        case .v1: return Self.text("\(cpu)/cpuacct.usage").flatMap { Double($0) }.map { $0 / 1e9 }
        case .v2:
            return Self.number(after: "usage_usec", in: "\(cpu)/cpu.stat").map { Double($0) / 1e6 }
        }
    }
}
