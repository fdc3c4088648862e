import PalEngine
import PalModel

extension InstanceConfig {
    /// The instances that a declaration asks for: itself, or all of its replicas.
    var instances: [InstanceConfig] {
        guard let replicas else { return [self] }
        return (0..<replicas).map { number in
            var one = self
            one.name = Replica.name(name, number)
            return one
        }
    }
}
