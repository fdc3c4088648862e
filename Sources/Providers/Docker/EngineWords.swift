/// Keys of `specific` that say what the Engine says, under another name: the same both ways, for
/// what is made and for what is taken over.
enum EngineWords {
    /// Texts of a container's `Config`.
    static let texts = [
        ("user", "User"), ("workingDir", "WorkingDir"), ("stopSignal", "StopSignal"),
    ]

    /// Lists of texts of its `HostConfig`.
    static let lists = [
        ("capAdd", "CapAdd"), ("capDrop", "CapDrop"), ("dns", "Dns"),
        ("extraHosts", "ExtraHosts"), ("securityOpt", "SecurityOpt"), ("groupAdd", "GroupAdd"),
    ]

    /// What is on or off in its `HostConfig`.
    static let flags = [
        ("privileged", "Privileged"), ("init", "Init"), ("readOnly", "ReadonlyRootfs"),
    ]
}
