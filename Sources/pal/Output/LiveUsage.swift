import PalModel
import PalProvider
import Synchronization

/// What instances use now, asked of their providers when somebody asks for it.
struct LiveUsage {
    let composition: Composition

    /// All answers together may take so long; what is not there by then is left out.
    static let patience = Duration.seconds(2)
    private static let atOnce = 32

    /// The usage by instance name. Nothing that goes wrong is an error here: then it is not known.
    func ask(_ instances: [VSCodeInstance]) async -> [String: ResourceUsage] {
        let running = instances.filter { $0.status == .running }
        guard !running.isEmpty, let providers = try? composition.providers() else { return [:] }
        let byName = Dictionary(
            providers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let found = Found()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(for: Self.patience) }
            group.addTask {
                await Self.ask(running, byName, found)
            }
            await group.next()
            group.cancelAll()
        }
        return found.usage.withLock { $0 }
    }

    /// What has been answered so far.
    private final class Found: Sendable {
        let usage = Mutex<[String: ResourceUsage]>([:])
    }

    private static func ask(
        _ instances: [VSCodeInstance], _ providers: [String: any Provider],
        _ found: Found
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, instance) in instances.enumerated() {
                if index >= atOnce { await group.next() }
                guard let provider = providers[instance.providerName] as? any MetricsProvider
                else { continue }
                group.addTask {
                    let usage = try? await provider.getUsage(instance.reference)
                    if let usage = usage ?? nil {
                        found.usage.withLock { $0[instance.name] = usage }
                    }
                }
            }
        }
    }
}

extension ResourceState.Amount {
    /// `0.25/2`, `310`, `-`: what is used, and of how much.
    func text(digits: Int) -> String {
        let scale = digits > 0 ? 100.0 : 1.0
        func shown(_ number: Double) -> String {
            let rounded = (number * scale).rounded() / scale
            return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
        }
        let used = used.map(shown) ?? "-"
        return limit.map { "\(used)/\(shown($0))" } ?? used
    }
}

extension StatusReport {
    /// A line for each instance of which it is known what it uses.
    func showUsage() {
        for row in document.instances {
            guard let resources = row.instance?.resources,
                resources.cpu.used != nil || resources.memory.used != nil
            else { continue }
            let storage =
                resources.storage.used == nil
                ? "" : ", \(resources.storage.text(digits: 2)) GiB of disk"
            Terminal.say(
                "\(row.name): uses \(resources.cpu.text(digits: 2)) cores, "
                    + "\(resources.memory.text(digits: 0)) MiB\(storage)")
        }
    }
}
