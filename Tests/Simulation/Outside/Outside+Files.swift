import PalSpecs
import PalModel

/// What people and programs do to the files.
extension Outside {
    /// The path and place of a random declaration.
    private func anyDocument() -> (path: String, index: Int, config: InstanceConfig)? {
        let all = tree.paths.flatMap { path in
            (tree.files[path]?.documents ?? []).enumerated().map { (path, $0.offset, $0.element) }
        }
        return random.value.pick(all)
    }

    func addSpec() {
        let used = Set(tree.documents.map(\.name))
        guard let name = random.value.pick(writer.value.names.filter { !used.contains($0) })
        else { return changeSpec() }
        let path =
            random.value.chance(0.7)
            ? writer.value.path(name) : random.value.pick(tree.paths, or: writer.value.path(name))
        tree.write(path, (tree.files[path]?.documents ?? []) + [writer.value.config(name)])
    }

    func changeSpec() {
        guard let (path, index, config) = anyDocument() else { return }
        var documents = tree.files[path]?.documents ?? []
        documents[index] = writer.value.changed(config)
        tree.write(path, documents)
    }

    func removeSpec() {
        guard let (path, index, _) = anyDocument() else { return }
        var documents = tree.files[path]?.documents ?? []
        documents.remove(at: index)
        if documents.isEmpty { tree.remove(path) } else { tree.write(path, documents) }
    }

    func strikeFiles(_ fault: Fault) -> Bool {
        switch fault {
        case .tornFile: return tear()
        case .brokenFile: return breakFile()
        case .duplicateName: return duplicate()
        case .movedFile: return move()
        case .symlinkSwap:
            var next = tree.files
            for path in tree.paths where random.value.chance(0.5) {
                guard var file = next[path] else { continue }
                file.documents = file.documents.map { writer.value.changed($0) }
                file.form = .good
                file.lastGood = file.names
                next[path] = file
            }
            tree.swap(to: next, halfway: random.value.time(1...120))
            return true
        case .massRemoval:
            for path in tree.paths where random.value.chance(0.8) { tree.remove(path) }
            return true
        default: return loseDirectory(fault)
        }
    }

    /// A file is written in two parts.
    private func tear() -> Bool {
        guard let (path, index, config) = anyDocument() else { return false }
        var documents = tree.files[path]?.documents ?? []
        documents[index] = writer.value.changed(config)
        let share = Double(random.value.number(0...99)) / 100
        let time =
            random.value.chance(0.7)
            ? random.value.time(1...400) : random.value.time(400...5000)
        tree.write(path, documents, .torn(keeping: share))
        later(time) { [tree, documents] in tree.write(path, documents) }
        return true
    }

    /// The rest of a deed; none where everything was put in order before that.
    private func later(_ time: Duration, _ rest: @escaping @Sendable () -> Void) {
        clock.after(time) { [faults] in
            if !faults.isOver { rest() }
        }
    }

    private func breakFile() -> Bool {
        guard let (path, index, _) = anyDocument() else { return false }
        let documents = tree.files[path]?.documents ?? []
        let forms: [SpecFile.Form] = [.garbage, .strange(index), .blabbing(index)]
        let form = random.value.pick(forms, or: .garbage)
        tree.write(path, documents, form)
        mendLater(path)
        return true
    }

    /// Somebody notices, after a while or not before the end.
    private func mendLater(_ path: String) {
        guard random.value.chance(0.6) else { return }
        clock.after(random.value.time(1000...30_000)) { [self] in
            guard let file = tree.files[path], file.form != .good else { return }
            tree.write(path, file.documents)
        }
    }

    private func duplicate() -> Bool {
        guard let (_, _, config) = anyDocument() else { return false }
        let copy = "copy-of-\(config.name).yaml"
        guard tree.files[copy] == nil else { return false }
        tree.write(copy, [random.value.chance(0.5) ? config : writer.value.changed(config)])
        guard random.value.chance(0.6) else { return true }
        later(random.value.time(1000...30_000)) { [tree] in tree.remove(copy) }
        return true
    }

    /// A file is renamed; as some do it, it is gone for a moment, or there twice.
    private func move() -> Bool {
        guard let path = random.value.pick(tree.paths), let file = tree.files[path],
            file.form == .good
        else { return false }
        let other = "moved-\(path)"
        guard tree.files[other] == nil else { return false }
        let gap = random.value.time(0...120)
        switch random.value.number(0...2) {
        case 0: tree.move(path, to: other)
        case 1:
            tree.remove(path)
            clock.after(gap) { [self] in tree.write(other, file.documents) }
        default:
            tree.write(other, file.documents)
            later(gap) { [tree] in tree.remove(path) }
        }
        return true
    }

    private func loseDirectory(_ fault: Fault) -> Bool {
        let time = random.value.time(100...20_000)
        switch fault {
        case .missingDirectory: tree.set(.missing)
        case .unreadableDirectory: tree.set(.unreadable("permission denied"))
        case .emptyDirectory: tree.cover(true)
        default:
            guard let path = random.value.pick(tree.paths) else { return false }
            tree.setReadable(path, false)
            clock.after(time) { [self] in tree.setReadable(path, true) }
            return true
        }
        clock.after(time) { [self] in
            tree.set(.available)
            tree.cover(false)
        }
        return true
    }

    /// Everything in the files is put in order: what is broken is mended, one of two goes.
    func mendFiles() {
        tree.endSwap()
        tree.set(.available)
        tree.cover(false)
        var seen: Set<String> = []
        for path in tree.paths {
            guard let file = tree.files[path] else { continue }
            let left = file.documents.filter { document in
                let names = document.instances.map(\.name) + [document.name]
                guard seen.isDisjoint(with: names) else { return false }
                seen.formUnion(names)
                return true
            }
            if left.isEmpty {
                tree.remove(path)
            } else if left != file.documents || file.form != .good || !file.isReadable {
                tree.write(path, left)
            }
        }
        // An empty directory is believed only where it is the one that had the files.
        if tree.files.isEmpty {
            var config = InstanceConfig(name: "nobody")
            config.state = .absent
            tree.write("nobody.yaml", [config])
        }
    }
}
