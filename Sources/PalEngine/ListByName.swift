internal import PalModel

/// A list of objects, and which of them bear a name.
struct ListByName {
    private let instances: [VSCodeInstance]
    /// Nil as long as every object is where its key saw it in the list before, which is so of
    /// nearly every list: then no name is looked up.
    private var index: Index?

    /// Whether it is a list of everything, whose places are worth remembering.
    private let isWhole: Bool

    init(_ instances: [VSCodeInstance], isWhole: Bool) {
        self.instances = instances
        self.isWhole = isWhole
    }

    /// What the list says of a name.
    struct News {
        /// How many objects bear it.
        var objects: Int
        /// Whether something else was known.
        var isNews: Bool
    }

    /// By the place of the key. Of many names next to none has changed, and to compare them all is
    /// most of the work.
    mutating func news(to keys: [Key], of provider: String) -> [News] {
        if index == nil {
            let news = compare(keys, provider)
            // No two of these bear one name, so where all are found none has another.
            if news.reduce(0, { $0 + $1.objects }) == instances.count { return news }
        }
        let index = lookUp()
        if isWhole { for key in keys { key.place = index.first[key.name] ?? 0 } }
        return compare(keys, provider)
    }

    /// The names that are borne.
    mutating func names() -> some Collection<String> { lookUp().first.keys }

    /// The objects that bear a key's name.
    subscript(key: Key) -> ArraySlice<VSCodeInstance> {
        if let place = place(of: key) { return instances[place...place] }
        return index?.several[key.name]?[...] ?? []
    }

    private func compare(_ keys: [Key], _ provider: String) -> [News] {
        instances.withUnsafeBufferPointer { list in
            keys.mapInParallel { key in
                guard let place = place(of: key), let start = list.baseAddress else {
                    let all = self[key]
                    return News(objects: all.count, isNews: !key.hasExactly(all, at: provider))
                }
                // In place: what is nearly always the same is not copied for that.
                return News(objects: 1, isNews: !key.hasOnly(start + place, at: provider))
            }
        }
    }

    /// Where the only object is that bears a key's name; nil where there is none or more.
    private func place(of key: Key) -> Int? {
        if let index { return index.several[key.name] == nil ? index.first[key.name] : nil }
        return key.place < instances.count && instances[key.place].name == key.name
            ? key.place : nil
    }

    private mutating func lookUp() -> Index {
        let found = index ?? Index(instances)
        index = found
        return found
    }

    /// The objects by name. Nearly every name has one, and none is copied for that.
    private struct Index {
        private(set) var first: [String: Int]
        private(set) var several: [String: [VSCodeInstance]] = [:]

        init(_ instances: [VSCodeInstance]) {
            first = Dictionary(minimumCapacity: instances.count)
            for index in instances.indices {
                let name = instances[index].name
                guard let other = first.updateValue(index, forKey: name) else { continue }
                several[name, default: [instances[other]]].append(instances[index])
            }
        }
    }
}
