/// Which boot of the machine this is.
public enum BootID {
    /// The kernel's random id of this boot, as text: the same until the machine restarts.
    ///
    /// With a process id and its start time it names a process for good. In a container it is the
    /// host's.
    public static func current() throws(RegularFile.Failure) -> String {
        let path = "/proc/sys/kernel/random/boot_id"
        let bytes = try RegularFile.read(at: path, limit: 4096).bytes
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
