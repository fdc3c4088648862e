import PalModel
import PalSpecs

/// What it may use, and how many there are.
extension ComposeService {
    mutating func readCores(_ pair: Node.Pair) {
        guard let value = text(pair.value) else { return }
        guard let cores = Sizes.cores(value) else {
            return remark(pair.key, "\(pair.key.text): '\(value)' is no number of cores")
        }
        config.resources.cpuCores = cores
    }

    mutating func readMemory(_ pair: Node.Pair, isLimit: Bool) {
        guard let value = text(pair.value) else { return }
        guard let size = Sizes.mebibytes(value) else {
            return remark(pair.key, "\(pair.key.text): '\(value)' is less than a MiB, or no size")
        }
        if isLimit { config.resources.memoryMax = size } else { config.resources.memoryMin = size }
    }

    /// Memory and swap together; -1 for all the swap that there is.
    mutating func readSwap(_ pair: Node.Pair) {
        guard let value = text(pair.value), value != "0" else { return }
        guard let size = value == "-1" ? -1 : Sizes.mebibytes(value) else {
            return remark(pair.key, "memswap_limit: '\(value)' is less than a MiB, or no size")
        }
        config.setSpecific("memorySwap", .int(size))
    }

    /// As much swap again as memory, which is what Docker gives where nothing is said.
    mutating func fillInSwap() {
        guard let memory = config.resources.memoryMax, service.value["memswap_limit"] == nil else {
            return
        }
        config.setSpecific("memorySwap", .int(2 * memory))
    }

    mutating func readNumber(_ pair: Node.Pair, _ key: String, _ range: ClosedRange<Int>) {
        guard let value = text(pair.value), value != "0" else { return }
        guard let number = Int(value), range.contains(number) else {
            return remark(
                pair.key,
                "\(pair.key.text): '\(value)' is no number from \(range.lowerBound) to "
                    + "\(range.upperBound); not carried over")
        }
        config.setSpecific(key, .int(number))
    }

    mutating func readDeploy(_ pair: Node.Pair) {
        for entry in pair.value.mapping ?? [] {
            switch entry.key.text {
            case "replicas": readReplicas(entry)
            case "resources": readResources(entry.value)
            default:
                remark(
                    entry.key, "deploy.\(entry.key.text): not carried over",
                    "pal replaces one instance at a time")
            }
        }
    }

    private mutating func readResources(_ resources: Node) {
        for kind in resources.mapping ?? [] {
            let isLimit = kind.key.text == "limits"
            for entry in kind.value.mapping ?? [] {
                switch entry.key.text {
                case "memory": readMemory(entry, isLimit: isLimit)
                case "cpus" where isLimit: readCores(entry)
                case "pids" where isLimit: readProcesses(entry)
                case "devices" where !isLimit: readGPUs(entry)
                default:
                    remark(
                        entry.key,
                        "deploy.resources.\(kind.key.text).\(entry.key.text): not carried over")
                }
            }
        }
    }

    mutating func readReplicas(_ pair: Node.Pair) {
        guard let value = text(pair.value) else { return }
        guard let count = Int(value), count >= 0 else {
            return remark(pair.key, "\(pair.key.text): '\(value)' is no number; not carried over")
        }
        if count != 1 { config.replicas = count }
    }

    mutating func readSharedMemory(_ pair: Node.Pair) {
        guard let value = text(pair.value) else { return }
        guard let size = Sizes.mebibytes(value) else {
            return remark(pair.key, "shm_size: '\(value)' is less than a MiB, or no size")
        }
        config.setSpecific("shmSize", .int(size))
    }

    mutating func readLimitsOfProcesses(_ pair: Node.Pair) {
        var limits: [String: Value] = [:]
        for entry in pair.value.mapping ?? [] {
            if let one = text(entry.value).flatMap({ Int($0) }) {
                limits[entry.key.text] = .int(one)
            } else if let soft = entry.value["soft"].flatMap({ text($0) }).flatMap({ Int($0) }),
                let hard = entry.value["hard"].flatMap({ text($0) }).flatMap({ Int($0) })
            {
                limits[entry.key.text] = .map(["soft": .int(soft), "hard": .int(hard)])
            } else {
                remark(entry.key, "ulimits.\(entry.key.text): not understood; not carried over")
            }
        }
        if !limits.isEmpty { config.setSpecific("ulimits", .map(limits)) }
    }

    mutating func readProcesses(_ pair: Node.Pair) {
        guard let value = text(pair.value), value != "-1" else { return }
        guard let count = Int(value), count > 0 else {
            return remark(
                pair.key, "\(pair.key.text): '\(value)' is no number from 1 on; not carried over")
        }
        config.setSpecific("pidsLimit", .int(count))
    }

    /// `gpus: all`, or a list of devices by request as in `deploy.resources.reservations.devices`.
    mutating func readGPUs(_ pair: Node.Pair) {
        guard let requests = pair.value.sequence else {
            guard text(pair.value) == "all" else {
                return remark(pair.key, "\(pair.key.text): not understood; not carried over")
            }
            return config.setSpecific("gpus", .string("all"))
        }
        for request in requests { readGPU(request) }
    }

    private mutating func readGPU(_ request: Node) {
        // Under `gpus` they need not say that they are any.
        let kinds = request["capabilities"].map { texts($0) } ?? ["gpu"]
        let driver = request["driver"].flatMap { text($0) } ?? "nvidia"
        guard kinds == ["gpu"], driver == "nvidia", config.specific?["gpus"] == nil else {
            return remark(request, "a request for devices that no spec can make; not carried over")
        }
        remarkOnOthers(
            than: ["capabilities", "driver", "count", "device_ids"], in: request, "devices")
        let ids = request["device_ids"].map { texts($0) } ?? []
        let count = request["count"].flatMap { text($0) } ?? "all"
        if !ids.isEmpty {
            config.setSpecific("gpus", .list(ids.map { .string($0) }))
        } else if count == "all" {
            config.setSpecific("gpus", .string("all"))
        } else if let number = Int(count), number > 0 {
            config.setSpecific("gpus", .int(number))
        } else {
            remark(request, "'\(count)' is no number of GPUs; not carried over")
        }
    }

    mutating func readPullPolicy(_ pair: Node.Pair) {
        guard let policy = text(pair.value) else { return }
        let known = [
            "always": "always", "never": "never", "missing": "missing", "if_not_present": "missing",
        ]
        guard let own = known[policy] else {
            return remark(pair.key, "pull_policy: '\(policy)' is not carried over")
        }
        if own != "missing" { config.setSpecific("pull", .string(own)) }
    }
}
