internal import PalModel

/// The reference table of the fields in Markdown, made from the field table: `pal schema
/// --markdown`.
public enum FieldReference {
    /// The table.
    public static var markdown: String {
        var lines = [
            "| field | accepts | default | meaning |",
            "| --- | --- | --- | --- |",
        ]
        for field in FieldTable.all {
            lines.append(row(field.path, field.shape, field.fallback, field.summary))
            lines += members(of: field)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func members(of field: Field) -> [String] {
        let (shape, suffix): (Shape, String) =
            switch field.shape {
            case .list(let element): (element, "[]")
            case .map(_, let element): (element, ".*")
            default: (field.shape, "")
            }
        guard case .object(let members) = shape else { return [] }
        return members.map {
            row("\(field.path)\(suffix).\($0.name)", $0.shape, nil, $0.summary)
        }
    }

    private static func row(
        _ path: String, _ shape: Shape, _ fallback: Value?, _ summary: String
    ) -> String {
        let standard = fallback.map { "`\($0.canonicalJSON.replacing("\"", with: ""))`" } ?? ""
        let accepts = shape.expectation.replacing("|", with: "\\|")
        return "| `\(path)` | \(accepts) | \(standard) | \(summary) |"
    }
}
