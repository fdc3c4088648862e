import PalEditors
import PalModel
import PalProvider
import Synchronization

/// How far the extensions of each container are, as far as this process has seen.
///
/// Only a memory of answers: with it lost the question is asked again, of the container itself.
final class ExtensionRuns: Sendable {
    enum State: Sendable, Hashable {
        /// Somebody is at it this moment.
        case claimed
        /// A command in the container is at it, as has been known since then.
        case running(since: ContinuousClock.Instant)
        case installed
        case failed(reason: String, again: ContinuousClock.Instant)
    }

    private let states = Mutex<[String: State]>([:])
    private let failures = Mutex<[String: Int]>([:])

    /// What there is to do for a container: nil where another task is at it, or nothing is due.
    func claim(_ id: String) -> (known: State?, isMine: Bool) {
        states.withLock { states in
            let known = states[id]
            switch known {
            case .claimed, .installed: return (known, false)
            case .failed(_, let again) where again > .now: return (known, false)
            default:
                states[id] = .claimed
                return (known, true)
            }
        }
    }

    func set(_ id: String, _ state: State?) { states.withLock { $0[id] = state } }

    /// The state after a failure, with growing pauses of five minutes at most.
    func failed(_ id: String, _ reason: String) -> State {
        let times = failures.withLock { counts in
            counts[id, default: 0] += 1
            return counts[id, default: 1]
        }
        let pause = min(300, 1 << min(times, 9))
        return .failed(reason: reason, again: .now + .seconds(pause))
    }

    /// Forgets the containers that are gone.
    func retain(_ ids: Set<String>) {
        states.withLock { states in states = states.filter { ids.contains($0.key) } }
        failures.withLock { counts in counts = counts.filter { ids.contains($0.key) } }
    }
}

/// Editor extensions, as a spec lists them.
enum ExtensionList {
    /// What is wrong with a config's extensions on Docker.
    static func problems(_ config: InstanceConfig) -> [ConfigProblem] {
        guard let wanted = config.extensions, !wanted.isEmpty else { return [] }
        guard program(of: config.editor ?? .codeServer) != nil else {
            return [
                ConfigProblem(
                    "extensions",
                    "extensions can be installed in code-server and openvscode-server, not in "
                        + "editor: \((config.editor ?? .codeServer).rawValue); remove them, or "
                        + "put them into the image")
            ]
        }
        return wanted.filter { !isId($0) }.map {
            ConfigProblem(
                "extensions",
                "'\($0.prefix(60))' in extensions is no id such as golang.go or "
                    + "golang.go@0.44.0; correct it")
        }
    }

    /// `publisher.name`, perhaps with `@version`. Nothing that a shell or a flag could be made of.
    private static func isId(_ text: String) -> Bool {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let names = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        return names.count == 2
            && (names + parts.dropFirst()).allSatisfy { part in
                !part.isEmpty && part.first != "-"
                    && part.utf8.allSatisfy { isPlain($0) || "-_.+".utf8.contains($0) }
            }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }

    private static func program(of editor: Editor) -> String? {
        EditorProfile.of(editor).extensionsProgram
    }

    /// The label that says what a container is to have: what there is inside decides, and the
    /// container must say by itself what that is compared with.
    static func label(_ config: InstanceConfig) -> String? {
        guard let wanted = config.extensions, !wanted.isEmpty,
            program(of: config.editor ?? .codeServer) != nil
        else { return nil }
        let editor = (config.editor ?? .codeServer).rawValue
        return ([editor] + wanted).joined(separator: " ")
    }

    static let log = "/tmp/pal-extensions.log"
    /// The number of the process that installs; there from the beginning on.
    private static let process = "/tmp/pal-extensions.pid"
    /// What it ended with; there from its end on.
    private static let outcome = "/tmp/pal-extensions.exit"

    /// How far the command is that installs.
    enum Run: Hashable {
        case absent, running
        case ended(Int)

        /// As the first line of `look` says.
        init(_ line: Substring?) {
            switch line {
            case "running": self = .running
            case let line?: self = Int(line).map { .ended($0) } ?? .absent
            case nil: self = .absent
            }
        }
    }

    /// Says `absent`, `running` or an exit code, and then the end of what the editor said.
    ///
    /// - Parameter start: When the container was started: what an earlier run of it left in the
    ///   files is nothing, and its numbers of processes are others by now.
    static func look(start: String) -> [String] {
        [
            "/bin/sh", "-c",
            """
            start=$1
            says() { [ -r "$1" ] && read -r at what <"$1" && [ "$at" = "$start" ]; }
            if says \(outcome); then echo "$what"
            elif ! says \(process); then echo absent
            elif kill -0 "$what" 2>/dev/null; then echo running
            elif says \(outcome); then echo "$what"
            else echo 137
            fi
            tail -n 5 \(log) 2>/dev/null || true
            """, "pal-extensions", start,
        ]
    }

    /// Makes the files say `absent`; before a command is begun, whose first words come later.
    static let forget = ["/bin/sh", "-c", ": >\(outcome) && : >\(process)"]

    static let limit = Duration.seconds(900)

