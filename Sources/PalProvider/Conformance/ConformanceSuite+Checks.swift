internal import PalModel

extension ConformanceSuite {
    /// Every check, in order.
    var all: [Check] {
        lifecycle + identity + changes + [storage, logs, commands, events]
    }

    // MARK: Life

    private var lifecycle: [Check] {
        [
            Check(name: "a created instance runs and becomes ready", instance: "c-create") {
                suite in
                let made = try await suite.provider.createInstance(
                    suite.request(suite.config("c-create")))
                try suite.expect(made.name == "c-create", "it is named '\(made.name)'")
                try suite.expect(made.id == "id-c-create", "its id is '\(made.id)'")
                try suite.expect(made.type == suite.provider.type, "its type is '\(made.type)'")
                let ready = try await suite.wait(for: made, "ready") { $0.readiness.isReady }
                try suite.expect(ready.status == .running, "its status is \(ready.status)")
                try suite.expect(!ready.network.urls.isEmpty, "it has no URL")
            },
            Check(name: "an instance can be created without a start", instance: "c-cold") { suite in
                let made = try await suite.provider.createInstance(
                    suite.request(suite.config("c-cold"), starts: false))
                try suite.expect(made.status == .stopped, "its status is \(made.status)")
                try await suite.provider.startInstance(made.reference)
                try await suite.wait(for: made, "running") { $0.status == .running }
            },
            Check(name: "start and stop work, and twice is the same", instance: "c-power") {
                suite in
                let made = try await suite.provider.createInstance(
                    suite.request(suite.config("c-power")))
                for _ in 1...2 {
                    try await suite.provider.stopInstance(made.reference, force: false)
                }
                let stopped = try await suite.wait(for: made, "stopped") { $0.status == .stopped }
                try suite.expect(!stopped.readiness.isReady, "it is ready while stopped")
                for _ in 1...2 { try await suite.provider.startInstance(made.reference) }
                try await suite.wait(for: made, "ready again") { $0.readiness.isReady }
                try await suite.provider.stopInstance(made.reference, force: true)
                try await suite.wait(for: made, "stopped by force") { $0.status == .stopped }
            },
            Check(name: "delete says whether there was something", instance: "c-delete") { suite in
                let made = try await suite.provider.createInstance(
                    suite.request(suite.config("c-delete")))
                let first = try await suite.provider.deleteInstance(made.reference)
                try suite.expect(first, "the first deletion says there was nothing")
                let second = try await suite.provider.deleteInstance(made.reference)
                try suite.expect(!second, "the second deletion says there was something")
                let left = try await suite.provider.getInstance(made.reference)
                try suite.expect(left == nil, "getInstance still finds it")
            },
            Check(name: "what is not there gives notFound", instance: "c-absent") { suite in
                let nobody = InstanceReference(id: "id-nobody")
                let found = try await suite.provider.getInstance(nobody)
                try suite.expect(found == nil, "getInstance finds what was never made")
                try await suite.expectError(.instance, [.notFound], from: "starting nobody") {
                    try await suite.provider.startInstance(nobody)
                }
            },
        ]
    }

    // MARK: Identity

    private var identity: [Check] {
        [
            Check(name: "the marks are carried and listed", instance: "c-marks") { suite in
                var config = suite.config("c-marks")
                config.labels = ["team": "blue"]
                let request = suite.request(config, generation: 7)
                let made = try await suite.provider.createInstance(request)
                let listed = try await suite.provider.listInstances(.all)
                let found = listed.first { $0.name == "c-marks" }
                try suite.expect(
                    found?.ownership == request.ownership,
                    "the list says \(String(describing: found?.ownership))")
                let only = try await suite.provider.listInstances(
                    InstanceFilter(names: ["c-marks"]))
                try suite.expect(
                    only.map(\.name) == ["c-marks"], "the filter gives \(only.map(\.name))")
                let byID = try await suite.provider.getInstance(InstanceReference(id: made.id))
                try suite.expect(
                    byID?.providerInstanceId == made.providerInstanceId,
                    "it is not found by pal's id")
            },
            Check(name: "a second creation finds the first", instance: "c-twice") { suite in
                let request = suite.request(suite.config("c-twice"))
                _ = try await suite.provider.createInstance(request)
                try await suite.expectError(.instance, [.alreadyExists], from: "creating twice") {
                    _ = try await suite.provider.createInstance(request)
                }
                let all = try await suite.provider.listInstances(InstanceFilter(names: ["c-twice"]))
                try suite.expect(all.count == 1, "there are \(all.count) of it")
            },
            Check(name: "kept ports are kept", instance: "c-ports") { suite in
                let config = suite.config("c-ports")
                let made = try await suite.provider.createInstance(suite.request(config))
                let port = made.network.ports.first
                _ = try await suite.provider.deleteInstance(made.reference)
                guard let port, let outside = port.external else { return }
                let again = try await suite.provider.createInstance(
                    suite.request(config, generation: 2, keptPorts: [port.internal: outside]))
                try suite.expect(
                    again.network.ports.first { $0.internal == port.internal }?.external == outside,
                    "port \(outside) became \(String(describing: again.network.ports.first))")
            },
        ]
    }

