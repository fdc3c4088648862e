public import PalProvider

extension PasswordStore {
    /// What a person needs for an editor.
    ///
    /// - Parameters:
    ///   - lock: As the instance's marks have it; nil where they do not.
    ///   - id: pal's id of the instance.
    public func credential(
        _ lock: EditorLock?, id: String?
    ) throws(ProviderFailure) -> EditorAccess.Credential {
        guard let lock else {
            return .unknown(
                "how it is opened is unknown: it was made without pal's knowing of a password; "
                    + "a replacement gives an editor one")
        }
        switch lock {
        case .own: return .unknown("its spec says how it is opened")
        case .secret: return .unknown("its password is the secret that its spec names")
        case .password, .token:
            guard let id, let value = try password(of: id) else {
                return .unknown(
                    "its \(lock.rawValue) is unknown until it is replaced: the file with it is "
                        + "gone from this machine (\(directory))")
            }
            return lock == .token ? .token(value) : .password(value)
        }
    }
}
