import PalModel
import PalProvider

/// When an image is pulled.
enum PullPolicy: String, Sendable, Hashable, CaseIterable {
    /// Where the Engine does not have it.
    case missing
    /// Before each creation.
    case always
    /// By somebody else.
    case never
}

/// The keys of a spec's `specific` that steer what pal does about images. No container is made from
/// them, so that they are in no hash and a change replaces nothing.
enum ImageKeys {
    static let pull = "pull"
    static let followTag = "followTag"
    static let all: Set<String> = [pull, followTag]

    /// Whether a change of `specific` changes nothing but these.
    static func areAll(that change: FieldChange) -> Bool {
        rest(change.from) == rest(change.to)
    }

    private static func rest(_ specific: Value?) -> String {
        guard case .map(let keys)? = specific else { return "" }
        let rest = keys.filter { !all.contains($0.key) }
        return rest.isEmpty ? "" : Value.map(rest).canonicalJSON
    }
}
