import ArgumentParser
import Foundation
import Glibc
import PalFiles
import PalModel
import PalProvider

/// `pal cp`.
struct Cp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy files into an instance or out of it.",
        discussion: """
            One of the two is NAME:PATH with an absolute path, the other a path of this machine, \
            or '-' for a tar archive on standard input or output. What is copied goes into a \
            directory that stands, or gets the name that does not stand yet; 'DIR/.' means what \
            is in DIR.

              pal cp alice:/home/coder/project .
              pal cp ./dotfiles/. alice:/home/coder
              pal cp alice:/home/coder - | gzip > alice.tar.gz
            """)
    @OptionGroup var world: WorldOptions
    @Argument(help: "What is copied: NAME:PATH, a path here, or '-'.") var source: String
    @Argument(help: "Where it goes: NAME:PATH, a path here, or '-'.") var target: String

    private var ends: (from: CopyEnd, to: CopyEnd) { (CopyEnd(source), CopyEnd(target)) }

    func validate() throws {
        switch ends {
        case (.inside(_, let path), .here), (.here, .inside(_, let path)):
            guard path.hasPrefix("/") else {
                throw ValidationError("the path inside must be absolute, as in NAME:/\(path)")
            }
        case (.here, .here):
            throw ValidationError("one of the two must be NAME:PATH")
        case (.inside, .inside):
            throw ValidationError(
                "copy to this machine first: only one of the two may be NAME:PATH")
        }
    }

    func run() async throws {
        // For nobody else to read: what is copied may be secret.
        let directory = FileManager.default.temporaryDirectory.appending(path: "pal-cp-\(UUID())")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: directory) }
        let archive = directory.appending(path: "archive.tar").path
        do {
            switch ends {
            case (.inside(let name, let path), .here(let place)):
                let instance = try await Instance(name, world, archive)
                try await instance.copyOut(CopyPath(path), to: place)
            case (.here(let place), .inside(let name, let path)):
                let instance = try await Instance(name, world, archive)
                try await instance.copyIn(place, to: path)
            default: break
            }
        } catch let failure as ProviderFailure {
            throw CommandFailure("\(failure)")
        } catch let failure as TarProgram.Failure {
            throw CommandFailure(failure.description)
        }
    }

    /// The instance's side of a copy, with the file that everything goes through.
    private struct Instance {
        let name: String
        let provider: any CopyingProvider
        let reference: InstanceReference
        let archive: String

        init(_ name: String, _ world: WorldOptions, _ archive: String) async throws {
            let target = try await Target(name, world)
            guard let provider = target.provider as? any CopyingProvider else {
                throw CommandFailure("provider '\(target.provider.name)' copies no files")
            }
            self.name = name
            self.provider = provider
            self.archive = archive
            reference = target.instance.reference
        }

        // MARK: Out

        func copyOut(_ source: CopyPath, to place: String) async throws {
            if place == "-" {
                try await provider.fetchArchive(reference, source.path, into: archive)
                return try Self.print(archive)
            }
            let kind = try await provider.pathKind(reference, source.path)
            if source.isContents, kind != .directory {
                throw CommandFailure("there is no directory \(name):\(source.path)")
            }
            let here = try destination(of: source, isDirectory: kind == .directory, place)
            try await provider.fetchArchive(reference, source.path, into: archive)
            if here.isNew {
                try FileManager.default.createDirectory(
                    atPath: here.directory, withIntermediateDirectories: false)
            }
            try await TarProgram.unpack(
                archive, root: source.name, as: source.isContents ? nil : here.name,
                in: here.directory)
        }

        /// Where it goes and under which name, and whether that directory must be made first.
        private func destination(
            of source: CopyPath, isDirectory: Bool, _ place: String
        ) throws -> (directory: String, name: String, isNew: Bool) {
            let path = CopyEnd.absolute(place)
            let (parent, name) = RealPath.split(path)
            switch Self.isDirectory(path) {
            case true?: return (path, source.name, false)
            case false?:
                if isDirectory { throw CommandFailure("\(place) is not a directory") }
                return (parent, name, false)
            case nil: break
            }
            guard Self.isDirectory(parent) == true else {
                throw CommandFailure("there is no directory \(parent); make it first")
            }
            if source.isContents { return (path, source.name, true) }
            if place.hasSuffix("/") {
                throw CommandFailure("there is no directory \(place); make it first")
            }
            return (parent, name, false)
        }

        /// Whether a path of this machine leads to a directory; nil where it leads nowhere.
        private static func isDirectory(_ path: String) -> Bool? {
            var isDirectory: ObjCBool = false
            let stands = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            return stands ? isDirectory.boolValue : nil
        }

        private static func print(_ archive: String) throws {
            let file = try FileHandle(forReadingFrom: URL(filePath: archive))
            while let bytes = try file.read(upToCount: 1 << 20), !bytes.isEmpty {
                // Thrown, so that the archive is removed.
                guard StandardStreams.write([UInt8](bytes), to: STDOUT_FILENO) else {
                    throw ExitCode(128 + SIGPIPE)
                }
            }
        }

        private static func readInput(into archive: String) async throws {
            guard FileManager.default.createFile(atPath: archive, contents: nil) else {
                throw CommandFailure("\(archive) cannot be written")
            }
            let file = try FileHandle(forWritingTo: URL(filePath: archive))
            while let bytes = await StandardStreams.read() { try file.write(contentsOf: bytes) }
            try file.close()
        }

        // MARK: In

        func copyIn(_ place: String, to path: String) async throws {
            if place == "-" {
                try await Self.readInput(into: archive)
                return try await provider.storeArchive(reference, archive, in: path)
            }
            let source = CopyPath(CopyEnd.absolute(place, keepingDot: true))
            guard let isDirectory = Self.isDirectory(source.path) else {
                throw CommandFailure("there is no \(place)")
            }
            if source.isContents, !isDirectory {
                throw CommandFailure("\(source.path) is not a directory")
            }
            let (directory, name) = try await destination(
                inside: path, of: source, isDirectory: isDirectory)
            if source.isContents {
                try await TarProgram.pack(source.path + "/.", into: archive)
            } else {
                try await TarProgram.pack(source.path, as: name, into: archive)
            }
            try await provider.storeArchive(reference, archive, in: directory)
        }

        private func destination(
            inside path: String, of source: CopyPath, isDirectory: Bool
        ) async throws -> (directory: String, name: String) {
            switch try await provider.pathKind(reference, path) {
            case .directory: return (path, source.name)
            case .file:
                if isDirectory { throw CommandFailure("\(name):\(path) is not a directory") }
                return RealPath.split(path)
            case nil:
                let (parent, last) = RealPath.split(path)
                guard !source.isContents, !path.hasSuffix("/"),
                    try await provider.pathKind(reference, parent) == .directory
                else {
                    let missing = source.isContents || path.hasSuffix("/") ? path : parent
                    throw CommandFailure(
                        "there is no directory \(name):\(missing); make it first "
                            + "(pal exec \(name) -- mkdir -p \(missing))")
                }
                return (parent, last)
            }
        }
    }
}

/// One of the two ends of a copy.
enum CopyEnd: Equatable {
    case inside(name: String, path: String)
    case here(String)

    /// As docker reads it: what begins with a dot or a slash is a path here, whatever is in it.
    init(_ text: String) {
        guard !text.hasPrefix("."), !text.hasPrefix("/"), let colon = text.firstIndex(of: ":"),
            colon > text.startIndex
        else {
            self = .here(text)
            return
        }
        self = .inside(
            name: String(text[..<colon]), path: String(text[text.index(after: colon)...]))
    }

    /// A path of this machine from its root on.
    static func absolute(_ path: String, keepingDot: Bool = false) -> String {
        let full = URL(filePath: path).standardizedFileURL.path
        let isContents = path == "." || path.hasSuffix("/.")
        return keepingDot && isContents ? full + "/." : full
    }
}

/// A path that is copied: itself, or with `/.` at its end only what is in it.
struct CopyPath: Equatable {
    var path: String
    var isContents: Bool

    init(_ text: String) {
        isContents = text.hasSuffix("/.")
        var path = isContents ? String(text.dropLast(2)) : text
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path.isEmpty ? "/" : path
    }

    var name: String { RealPath.split(path).name }
}
