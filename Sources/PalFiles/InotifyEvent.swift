import Glibc

/// One thing that happened in a watched directory, or to a watch.
public struct InotifyEvent: Hashable, Sendable {
    /// What happened, as the kernel's bits: inotify(7).
    public struct Mask: OptionSet, Hashable, Sendable {
        /// The kernel's bits.
        public let rawValue: UInt32

        /// Of the kernel's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        private init(_ bit: some BinaryInteger) {
            self.init(rawValue: UInt32(truncatingIfNeeded: bit))
        }

        /// Permissions, times, owner or the link count changed.
        public static let attributes = Mask(IN_ATTRIB)
        /// A file that was open for writing was closed.
        public static let written = Mask(IN_CLOSE_WRITE)
        /// Content changed; many for one save.
        public static let modified = Mask(IN_MODIFY)
        /// A name appeared.
        public static let created = Mask(IN_CREATE)
        /// A name went.
        public static let deleted = Mask(IN_DELETE)
        /// A name was moved out.
        public static let movedFrom = Mask(IN_MOVED_FROM)
        /// A name was moved in.
        public static let movedTo = Mask(IN_MOVED_TO)
        /// The watched object itself was deleted.
        public static let deletedSelf = Mask(IN_DELETE_SELF)
        /// The watched object itself was moved.
        public static let movedSelf = Mask(IN_MOVE_SELF)

        /// Names coming and going, and the directory's own fate.
        public static let names: Mask = [
            .created, .deleted, .movedFrom, .movedTo, .deletedSelf, .movedSelf,
        ]
        /// Everything that can change what a reader of the directory's files sees.
        public static let contents: Mask = [.names, .attributes, .written, .modified]

        /// Reported, never asked for: the watch is gone (removed, deleted, unmounted).
        public static let ignored = Mask(IN_IGNORED)
        /// Reported, never asked for: the file system was unmounted.
        public static let unmounted = Mask(IN_UNMOUNT)
        /// Reported, never asked for: the kernel's queue was full and events are lost.
        public static let overflow = Mask(IN_Q_OVERFLOW)
        /// Reported beside another bit: the name is a directory's.
        public static let directory = Mask(IN_ISDIR)
    }

    /// Which watch it belongs to; −1 for an overflow.
    public let watch: Inotify.Watch
    /// What happened.
    public let mask: Mask
    /// The entry's name in the watched directory; nil where it is about the directory itself.
    public let name: String?

    /// An event as the kernel would report it.
    public init(watch: Inotify.Watch, mask: Mask, name: String?) {
        self.watch = watch
        self.mask = mask
        self.name = name
    }

    /// The overflow that stands for every event that was dropped.
    static let overflowed = InotifyEvent(watch: -1, mask: .overflow, name: nil)

    /// The events in what one `read` returned.
    static func decode(_ buffer: UnsafeRawBufferPointer) -> [InotifyEvent] {
        var events: [InotifyEvent] = []
        var offset = 0
        let header = MemoryLayout<inotify_event>.size
        while offset + header <= buffer.count {
            let event = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let length = Int(event.len)
            guard offset + header + length <= buffer.count else { break }
            let name = buffer[(offset + header)..<(offset + header + length)].prefix { $0 != 0 }
            events.append(
                InotifyEvent(
                    watch: event.wd, mask: Mask(rawValue: event.mask),
                    name: name.isEmpty ? nil : String(decoding: name, as: UTF8.self)))
            offset += header + length
        }
        return events
    }
}