    /// Installs what is not there yet, one after the other, and ends with 0 where all are there.
    ///
    /// The Engine has no call that ends a command: one that hangs, as at a marketplace that does
    /// not answer, ends itself and all that it started.
    static func command(
        _ label: String, start: String, limit: Duration = Self.limit
    ) -> [String] {
        let words = label.split(separator: " ").map(String.init)
        let program = words.first.flatMap(Editor.init(rawValue:)).flatMap(program(of:)) ?? "false"
        let seconds = limit.components.seconds
        // KILL: another signal is lost that comes between the fork and the exec of 'sleep'.
        let script = """
            exec >\(log) 2>&1
            start=$1
            shift
            echo "$start $$" >\(process)
            (trap 'kill -KILL $!; exit' TERM
            sleep \(seconds) & wait $! || exit
            echo 'it took longer than \(seconds) seconds'
            kill -KILL 0) &
            watch=$!
            trap 'echo "$start $?" >\(outcome); kill $watch' EXIT
            have=$(\(program) --list-extensions --show-versions) || exit 1
            have="
            $(printf %s "$have" | tr A-Z a-z)
            "
            for id in "$@"; do
              low=$(printf %s "$id" | tr A-Z a-z)
              case "$low" in
              *@*) line="
            $low
            " ;;
              *) line="
            $low@" ;;
              esac
              case "$have" in
              *"$line"*) ;;
              *) \(program) --install-extension "$id" || exit 1 ;;
              esac
            done
            """
        return ["/bin/sh", "-c", script, "pal-extensions", start] + words.dropFirst()
    }
}

extension DockerProvider {
    /// Whether an editor that answers has its extensions too. Where it has not, this has them
    /// installed: by a command that runs in the container on its own, so that nobody waits for it,
    /// and that a controller which is started anew finds again.
    func extensionReadiness(_ detail: ContainerDetail) async -> Readiness {
        guard let label = detail.config.labels?[DockerLabel.extensions] else { return .ready }
        let names = label.split(separator: " ").dropFirst().joined(separator: ", ")
        let (known, isMine) = extensionRuns.claim(detail.id)
        guard isMine else {
            switch known {
            case .installed: return .ready
            case .failed(let reason, _): return .notReady(reason)
            default: return .notReady("its extensions are being installed: \(names)")
            }
        }
        let state: ExtensionRuns.State
        do throws(ProviderFailure) {
            state = try await next(known, detail, label)
        } catch {
            state = extensionRuns.failed(
                detail.id, "its extensions could not be looked at: \(error)")
        }
        extensionRuns.set(detail.id, state)
        switch state {
        case .installed: return .ready
        case .failed(let reason, _): return .notReady(reason)
        case .claimed, .running:
            return .notReady("its extensions are being installed: \(names)")
        }
    }

    private func next(
        _ known: ExtensionRuns.State?, _ detail: ContainerDetail, _ label: String
    ) async throws(ProviderFailure) -> ExtensionRuns.State {
        let (run, said) = try await look(detail)
        guard case .running(let since) = known else {
            // What ended under no eyes is done again: what is there is not installed twice.
            if run != .running { try await install(detail, label) }
            return .running(since: .now)
        }
        let age = ContinuousClock.now - since
        switch run {
        case .ended(0): return .installed
        case .ended(let code): return failed(detail, said ?? "exit code \(code)")
        case .running where age < ExtensionList.limit + .seconds(60): return .running(since: since)
        case .running: return failed(detail, "it takes longer than it may")
        case .absent where age < .seconds(10): return .running(since: since)
        case .absent:
            return failed(
                detail,
                "no command for it can be begun; the image needs sh, tr, sleep, tail and a "
                    + "/tmp that its user can write to")
        }
    }

    private func failed(_ detail: ContainerDetail, _ why: String) -> ExtensionRuns.State {
        extensionRuns.failed(
            detail.id, "its extensions cannot be installed: \(why); it is tried again")
    }

    private func start(of detail: ContainerDetail) -> String { detail.state.startedAt ?? "-" }

    /// How far the command is that installs, as its files say, and what the editor said last, on
    /// one short line.
    ///
    /// The Engine is not asked: Podman never says that a command has ended whose output nobody
    /// reads.
    private func look(
        _ detail: ContainerDetail
    ) async throws(ProviderFailure) -> (run: ExtensionList.Run, said: String?) {
        let reference = InstanceReference(id: "", providerInstanceId: detail.id)
        let result = try await executeCommand(
            reference,
            Command(ExtensionList.look(start: start(of: detail)), timeout: .seconds(15)))
        let lines = String(decoding: result.standardOutput, as: UTF8.self)
            .split(whereSeparator: \.isNewline)
        return (
            ExtensionList.Run(lines.first), lines.dropFirst().last.map { String($0.prefix(200)) }
        )
    }

    private func install(
        _ detail: ContainerDetail, _ label: String
    ) async throws(ProviderFailure) {
        let reference = InstanceReference(id: "", providerInstanceId: detail.id)
        _ = try await executeCommand(
            reference, Command(ExtensionList.forget, timeout: .seconds(15)))
        let command = ExtensionList.command(label, start: start(of: detail))
        let made = try await act(
            "POST", detail.id, "/exec",
            body: .map([
                "Cmd": .strings(command), "AttachStdout": .bool(false),
                "AttachStderr": .bool(false),
            ]))
        guard made.isSuccess else {
            throw .unexpected(
                made, doing: "install extensions in \(detail.plainName)", changesSomething: true)
        }
        let id = try made.decoded(as: Created.self).id
        let started = try await engine.send(
            EngineCall(
                "POST", "/exec/\(id)/start",
                body: .map(["Detach": .bool(true), "Tty": .bool(false)])))
        guard started.isSuccess else {
            throw .unexpected(
                started, doing: "install extensions in \(detail.plainName)",
                changesSomething: true)
        }
    }
}
