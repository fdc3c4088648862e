/// Keys of `specific` that say what the Engine says, under another name: the same both ways, for
/// what is made and for what is taken over.
enum EngineWords {
    /// Texts of a container's `Config`.
    static let texts = [
        ("user", "User"), ("workingDir", "WorkingDir"), ("stopSignal", "StopSignal"),
        ("domainname", "Domainname"),
    ]

    /// Texts of its `HostConfig`. What a spec does not take of them is others' business, such as
    /// another container's processes.
    static let hostTexts = [
        ("cpuset", "CpusetCpus"), ("pidMode", "PidMode"), ("ipcMode", "IpcMode"),
        ("utsMode", "UTSMode"), ("usernsMode", "UsernsMode"),
    ]

    /// Whole numbers of its `HostConfig`, where 0 says nothing.
    static let numbers = [("cpuShares", "CpuShares"), ("oomScoreAdj", "OomScoreAdj")]

    /// Lists of texts of its `HostConfig`.
    static let lists = [
        ("capAdd", "CapAdd"), ("capDrop", "CapDrop"), ("dns", "Dns"),
        ("extraHosts", "ExtraHosts"), ("securityOpt", "SecurityOpt"), ("groupAdd", "GroupAdd"),
        ("dnsSearch", "DnsSearch"), ("dnsOptions", "DnsOptions"),
        ("deviceCgroupRules", "DeviceCgroupRules"),
    ]

    /// What is on or off in its `HostConfig`.
    static let flags = [
        ("privileged", "Privileged"), ("init", "Init"), ("readOnly", "ReadonlyRootfs"),
    ]
}
