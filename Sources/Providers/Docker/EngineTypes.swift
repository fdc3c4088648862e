/// One entry of `GET /containers/json`: only what the provider reads.
struct ContainerSummary: Decodable, Sendable, Hashable {
    var id: String
    var labels: [String: String]?
    /// `created`, `running`, `exited` …
    var state: String
    /// For people: `Up 5 minutes (healthy)`.
    var status: String?

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case labels = "Labels"
        case state = "State"
        case status = "Status"
    }
}

/// `GET /containers/{id}/json`: only what the provider reads.
struct ContainerDetail: Decodable, Sendable, Hashable {
    var id: String
    var name: String
    /// The id of the image that it was made from.
    var image: String?
    var created: String
    var restartCount: Int?
    var state: State
    var config: Config
    var hostConfig: HostConfig
    var networkSettings: NetworkSettings?
    /// Whether the marks were put on what was read, and not on the container.
    var isAdopted = false

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case name = "Name"
        case image = "Image"
        case created = "Created"
        case restartCount = "RestartCount"
        case state = "State"
        case config = "Config"
        case hostConfig = "HostConfig"
        case networkSettings = "NetworkSettings"
    }

    struct State: Decodable, Sendable, Hashable {
        var status: String
        var exitCode: Int?
        var isOutOfMemory: Bool?
        var error: String?
        var startedAt: String?
        var finishedAt: String?
        var health: Health?

        private enum CodingKeys: String, CodingKey {
            case status = "Status"
            case exitCode = "ExitCode"
            case isOutOfMemory = "OOMKilled"
            case error = "Error"
            case startedAt = "StartedAt"
            case finishedAt = "FinishedAt"
            case health = "Health"
        }
    }

    struct Health: Decodable, Sendable, Hashable {
        /// `none`, `starting`, `healthy` or `unhealthy`.
        var status: String
        var log: [Check]?

        private enum CodingKeys: String, CodingKey {
            case status = "Status"
            case log = "Log"
        }
    }

    struct Check: Decodable, Sendable, Hashable {
        var output: String?

        private enum CodingKeys: String, CodingKey { case output = "Output" }
    }

    struct Config: Decodable, Sendable, Hashable {
        var image: String
        var labels: [String: String]?
        var isTerminal: Bool?
        /// Seconds; less than 0 is for ever.
        var stopTimeout: Int?

        private enum CodingKeys: String, CodingKey {
            case image = "Image"
            case labels = "Labels"
            case isTerminal = "Tty"
            case stopTimeout = "StopTimeout"
        }
    }

    struct HostConfig: Decodable, Sendable, Hashable {
        var nanoCPUs: Int?
        var cpuQuota: Int?
        var cpuPeriod: Int?
        var memory: Int?
        var memoryReservation: Int?
        /// Memory and swap together; -1 for without a limit.
        var memorySwap: Int?
        var networkMode: String?
        var restartPolicy: RestartPolicy?
        /// By `port/protocol` inside.
        var portBindings: [String: [Binding]?]?

        private enum CodingKeys: String, CodingKey {
            case nanoCPUs = "NanoCpus"
            case cpuQuota = "CpuQuota"
            case cpuPeriod = "CpuPeriod"
            case memory = "Memory"
            case memoryReservation = "MemoryReservation"
            case memorySwap = "MemorySwap"
            case networkMode = "NetworkMode"
            case restartPolicy = "RestartPolicy"
            case portBindings = "PortBindings"
        }
    }

    struct RestartPolicy: Decodable, Sendable, Hashable {
        var name: String?
        /// How often `on-failure` starts it again; 0 for without end.
        var retries: Int?

        private enum CodingKeys: String, CodingKey {
            case name = "Name"
            case retries = "MaximumRetryCount"
        }
    }

    struct Binding: Decodable, Sendable, Hashable {
        var address: String?
        var port: String?

        private enum CodingKeys: String, CodingKey {
            case address = "HostIp"
            case port = "HostPort"
        }
    }

    struct NetworkSettings: Decodable, Sendable, Hashable {
        var networks: [String: Network]?
        /// What is published just now; null for a port that is only exposed.
        var ports: [String: [Binding]?]?

        private enum CodingKeys: String, CodingKey {
            case networks = "Networks"
            case ports = "Ports"
        }
    }

    struct Network: Decodable, Sendable, Hashable {
        var address: String?

        private enum CodingKeys: String, CodingKey { case address = "IPAddress" }
    }
}

/// What a creation answers.
struct Created: Decodable, Sendable {
    var id: String
    var warnings: [String]?

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case warnings = "Warnings"
    }
}

/// A volume, alone or in a list.
struct VolumeDetail: Decodable, Sendable {
    var name: String
    var createdAt: String?
    var driver: String?
    /// What the driver was told when it was made.
    var options: [String: String]?
    var labels: [String: String]?

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case createdAt = "CreatedAt"
        case driver = "Driver"
        case options = "Options"
        case labels = "Labels"
    }
}

/// `GET /volumes`.
struct VolumeList: Decodable, Sendable {
    var volumes: [VolumeDetail]?

    private enum CodingKeys: String, CodingKey { case volumes = "Volumes" }
}

/// One entry of `GET /networks`.
struct NetworkSummary: Decodable, Sendable {
    var id: String
    var name: String

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case name = "Name"
    }
}

/// `GET /exec/{id}/json`.
struct ExecDetail: Decodable, Sendable {
    var isRunning: Bool
    /// Null while it runs.
    var exitCode: Int?

    private enum CodingKeys: String, CodingKey {
        case isRunning = "Running"
        case exitCode = "ExitCode"
    }
}

/// One line of `GET /events`. Only what every version has: `status`, `id` and `from` are gone in
/// 1.52.
struct EngineEvent: Decodable, Sendable, Hashable {
    var type: String?
    var action: String?
    var actor: Actor?
    /// Seconds since 1970.
    var time: Int?
    /// Since 1970.
    var nanoseconds: Int?

    private enum CodingKeys: String, CodingKey {
        case type = "Type"
        case action = "Action"
        case actor = "Actor"
        case time
        case nanoseconds = "timeNano"
    }

    struct Actor: Decodable, Sendable, Hashable {
        var id: String?
        var attributes: [String: String]?

        private enum CodingKeys: String, CodingKey {
            case id = "ID"
            case attributes = "Attributes"
        }
    }
}

/// What every refusal says.
struct RefusalBody: Decodable, Sendable {
    var message: String
}
