import Foundation
import Glibc
import Synchronization

extension Cloud {
    func exec(_ request: Request) async throws -> Answer {
        let fields = try request.fields()
        let command = fields["command"]?.strings ?? Words.split(fields["cmd"]?.string ?? "")
        guard !command.isEmpty else { throw Refusal.invalid("command is required") }
        let key = MachineKey(app: request.app, machine: request.machine)
        let machine = try withMachine(request) { machine, _ in
            guard machine.hostStatus == "ok" else {
                throw Refusal(503, "unavailable: the machine's host is unreachable")
            }
            guard machine.state == "started" else {
                throw Refusal.precondition(
                    "machine is not running, currently \(machine.state)")
            }
            return machine
        }
        let input = try fields["stdin"]?.string.map(keep(input:))
        defer { if let input { remove(input) } }
        let plan = Child.Plan(
            // A mount is elsewhere on this computer.
            arguments: command.map { place(of: $0, in: machine) ?? $0 },
            environment: environment(machine, key),
            directory: directory(ofMachine: machine.id), input: input, takesGroupAlong: false)
        return try await run(plan, within: .seconds(fields["timeout"]?.int ?? 60))
    }

    private func run(_ plan: Child.Plan, within limit: Duration) async throws -> Answer {
        let said = Said()
        guard let process = Child(plan, onOutput: said.take) else {
            let text = "exec: \(plan.arguments[0]): not found\n"
            return .ok(["exit_code": 127, "stdout": "", "stderr": .string(text)])
        }
        let timer = Task {
            guard (try? await time.sleep(limit)) != nil else { return }
            said.cutShort()
            process.send(SIGKILL)
        }
        defer { timer.cancel() }
        let exit = await withTaskCancellationHandler {
            await process.exit()
        } onCancel: {
            process.send(SIGKILL)
        }
        if said.isCutShort {
            throw Refusal(408, "deadline_exceeded: command did not end in time")
        }
        var fields: [String: JSON] = [
            "stdout": .string(said.text(.standard)), "stderr": .string(said.text(.error)),
        ]
        if exit.signal != 0 { fields["exit_signal"] = .int(Int(exit.signal)) }
        if exit.status != 0 { fields["exit_code"] = .int(exit.status) }
        return .ok(.object(fields))
    }

    /// A file, because a process that does not read would block whoever writes.
    private func keep(input: String) throws -> String {
        let path = "\(directory)/input-\(Names.nonce())"
        try Data(input.utf8).write(to: URL(filePath: path))
        return path
    }
}

/// What a process said, each output by itself.
private final class Said: Sendable {
    private let bytes = Mutex<[Child.Output: [UInt8]]>([:])
    private let late = Atomic(false)

    /// Whether its time was up before it ended.
    var isCutShort: Bool { late.load(ordering: .relaxed) }

    func cutShort() { late.store(true, ordering: .relaxed) }

    func take(_ output: Child.Output, _ more: [UInt8]) {
        bytes.withLock { $0[output, default: []] += more }
    }

    func text(_ output: Child.Output) -> String {
        String(decoding: bytes.withLock { $0[output] ?? [] }, as: UTF8.self)
    }
}

/// Words of a command line.
enum Words {
    /// Blanks separate them, quotes keep blanks, as in a shell; nothing else is special.
    static func split(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + [character] }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + [character]
            }
        }
        if let word { words.append(word) }
        return words
    }
}
