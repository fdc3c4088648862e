public import FoundationEssentials

/// A machine as it was at one moment.
public struct MachineSnapshot: Sendable, Hashable {
    /// Fourteen hexadecimal digits.
    public var id: String
    /// Unique among the app's live machines.
    public var name: String
    /// One word, such as `started`.
    public var state: String
    /// Three letters.
    public var region: String
    /// Its `instance_id`.
    public var version: String
    /// What was asked for last, as JSON.
    public var config: Data
    /// The ids of the volumes it mounts.
    public var volumes: [String]
    /// The outer ports of its services; other machines may have the same.
    public var ports: Set<Int>
    /// What `config.files` put there at its last start, by guest path.
    public var files: [String: Data]
    /// The directory that stands for its root file system.
    public var directory: String
}

/// A volume as it was at one moment.
public struct VolumeSnapshot: Sendable, Hashable {
    /// Begins with `vol_`.
    public var id: String
    /// Need not be unique.
    public var name: String
    /// Three letters.
    public var region: String
    /// Its size.
    public var sizeGB: Int
    /// One word, such as `created`.
    public var state: String
    /// The machine that has it.
    public var attachedMachine: String?
    /// The directory that stands for its file system.
    public var directory: String
}
