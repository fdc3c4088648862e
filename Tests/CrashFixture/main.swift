import DockerProvider
import Foundation
import Logging
import PalEngine
import PalLedger
import PalModel
import PalProvider
import PalSpecs
import ProcessProvider

// What `pal apply` does where no controller runs, with a crash at the moment that is asked for:
//
//     CrashFixture SPECS STATE DATA SWARM PAL MOMENT
//
// PAL is the program that supervises processes. MOMENT 0 is no crash. Prints how many moments
// passed; exit code 0 where everything is as declared and ready.

let arguments = CommandLine.arguments
guard arguments.count == 7, let fatal = Int(arguments[6]) else { exit(64) }
let (specs, state, data) = (arguments[1], arguments[2], arguments[3])
let (swarm, program) = (arguments[4], arguments[5])

var logger = Logger(label: "fixture") { StreamLogHandler.standardError(label: $0) }
logger.logLevel = .info
let points = CrashPoints(fatal: fatal)

var factory = ProviderFactory()
factory.registerProvider(DockerProviderClass())
factory.registerProvider(ProcessProviderClass(supervisorCommand: [program, "supervise"]))
let providers = try ["docker", "process"].map { name in
    let provider = try factory.createProvider(
        ProviderSettings(
            type: ProviderType(rawValue: name), name: name, swarm: swarm, dataDirectory: data,
            environment: ProcessInfo.processInfo.environment),
        logger: logger)
    guard let whole = provider as? any CrashingProvider.Base else {
        throw LedgerError("the provider \(name) lacks an interface that CrashingProvider claims")
    }
    return CrashingProvider(base: whole, points: points)
}

let lock = try ControllerLock(directory: state, purpose: "CrashFixture")
let ledger = try SQLiteLedger.open(directory: state)
let reconciler = try Reconciler(
    .init(
        swarm: swarm, source: SpecDirectory(path: specs), providers: providers,
        ledger: CrashingLedger(base: ledger, points: points), logger: logger))

var request = ControlRequest(verb: .apply, by: "the crash tests")
request.number = try points.around { try ledger.ask(request) }
let asked = request
let reply = await withTaskGroup(of: ControlReply?.self) { group in
    group.addTask { await reconciler.perform(asked, only: nil) }
    group.addTask {
        // An Engine of others may stand still for a minute; more than this is pal's own fault.
        try? await Task.sleep(for: .seconds(300))
        await reconciler.stop()
        return nil
    }
    let first = await group.next() ?? nil
    group.cancelAll()
    return first
}
lock.release()

print(points.passed)
for message in reply?.messages ?? ["no answer within five minutes"] {
    FileHandle.standardError.write(Data("\(message)\n".utf8))
}
exit(reply?.isDone == true ? 0 : 1)
