internal import PalModel
public import PalProvider

/// Turns what others made at a platform into specs that take it over as it stands.
public enum ForeignImport {
    /// The spec of one.
    ///
    /// Its `adopt` names the object. Where the home lies in the object itself, its first
    /// replacement would lose it: then the spec says `disruption: approve`, so that pal asks
    /// before.
    /// - Parameters:
    ///   - provider: The provider's configured name; nil for the one where none is named.
    /// - Returns: Nothing but a remark where its name makes none for an instance.
    public static func spec(of foreign: ForeignInstance, provider: String?) -> Imported {
        var imported = Imported()
        let place = SourceLocation(file: foreign.name, line: 1, column: 1)
        guard let name = DNSLabel.nearest(to: foreign.name) else {
            imported.remarks = [Diagnostic(place, "its name makes no name for an instance")]
            return imported
        }
        var remarks = foreign.remarks
        var spec = ImportedSpec(foreign.config)
        spec.config.name = name
        spec.config.provider = provider
        spec.config.adopt = foreign.providerInstanceId
        EditorImage.describe(&spec.config)
        for (variable, value) in foreign.environment.sorted(by: { $0.key < $1.key }) {
            spec.take(variable, value)
            if spec.hidden[variable] != nil {
                remarks.append("\(variable) looks like a secret: it goes into a file")
            }
        }
        for mount in foreign.mounts.sorted(by: { $0.target < $1.target }) {
            spec.mount(
                mount.kind, mount.source, mount.target, isReadOnly: mount.isReadOnly,
                size: mount.size, propagation: mount.propagation,
                isWithoutCopy: mount.isWithoutCopy)
        }
        spec.finish()
        if !spec.holdsHome {
            spec.config.disruption = .approve
            remarks.append(
                "its home \(EditorImage.home(spec.config)) is in no volume, and its first "
                    + "replacement loses what is there: 'disruption: approve' has pal ask before; "
                    + "copy it out first")
        }
        if !foreign.isRunning { spec.config.state = .stopped }
        imported.specs = [spec]
        imported.remarks = remarks.map { Diagnostic(place, $0, instance: name) }
        return imported
    }
}
