import PalFiles
import PalModel

/// One pass over a directory tree: which spec files it has now, and on what that answer depends.
///
/// Nothing is read but directories and links. Files and directories are reached by their visible
/// names; a symbolic link leads into what is hidden (a ConfigMap's `..data`, git-sync's worktree),
/// a plain hidden name is never entered. What two names lead to is taken once, by its real name
/// where it has one in the tree, which also ends loops.
struct TreeWalk {
    /// What the walk is about to depend on.
    enum Interest: Hashable {
        /// Every name in the directory, and what its files contain.
        case everything
        /// Where one name leads to.
        case entry(String)
        /// Where one name leads to, and what it contains.
        case content(String)
    }

    /// A spec file that was found.
    struct File {
        /// The path below the root, by its visible name.
        let path: String
        /// Where it is read.
        let absolute: String
        let fingerprint: FileFingerprint
    }

    /// A symbolic link that was followed, or the root.
    private struct Link {
        let absolute: String
        let identity: FileIdentity
    }

    /// The most names that are looked at, hidden ones too.
    static let maximumNames = 100_000

    private(set) var state = SourceState.available
    private(set) var identity: FileIdentity?
    private(set) var files: [File] = []
    /// Paths below the root, of files or directories, that could not be looked at.
    private(set) var unread: [String] = []
    private(set) var problems: [Diagnostic] = []

    private let root: String
    private let followsLinksOutside: Bool
    private let observe: (_ directory: String, Interest) -> Void
    private var directories: [(absolute: String, fingerprint: FileFingerprint)] = []
    private var links: [Link] = []
    private var seen: Set<FileIdentity> = []
    private var names = 0
    private var vanished = false

    /// Walks the tree.
    ///
    /// - Parameter observe: told of each dependency *before* it is looked at, so that a watch that
    /// is set in it misses nothing.
    init(
        root: String, followsLinksOutside: Bool = true,
        observe: @escaping (_ directory: String, Interest) -> Void = { _, _ in }
    ) {
        self.root = root
        self.followsLinksOutside = followsLinksOutside
        self.observe = observe
        do throws(SystemError) {
            let resolved = try RealPath.resolve(root) { observe($0, .entry($1)) }
            let fingerprint = try FileFingerprint(at: resolved)
            guard fingerprint.kind == .directory else {
                state = .notADirectory
                return
            }
            identity = fingerprint.identity
            links.append(Link(absolute: root, identity: fingerprint.identity))
            walk(resolved)
        } catch {
            state = SourceState(error)
        }
        files.sort { $0.path < $1.path }
        unread.sort()
    }

    /// False where a directory or a link has changed since it was looked at: what was found may be
    /// a mixture of two states.
    func isStillTrue() -> Bool {
        !vanished
            && links.allSatisfy { (try? FileFingerprint(at: $0.absolute))?.identity == $0.identity }
            && directories.allSatisfy { (try? FileFingerprint(at: $0.absolute)) == $0.fingerprint }
    }

    /// Until when a directory's fingerprint could hide another change, because the last one was so
    /// recent; nil where none could.
    func freshUntil(during look: ClosedRange<Int64>) -> Int64? {
        directories.compactMap { $0.fingerprint.freshUntil(during: look) }.max()
    }

    // MARK: - The walk

    private mutating func walk(_ root: String) {
        // Real names before links, so that a link to a place in the tree does not rename it.
        var pending = [(absolute: root, path: "")]
        var pendingLinks: [(absolute: String, path: String)] = []
        while true {
            if let directory = pending.popLast() {
                list(directory, &pending, &pendingLinks)
            } else if !pendingLinks.isEmpty {
                pendingLinks.sort { $0.path > $1.path }
                follow(pendingLinks.removeLast(), from: root, &pending)
            } else {
                return
            }
            if names > Self.maximumNames {
                state = .unreadable("more than \(Self.maximumNames) names: not a specs directory?")
                return
            }
        }
    }

    private mutating func list(
        _ directory: (absolute: String, path: String),
        _ pending: inout [(absolute: String, path: String)],
        _ pendingLinks: inout [(absolute: String, path: String)]
    ) {
        observe(directory.absolute, .everything)
        do throws(SystemError) {
            let fingerprint = try FileFingerprint(at: directory.absolute)
            guard seen.insert(fingerprint.identity).inserted else { return }
            directories.append((directory.absolute, fingerprint))
            for name in try Directory.names(in: directory.absolute) {
                names += 1
                guard case .text(let name) = name else {
                    skipUnnameable(name, in: directory.path)
                    continue
                }
                guard !SpecNames.isHidden(name) else { continue }
                let absolute = RealPath.join(directory.absolute, name)
                let path = RealPath.join(directory.path, name)
                do {
                    let found = try FileFingerprint(at: absolute, followingLinks: false)
                    switch found.kind {
                    case .directory: pending.append((absolute, path))
                    case .link: pendingLinks.append((absolute, path))
                    default: take(path, absolute, found)
                    }
                } catch {
                    // It was listed a moment ago.
                    vanished = true
                }
            }
        } catch {
            if directory.path.isEmpty { state = SourceState(error) }
            skip(directory.path, "the directory cannot be read: \(error.reason)")
        }
    }

    private mutating func follow(
        _ link: (absolute: String, path: String), from root: String,
        _ pending: inout [(absolute: String, path: String)]
    ) {
        do throws(SystemError) {
            let observe = observe
            let target = try RealPath.resolve(link.absolute) { observe($0, .content($1)) }
            let found = try FileFingerprint(at: target)
            let isSpec = SpecNames.isSpec(
                link.path.split(separator: "/").last.map(String.init) ?? "")
            guard found.kind == .directory || isSpec else { return }
            links.append(Link(absolute: link.absolute, identity: found.identity))
            guard followsLinksOutside || target == root || target.hasPrefix(root + "/") else {
                skip(
                    link.path,
                    "the link leads out of the specs directory, which is not allowed here")
                return
            }
            if found.kind == .directory {
                pending.append((target, link.path))
            } else if !seen.contains(found.identity) {
                take(link.path, target, found)
            }
        } catch {
            skip(link.path, "the link leads nowhere: \(error.reason)")
        }
    }

    private mutating func take(_ path: String, _ absolute: String, _ found: FileFingerprint) {
        guard SpecNames.isSpec(path.split(separator: "/").last.map(String.init) ?? "") else {
            return
        }
        guard found.kind == .file else {
            skip(path, "not a regular file but a \(found.kind): it is not read")
            return
        }
        // Hard links are two files that happen to be equal: both stay.
        seen.insert(found.identity)
        files.append(File(path: path, absolute: absolute, fingerprint: found))
    }

    private mutating func skipUnnameable(_ name: Directory.Name, in directory: String) {
        guard case .notUTF8(let name) = name, SpecNames.isSpec(name) else { return }
        skip(RealPath.join(directory, name), "the file's name is not UTF-8: rename it")
    }

    private mutating func skip(_ path: String, _ message: String) {
        unread.append(path)
        problems.append(Diagnostic(SourceLocation(file: path.isEmpty ? root : path), message))
    }
}
