import PalModel

/// The GPUs that a spec asks for: all, so many, or these.
enum GPURequest: Sendable, Hashable {
    case all
    case count(Int)
    /// Ids as `nvidia-smi -L` lists them, or numbers from 0.
    case devices([String])

    /// What `specific.gpus` says; nil where it says none of that.
    init?(_ value: Value) {
        switch value {
        case .string("all"): self = .all
        case .int(let count) where count > 0: self = .count(count)
        case .list(let items):
            guard let ids = [String](.list(items)), !ids.isEmpty, !ids.contains("") else {
                return nil
            }
            self = .devices(ids)
        default: return nil
        }
    }

    static let expectation = "'all', a number of at least 1, or a list of devices' ids"

    /// One of a container's `DeviceRequests`; nil where it asks for something else than a GPU, or
    /// for it in a way that no spec says.
    init?(engineValue request: Value) {
        guard request["Capabilities"] == .list([.strings(["gpu"])]),
            ["", "nvidia"].contains(request["Driver"].flatMap { String($0) } ?? ""),
            (request["Options"] ?? .map([:])) == .map([:]) || request["Options"] == .null
        else { return nil }
        let ids = request["DeviceIDs"].flatMap { [String]($0) } ?? []
        switch request["Count"].flatMap({ Int($0) }) ?? 0 {
        case -1 where ids.isEmpty: self = .all
        case 1... where ids.isEmpty: self = .count(request["Count"].flatMap { Int($0) } ?? 1)
        case 0 where !ids.isEmpty: self = .devices(ids)
        default: return nil
        }
    }

    /// As a spec says it.
    var value: Value {
        switch self {
        case .all: .string("all")
        case .count(let count): .int(count)
        case .devices(let ids): .strings(ids)
        }
    }

    /// As the Engine takes it.
    var engineValue: Value {
        var request: [String: Value] = ["Capabilities": .list([.strings(["gpu"])])]
        switch self {
        case .all: request["Count"] = .int(-1)
        case .count(let count): request["Count"] = .int(count)
        case .devices(let ids): request["DeviceIDs"] = .strings(ids)
        }
        return .map(request)
    }
}