    // MARK: Changes

    private var changes: [Check] {
        [
            Check(name: "a live change keeps the object and is seen", instance: "c-live") { suite in
                let path = "resources.memory.max"
                guard case .honoured(.live) = suite.provider.getCapabilities().support(for: path)
                else { return }
                var config = suite.config("c-live")
                config.resources.memoryMax = 128
                let made = try await suite.provider.createInstance(suite.request(config))
                let change = FieldChange(path: path, from: .int(128), to: .int(256))
                var wanted = 256
                do {
                    let updated = try await suite.provider.updateInstance(
                        made.reference, PartialConfig([change]))
                    try suite.expect(
                        updated.providerInstanceId == made.providerInstanceId,
                        "the object was replaced")
                } catch ProviderFailure.needsReplacement {
                    // Its platform may be older than what it can do at best; then it says so of
                    // the change, and does nothing.
                    try suite.expect(
                        suite.provider.classify(change) >= .replace,
                        "the change is to be made live, and needs a replacement")
                    wanted = 128
                }
                let seen = try await suite.get(made)
                try suite.expect(
                    seen.config.resources.memoryMax == wanted,
                    "the limit reads \(String(describing: seen.config.resources.memoryMax))")
            },
            Check(name: "what cannot be updated needs a replacement", instance: "c-needs") {
                suite in
                let made = try await suite.provider.createInstance(
                    suite.request(suite.config("c-needs")))
                let change = FieldChange(
                    path: "env", from: nil, to: .map(["A": .string("1")]))
                let kind = suite.provider.classify(change)
                do {
                    _ = try await suite.provider.updateInstance(
                        made.reference, PartialConfig([change]))
                    try suite.expect(
                        kind < .replace, "env is \(kind), and was updated all the same")
                } catch ProviderFailure.needsReplacement {
                    try suite.expect(kind >= .replace, "env is \(kind), and needs a replacement")
                }
            },
            Check(name: "an unsupported field is refused with a reason", instance: "c-refuse") {
                suite in
                let support = suite.provider.getCapabilities()
                for field in FieldTable.all where field.role == .platform {
                    guard case .unsupported(let why) = support.support(for: field.path) else {
                        continue
                    }
                    try suite.expect(!why.isEmpty, "\(field.path) is refused without a reason")
                }
                var config = suite.config("c-refuse")
                config.region = "no-such-region"
                try suite.expect(
                    !suite.provider.validateInstanceConfig(config).isEmpty,
                    "a region that is not the provider's is accepted")
            },
        ]
    }

    // MARK: Storage, logs, commands, events

    private var storage: Check {
        Check(name: "persistent storage outlives the instance", instance: "c-storage") { suite in
            guard let storage = suite.provider as? any StorageProvider else { return }
            let config = suite.config("c-storage")
            let made = try await suite.provider.createInstance(suite.request(config))
            try await suite.wait(for: made, "running") { $0.status == .running }
            let write = Command(["sh", "-c", "echo kept > \"$HOME/note\" && cat \"$HOME/note\""])
            let wrote = try await suite.provider.executeCommand(made.reference, write)
            try suite.expect(wrote.exitCode == 0, "writing to $HOME fails: \(wrote.exitCode)")
            _ = try await suite.provider.deleteInstance(made.reference)
            let kept = try await storage.listStorage().filter { $0.instanceName == "c-storage" }
            try suite.expect(kept.count == 1, "\(kept.count) storages are left after the deletion")
            let again = try await suite.provider.createInstance(
                suite.request(config, generation: 2))
            try suite.expect(
                !again.notices.isEmpty, "nothing says that the storage is attached again")
            try await suite.wait(for: again, "running") { $0.status == .running }
            let read = try await suite.provider.executeCommand(
                again.reference, Command(["sh", "-c", "cat \"$HOME/note\""]))
            try suite.expect(
                String(decoding: read.standardOutput, as: UTF8.self) == "kept\n",
                "the note is gone from the storage")
        }
    }

