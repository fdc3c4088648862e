import Glibc

/// Which object on disk a path leads to: two paths with one identity are one file or directory.
public struct FileIdentity: Hashable, Sendable {
    /// The device.
    public let device: UInt64
    /// The inode on that device. The kernel may give it to another file after a deletion.
    public let inode: UInt64

    /// Makes one of its parts.
    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// What tells one state of a file from another without reading it.
///
/// Equal fingerprints mean equal bytes only when the file had not been changed for longer than the
/// clock tick of its file system: see `isRacy(at:)`. Writes through a shared mapping may be seen
/// late.
public struct FileFingerprint: Hashable, Sendable {
    /// What kind of thing it is.
    public enum Kind: Hashable, Sendable {
        case file, directory, link, fifo, socket, device
    }

    /// Device and inode.
    public let identity: FileIdentity
    /// What it is. Never `link` where links were followed.
    public let kind: Kind
    /// Bytes.
    public let size: Int64
    /// When the content was last modified: nanoseconds since 1970, by the file system's clock.
    public let modified: Int64
    /// When content or attributes were last changed: the same unit. Unlike `modified` it cannot be
    /// set.
    public let changed: Int64

    /// The state of what `path` leads to.
    ///
    /// - Parameter followingLinks: false looks at a symbolic link itself.
    public init(at path: String, followingLinks: Bool = true) throws(SystemError) {
        var info = stat()
        _ = try retrying("look at", path) {
            followingLinks ? stat(path, &info) : lstat(path, &info)
        }
        self.init(info)
    }

    /// The state of a file that is on no disk.
    public init(identity: FileIdentity, kind: Kind, size: Int64, modified: Int64, changed: Int64) {
        self.identity = identity
        self.kind = kind
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    /// The state of an open file.
    init(descriptor: CInt, path: String) throws(SystemError) {
        var info = stat()
        _ = try retrying("look at", path) { fstat(descriptor, &info) }
        self.init(info)
    }

    private init(_ info: stat) {
        identity = FileIdentity(device: UInt64(info.st_dev), inode: UInt64(info.st_ino))
        size = Int64(info.st_size)
        modified = Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec)
        changed = Int64(info.st_ctim.tv_sec) * 1_000_000_000 + Int64(info.st_ctim.tv_nsec)
        kind =
            switch info.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .link
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            default: .device
            }
    }

    /// How long a change must lie back before an equal fingerprint is believed for good. Two writes
    /// in one tick of the clock that stamps files leave the same stamp, and that can be another
    /// machine's clock.
    public static let racyWindow: Int64 = 50_000_000

    /// Two ticks of this kernel's clock for files (1 to 10 ms each): a change that lies back so far
    /// has another stamp than the next one, where this kernel stamps.
    public static let twoTicks = min(max(2 * tick, 8_000_000), racyWindow)

    private static let tick: Int64 = {
        var tick = timespec()
        clock_getres(CLOCK_REALTIME_COARSE, &tick)
        return nanoseconds(tick)
    }()

    /// True when the last change is so near to `now` that another one could hide behind it.
    ///
    /// A stamp in the future (a clock was set back) is not racy: the next write gives a smaller
    /// one.
    public func isRacy(at now: Int64) -> Bool {
        abs(now &- modified) < Self.racyWindow || abs(now &- changed) < Self.racyWindow
    }

    /// Until when it is fresh, where it last changed during a look, or less than two ticks before
    /// or after; nil where it did not.
    public func freshUntil(during look: ClosedRange<Int64>) -> Int64? {
        let (first, last) = (look.lowerBound &- Self.twoTicks, look.upperBound &+ Self.twoTicks)
        return [modified, changed].filter { $0 > first && $0 < last }.max().map {
            $0 &+ Self.twoTicks
        }
    }

    /// The time by the clock whose ticks kernels stamp files with: nanoseconds since 1970.
    ///
    /// Where a tick comes late, the time stands still one tick after the last one: what lies back
    /// two ticks by it has another stamp than the next change.
    public static func currentTime() -> Int64 {
        var (stamp, time) = (timespec(), timespec())
        clock_gettime(CLOCK_REALTIME_COARSE, &stamp)
        clock_gettime(CLOCK_REALTIME, &time)
        return min(nanoseconds(time), nanoseconds(stamp) + tick)
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
