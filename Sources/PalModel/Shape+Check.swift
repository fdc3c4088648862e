/// One step from a value to a value inside it.
public enum PathStep: Sendable, Hashable, Comparable {
    /// The value behind a map's key.
    case key(String)
    /// A list's element, from 0.
    case index(Int)
}

/// Something wrong with a value, at a path inside the document.
public struct FieldProblem: Sendable, Hashable {
    /// The way from the document to the value.
    public var path: [PathStep]
    /// Whether the key itself is wrong and not what stands behind it.
    public var isAboutKey: Bool
    /// What is wrong and what to write instead.
    public var message: String

    /// Makes one of its parts.
    public init(_ path: [PathStep], _ message: String, isAboutKey: Bool = false) {
        self.path = path
        self.isAboutKey = isAboutKey
        self.message = message
    }

    /// `ports[0].internal`, as messages name it.
    public static func text(of path: [PathStep]) -> String {
        path.reduce(into: "") { text, step in
            switch step {
            case .key(let key): text += text.isEmpty ? key : ".\(key)"
            case .index(let index): text += "[\(index)]"
            }
        }
    }
}

extension Shape {
    /// Every way in which a value breaks this shape; empty where it fits.
    public func problems(of value: Value, at path: [PathStep] = []) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        var path = path
        check(value, at: &path, &problems)
        return problems.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    }

    /// Adds every way in which a value breaks this shape, in no order.
    ///
    /// - Parameter path: The way to the value; as it was when the call ends.
    func check(_ value: Value, at path: inout [PathStep], _ problems: inout [FieldProblem]) {
        if fits(value) { return }
        switch (self, value) {
        case (.choice(let names), .string(let text)):
            problems.append(choiceProblem(text, names, path))
        case (.list(let element), .list(let items)):
            for (index, item) in items.enumerated() {
                path.append(.index(index))
                element.check(item, at: &path, &problems)
                path.removeLast()
            }
        case (.map(let rule, let element), .map(let entries)):
            for (key, value) in entries {
                path.append(.key(key))
                if !rule.accepts(key) {
                    problems.append(
                        FieldProblem(
                            path, "'\(key)' is not a valid key: \(rule.expectation)",
                            isAboutKey: true))
                }
                element.check(value, at: &path, &problems)
                path.removeLast()
            }
        case (.object(let members), .map(let entries)):
            checkObject(entries, members, &path, &problems)
        default: problems.append(mismatch(value, path))
        }
    }

    /// Whether a single value fits. False of what holds others: they are looked at one by one.
    private func fits(_ value: Value) -> Bool {
        switch (self, value) {
        case (.anything, _), (.flag, .bool): true
        case (.text(let rule), .string(let text)): rule.accepts(text)
        case (.text(let rule), .int(let number)): rule.accepts(String(number))
        case (.integer(let range), .int(let number)): range.contains(number)
        case (.number(let range), .int(let number)): range.contains(Double(number))
        case (.number(let range), .double(let number)): range.contains(number)
        case (.choice(let names), .string(let text)): names.contains(text)
        case (.span, _): TimeSpan(value) != nil
        default: false
        }
    }

    private func checkObject(
        _ entries: [String: Value], _ members: [Member], _ path: inout [PathStep],
        _ problems: inout [FieldProblem]
    ) {
        for (key, value) in entries {
            path.append(.key(key))
            if let member = members.first(where: { $0.name == key }) {
                member.shape.check(value, at: &path, &problems)
            } else {
                let message = Suggestion.unknownKey(key, known: members.map(\.name))
                problems.append(FieldProblem(path, message, isAboutKey: true))
            }
            path.removeLast()
        }
        for member in members where member.isRequired && entries[member.name] == nil {
            problems.append(
                FieldProblem(path, "\(FieldProblem.text(of: path)) needs '\(member.name)'"))
        }
    }

    private func choiceProblem(
        _ text: String, _ names: [String], _ path: [PathStep]
    ) -> FieldProblem {
        let hint =
            Suggestion.nearest(to: text, among: names).map { "; did you mean '\($0)'?" } ?? ""
        return FieldProblem(
            path,
            "\(FieldProblem.text(of: path)) must be \(expectation), not '\(text.shortened)'\(hint)")
    }

    private func mismatch(_ value: Value, _ path: [PathStep]) -> FieldProblem {
        // Where structure is expected a text may be a secret in the wrong place: it is not
        // repeated.
        let shown =
            switch (self, value) {
            case (.object, _), (.map, _), (.list, _): value.kindName
            case (_, .string(let text)): "'\(text.shortened)'"
            case (_, .int), (_, .double), (_, .bool): value.canonicalJSON
            default: value.kindName
            }
        var hint = ""
        if case .text = self {
            switch value {
            case .double, .bool: hint = "; write it in quotes"
            case .null: hint = "; give it a value or remove the key"
            default: break
            }
        } else if case .null = value {
            hint = "; give it a value or remove the key"
        }
        return FieldProblem(
            path, "\(FieldProblem.text(of: path)) must be \(expectation), not \(shown)\(hint)")
    }

    /// What a message says is expected.
    public var expectation: String {
        switch self {
        case .text(let rule): return rule.expectation
        case .integer(let range):
            return range.upperBound == .max
                ? "a whole number of at least \(range.lowerBound)"
                : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range):
            return "a number from \(Value.double(range.lowerBound).canonicalJSON)"
                + " to \(Value.double(range.upperBound).canonicalJSON)"
        case .flag: return "true or false"
        case .choice(let names):
            return names.count == 1
                ? names[0]
                : names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
        case .span: return "a length of time such as 10s, 5m or 1h30m"
        case .list: return "a list"
        case .map, .object: return "a map"
        case .anything: return "anything"
        }
    }
}

extension String {
    /// At most 60 characters, so that a message stays one line.
    var shortened: String {
        let clean = String(map { $0.isNewline ? " " : $0 })
        return clean.count <= 60 ? clean : clean.prefix(57) + "…"
    }
}
