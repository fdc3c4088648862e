import PalEditors
import PalModel
import PalProvider

extension FlyProvider {
    /// Gives the home to the editor's user, where that was not done yet: a new volume is root's.
    ///
    /// A mark in the machine's metadata says that it is to be done, so that it is also where the
    /// creation's answer was lost or took long. Doing it twice is harmless: nothing below the home
    /// is touched.
    /// - Returns: What is not as it should be; nil where all is.
    func giveHome(_ machine: Machine) async throws(ProviderFailure) -> Readiness? {
        guard machine.status == .running, let owner = machine.metadata[FlyMark.homeOwner],
            let home = machine.mountPath
        else { return nil }
        let result: CommandResult
        do throws(ProviderFailure) {
            result = try await run(machine, ["chown", owner, home], timeout: .seconds(30))
        } catch {
            return .notReady("its home could not be given to \(owner) yet: \(error)")
        }
        guard result.exitCode == 0 else {
            let said = String(decoding: result.standardError.prefix(200), as: UTF8.self)
            return .notReady(
                "its home \(home) is root's and could not be given to \(owner) "
                    + "(\(said.split(whereSeparator: \.isNewline).joined(separator: " "))); "
                    + "specific.homeOwner: 0:0 leaves it root's")
        }
        let answer = try await api.send(
            MachinesCall(
                .metadata, "DELETE", machine: machine.id, "/metadata/\(FlyMark.homeOwner)"))
        guard answer.isSuccess || answer.status == 404 else {
            throw .unexpected(
                answer, doing: "mark the home of \(machine.name) as given", changesSomething: true)
        }
        return nil
    }
}
