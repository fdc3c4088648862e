/// One step from a value to a value inside it.
public enum PathStep: Sendable, Hashable {
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
        switch (self, value) {
        case (.anything, _), (.flag, .bool): return []
        case (.text(let rule), .string(let text)):
            return rule.accepts(text) ? [] : [mismatch(value, path)]
        case (.text(let rule), .int(let number)):
            return rule.accepts(String(number)) ? [] : [mismatch(value, path)]
        case (.integer(let range), .int(let number)):
            return range.contains(number) ? [] : [mismatch(value, path)]
        case (.number(let range), .int(let number)):
            return range.contains(Double(number)) ? [] : [mismatch(value, path)]
        case (.number(let range), .double(let number)):
            return range.contains(number) ? [] : [mismatch(value, path)]
        case (.choice(let names), .string(let text)):
            return names.contains(text) ? [] : [choiceProblem(text, names, path)]
        case (.span, _):
            return TimeSpan(value) == nil ? [mismatch(value, path)] : []
        case (.list(let element), .list(let items)):
            return items.enumerated().flatMap { index, item in
                element.problems(of: item, at: path + [.index(index)])
            }
        case (.map(let rule, let element), .map(let entries)):
            return mapProblems(entries, rule, element, path)
        case (.object(let members), .map(let entries)):
            return objectProblems(entries, members, path)
        default: return [mismatch(value, path)]
        }
    }

    private func mapProblems(
        _ entries: [String: Value], _ rule: TextRule, _ element: Shape, _ path: [PathStep]
    ) -> [FieldProblem] {
        entries.sorted { $0.key < $1.key }.flatMap { key, value in
            let here = path + [.key(key)]
            let keyProblems =
                rule.accepts(key)
                ? []
                : [
                    FieldProblem(
                        here, "'\(key)' is not a valid key: \(rule.expectation)", isAboutKey: true)
                ]
            return keyProblems + element.problems(of: value, at: here)
        }
    }

    private func objectProblems(
        _ entries: [String: Value], _ members: [Member], _ path: [PathStep]
    ) -> [FieldProblem] {
        let names = members.map(\.name)
        let wrong = entries.sorted { $0.key < $1.key }.flatMap { key, value in
            let here = path + [.key(key)]
            guard let member = members.first(where: { $0.name == key }) else {
                return [
                    FieldProblem(here, Suggestion.unknownKey(key, known: names), isAboutKey: true)
                ]
            }
            return member.shape.problems(of: value, at: here)
        }
        let missing = members.filter { $0.isRequired && entries[$0.name] == nil }.map {
            FieldProblem(path, "\(FieldProblem.text(of: path)) needs '\($0.name)'")
        }
        return wrong + missing
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
