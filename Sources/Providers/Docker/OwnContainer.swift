import FoundationEssentials
import PalProvider

/// The container that pal itself runs in, where it does.
///
/// Whatever asks for it, pal does not stop or delete that one: it would end in the middle of the
/// change, and nobody would be left to finish it.
enum OwnContainer {
    /// Its id; nil where pal runs on the host, or the kernel does not tell.
    static let id = FileManager.default.contents(atPath: "/proc/self/mountinfo").flatMap {
        id(mountInfo: String(decoding: $0, as: UTF8.self))
    }

    /// Docker and Podman mount `/etc/hostname` from a directory that is named after the container.
    ///
    /// - Parameter mountInfo: As proc(5) has it: the fourth field is the mounted directory or file,
    ///   the fifth is where.
    static func id(mountInfo: String) -> String? {
        for line in mountInfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 4, fields[4] == "/etc/hostname" else { continue }
            return fields[3].split(separator: Character("/"))
                .last { $0.count == 64 && $0.allSatisfy(\.isHexDigit) }
                .map(String.init)
        }
        return nil
    }
}

extension DockerProvider {
    func refuseItself(_ id: String) throws(ProviderFailure) {
        guard id == ownContainer else { return }
        throw .instance(
            .wrongState,
            "pal itself runs in the container \(id.prefix(12)), and neither stops nor deletes it; "
                + "run pal elsewhere, or keep its spec with suspend: true", isRetryable: false)
    }
}
