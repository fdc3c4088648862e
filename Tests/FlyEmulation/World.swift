import FoundationEssentials

/// Everything there is, all values: whoever has the lock sees one moment.
struct World: Sendable {
    var apps: [String: App] = [:]
    var counter = 0

    /// Numbers things in the order they came.
    mutating func next() -> Int {
        counter += 1
        return counter
    }
}

/// An app with all that is in it.
struct App: Sendable {
    var name: String
    var network: String?
    var number: Int
    /// GET gives 404 before.
    var visibleAt: Duration
    var machines: [String: Machine] = [:]
    /// How the machines were before the last call that changed any.
    var before: [String: Machine] = [:]
    var volumes: [String: Volume] = [:]
    var addresses: [JSON] = []
    var lines: [LogLine] = []
}

/// One line of an app's log.
struct LogLine: Sendable {
    /// Unique in the app and never falling: it is the cursor.
    var at: Int
    var message: String
    var machine: String
    var region: String
}

/// Where a machine is.
struct MachineKey: Sendable, Hashable {
    var app: String
    var machine: String
}

/// A machine.
struct Machine: Sendable {
    var id: String
    var name: String
    var region: String
    var state = "created"
    var version: String
    var oldVersions: Set<String> = []
    var config: [String: JSON]
    var order: Int
    var createdAt: Int
    var updatedAt: Int
    /// Newest first.
    var events: [JSON] = []
    var hostStatus = "ok"
    var lease: Lease?
    /// Grows at each change of direction, so that what was planned before comes to nothing.
    var epoch = 0
    var process: Child?
    /// Whether somebody asked for the end of the process.
    var isEnding = false
    var outOfMemory = false
    /// Whether it is on its way up since its creation.
    var isLaunching = false
    var isSlow = false
    var lingers = false
    /// Whether it is 404 by now.
    var isGone = false
    var retries = 0
    /// When its process came up; `nil` while there is none.
    var upSince: Duration?
    var files: [String: Data] = [:]
    var ports: Set<Int> = []

    /// The ids in `config.mounts`.
    var volumes: [String] {
        config["mounts"]?.array?.compactMap { $0["volume"]?.string } ?? []
    }
    var isDestroyed: Bool { state == "destroyed" }
}

/// Somebody's right to be the only one who changes a machine.
struct Lease: Sendable {
    var nonce: String
    var owner: String
    var description: String?
    var version: String
    /// `nil` where it does not end by itself.
    var endsAt: Duration?
    /// Seconds since 1970.
    var endsAtStamp: Int

    func holds(at now: Duration) -> Bool { endsAt.map { now < $0 } ?? true }
}

/// A volume.
struct Volume: Sendable {
    var id: String
    var name: String
    var region: String
    var size: Int
    var state = "creating"
    var attached: String?
    var encrypted: Bool
    var retention: Int
    var isBackedUp: Bool
    var fileSystem: String
    var order: Int
    var createdAt: Int
}

/// Names as Fly makes them.
enum Names {
    static func machine() -> String {
        String(UInt64.random(in: 0x1000_0000_0000_00...0xFFFF_FFFF_FFFF_FF), radix: 16)
    }

    /// A ULID, near enough.
    static func ulid() -> String { "01" + random(24, of: "0123456789ABCDEFGHJKMNPQRSTVWXYZ") }

    static func volume() -> String { "vol_" + random(17, of: letters) }

    static func nonce() -> String { random(12, of: "0123456789abcdef") }

    static func plain() -> String { "quiet-river-" + random(4, of: "0123456789") }

    static let letters = "0123456789abcdefghijklmnopqrstuvwxyz"

    static func random(_ count: Int, of alphabet: String) -> String {
        String((0..<count).map { _ in alphabet.randomElement() ?? "0" })
    }

    /// 64 hexadecimal digits that are always the same for a text.
    static func digest(_ text: String) -> String {
        var digits = ""
        for salt in 0..<4 {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in Array("\(salt)\(text)\(salt)".utf8) {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
            let part = String(hash, radix: 16)
            digits += String(repeating: "0", count: 16 - part.count) + part
        }
        return digits
    }
}
