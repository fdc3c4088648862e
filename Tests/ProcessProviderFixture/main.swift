import Glibc
import Logging
import PalModel
import PalProvider
import ProcessProvider

// Two things that a test must run as a process of its own:
//
//     supervise DIRECTORY                what `pal supervise` is
//     controller DATA SWARM NAME CMD…    creates an instance, prints its id, waits to be killed

let arguments = Array(CommandLine.arguments.dropFirst())

if arguments.first == "supervise", arguments.count == 2 {
    exit(Supervisor.run(directory: arguments[1]))
}

if arguments.first == "controller", arguments.count > 4 {
    let settings = ProviderSettings(
        type: "process", name: "process", swarm: arguments[2], dataDirectory: arguments[1],
        environment: ["PATH": "/usr/bin:/bin"])
    let provider = try ProcessProvider(
        settings, supervisorCommand: [CommandLine.arguments[0], "supervise"],
        logger: Logger(label: "fixture"))
    try await provider.initialize()
    var config = InstanceConfig(name: arguments[3])
    config.command = Array(arguments[4...])
    let hash = SpecHash(of: config, fields: provider.getCapabilities().hashedFields)
    let owner = Ownership(
        swarm: arguments[2], name: arguments[3], id: "id-\(arguments[3])", generation: 1,
        specHash: hash)
    let instance = try await provider.createInstance(
        CreateRequest(config: config, ownership: owner))
    print(instance.providerInstanceId)
    fflush(nil)
    while true { pause() }
}

exit(64)
