import Glibc
import PalFiles
import Synchronization

/// The watches that a specs directory needs: on each of its directories, and on every directory in
/// which a name on the way to it, or to the end of one of its links, is looked up.
///
/// `sync` is level-triggered as everything else: it walks anew and sets what is needed now. A watch
/// is set before the directory is listed, so a name that comes later is seen.
final class WatchSet: Sendable {
    private struct Watched {
        var mask: InotifyEvent.Mask
        var everything = false
        var names: Set<String> = []
    }

    /// Where the events come from.
    let inotify: Inotify
    private let maximum: Int
    private let watches = Mutex<[Inotify.Watch: Watched]>([:])

    /// - Parameter maximum: the most directories to watch.
    init(maximum: Int) throws(SystemError) {
        self.maximum = maximum
        inotify = try Inotify()
    }

    /// Sets the watches that `root` needs now, and drops the others. Blocks while it walks.
    ///
    /// - Returns: why something cannot be watched; nil where everything is.
    func sync(root: String, followsLinksOutside: Bool) -> String? {
        var wanted: [Inotify.Watch: Watched] = [:]
        var failure: String?
        // A directory is asked for once for each name in it that matters.
        var known: [String: Inotify.Watch] = [:]
        _ = TreeWalk(root: root, followsLinksOutside: followsLinksOutside) { directory, interest in
            let mask: InotifyEvent.Mask = if case .entry = interest { .names } else { .contents }
            do throws(SystemError) {
                let watch: Inotify.Watch
                if let old = known[directory], wanted[old]?.mask.isSuperset(of: mask) == true {
                    watch = old
                } else {
                    guard wanted.count < self.maximum else {
                        failure = "more than \(self.maximum) directories"
                        return
                    }
                    watch = try self.add(directory, mask, &wanted)
                    known[directory] = watch
                }
                switch interest {
                case .everything: wanted[watch]?.everything = true
                case .entry(let name), .content(let name): wanted[watch]?.names.insert(name)
                }
            } catch {
                failure = Self.remedy(error) ?? failure
            }
        }
        drop(allBut: wanted)
        return failure
    }

    /// Whether these events can mean that the tree has changed; nil where they cannot.
    func reason(in events: [InotifyEvent]) -> TreeWatcher.Reason? {
        watches.withLock { watches in
            events.compactMap { Self.reason($0, watches[$0.watch]) }.max()
        }
    }

    /// How many directories are watched.
    var count: Int { watches.withLock { $0.count } }

    private func add(
        _ directory: String, _ mask: InotifyEvent.Mask, _ wanted: inout [Inotify.Watch: Watched]
    ) throws(SystemError) -> Inotify.Watch {
        // The kernel gives one number for one directory, whatever the path, and the last mask
        // counts. The way to the root is walked first, so a narrow mask never follows a wide one.
        let watch = try inotify.watch(directory, for: mask)
        wanted[watch, default: Watched(mask: mask)].mask = mask
        return watch
    }

    private func drop(allBut wanted: [Inotify.Watch: Watched]) {
        let old = watches.withLock { watches in
            defer { watches = wanted }
            return watches.keys.filter { wanted[$0] == nil }
        }
        for watch in old { inotify.unwatch(watch) }
    }

    private static func reason(_ event: InotifyEvent, _ watched: Watched?) -> TreeWatcher.Reason? {
        if event.mask.contains(.overflow) { return .overflow }
        // Said after a watch was dropped; whatever was the cause had an event of its own.
        if event.mask.contains(.ignored) { return nil }
        // Newer than our list: it may be anything.
        guard let watched, let name = event.name else { return .changed }
        if watched.names.contains(name) { return .changed }
        guard watched.everything, !SpecNames.isHidden(name) else { return nil }
        let isEntry = !event.mask.isDisjoint(with: .names)
        // A file that is no spec can still be a link to a directory, when its name comes or goes.
        return SpecNames.isSpec(name) || event.mask.contains(.directory) || isEntry ? .changed : nil
    }

    /// Why polling is needed; nil where the walk deals with it, or nobody can.
    private static func remedy(_ error: SystemError) -> String? {
        switch error.code {
        // Gone since, or not a directory: the walk says what becomes of that.
        case ENOENT, ENOTDIR, ELOOP: nil
        case ENOSPC: "the system's watches are used up: raise fs.inotify.max_user_watches"
        default: error.description
        }
    }
}