    private var logs: Check {
        Check(name: "logs are given by lines and pattern", instance: "c-logs") { suite in
            var config = suite.config("c-logs")
            config.command = ["sh", "-c", "echo one; echo two >&2; echo three; exec sleep 600"]
            config.health.path = nil
            let made = try await suite.provider.createInstance(suite.request(config))
            var lines: [LogLine] = []
            for _ in 0..<100 where lines.count < 3 {
                lines = try await suite.provider.getInstanceLogs(made.reference, LogOptions())
                if lines.count < 3 { try await suite.clock.sleep(for: .milliseconds(100)) }
            }
            try suite.expect(
                Set(lines.map(\.text)) == ["one", "two", "three"],
                "the lines are \(lines.map(\.text))")
            let stream = lines.first { $0.text == "two" }?.stream
            let isToldApart = suite.provider.getCapabilities().tellsStreamsApart
            try suite.expect(
                stream == (isToldApart ? .stderr : .stdout),
                "'two' is on \(String(describing: stream))")
            let last = try await suite.provider.getInstanceLogs(
                made.reference, LogOptions(lines: 1))
            try suite.expect(last.count == 1, "--lines 1 gives \(last.count)")
            let found = try await suite.provider.getInstanceLogs(
                made.reference, LogOptions(pattern: "^t"))
            try suite.expect(
                Set(found.map(\.text)) == ["two", "three"], "the pattern gives \(found.map(\.text))"
            )
            try await suite.expectError(.configuration, [.invalidConfig], from: "a wrong pattern") {
                _ = try await suite.provider.getInstanceLogs(
                    made.reference, LogOptions(pattern: "("))
            }
        }
    }

    private var commands: Check {
        Check(name: "a command's exit code and output come back", instance: "c-exec") { suite in
            let made = try await suite.provider.createInstance(
                suite.request(suite.config("c-exec")))
            try await suite.wait(for: made, "running") { $0.status == .running }
            let result = try await suite.provider.executeCommand(
                made.reference,
                Command(["sh", "-c", "echo out; echo err >&2; exit 7"], environment: ["X": "1"]))
            try suite.expect(result.exitCode == 7, "the exit code is \(result.exitCode)")
            try suite.expect(
                String(decoding: result.standardOutput, as: UTF8.self) == "out\n",
                "the output is not what was written")
            try suite.expect(
                String(decoding: result.standardError, as: UTF8.self) == "err\n",
                "the error output is not what was written")
            try await suite.provider.stopInstance(made.reference, force: true)
            try await suite.wait(for: made, "stopped") { $0.status == .stopped }
            try await suite.expectError(
                .instance, [.wrongState], from: "a command in a stopped instance"
            ) {
                _ = try await suite.provider.executeCommand(made.reference, Command(["true"]))
            }
        }
    }

    private var events: Check {
        Check(name: "events tell of what happens", instance: "c-events") { suite in
            guard let provider = suite.provider as? any EventfulProvider else { return }
            let (stream, continuation) = AsyncStream<ProviderEvent>.makeStream()
            let made = try await suite.provider.createInstance(
                suite.request(suite.config("c-events")))
            let heard = await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try? await provider.watchEvents { continuation.yield($0) }
                    return false
                }
                group.addTask {
                    try? await suite.clock.sleep(for: .seconds(30))
                    return false
                }
                group.addTask { await suite.hears(of: made, in: stream) }
                let result = await group.next() ?? false
                group.cancelAll()
                return result
            }
            try suite.expect(heard, "no event tells of the stop")
        }
    }

    /// Stops the instance as soon as the stream is open, and waits for the event.
    private func hears(of made: VSCodeInstance, in stream: AsyncStream<ProviderEvent>) async -> Bool
    {
        for await event in stream {
            switch event {
            case .connected:
                try? await provider.stopInstance(made.reference, force: true)
            case .changed(let name, _, _) where name == made.name: return true
            case .changed: continue
            }
        }
        return false
    }
}
