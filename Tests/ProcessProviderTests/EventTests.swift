import Glibc
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct EventTests {
    /// One thing that the test does, and the word (or `connected`) whose news it waits for. Doing
    /// it sooner can overtake that news: the newest state is what is told.
    private typealias Act = (after: String, act: @Sendable () async throws -> Void)

    /// Does each thing at its time, and returns what came until the last expected word, or until
    /// something failed.
    private func events(
        of bench: Bench, until last: String, _ acts: [Act]
    ) async -> [ProviderEvent] {
        let (stream, sink) = AsyncStream.makeStream(of: ProviderEvent.self)
        let provider = bench.provider
        return await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { sink.finish() }
                try await provider.watchEvents { sink.yield($0) }
            }
            var seen: [ProviderEvent] = []
            var acts = acts[...]
            for await event in stream {
                seen.append(event)
                if let next = acts.first, word(event) == next.after {
                    acts.removeFirst()
                    group.addTask {
                        do {
                            try await next.act()
                        } catch  where !Task.isCancelled {
                            Issue.record(error)
                            sink.finish()
                        }
                    }
                }
                if word(event) == last { break }
            }
            group.cancelAll()
            return seen
        }
    }

    private func word(_ event: ProviderEvent) -> String {
        switch event {
        case .connected: "connected"
        case .changed(_, _, let what): what
        }
    }

    @Test func theLifeOfAnInstanceIsTold() async throws {
        try await Bench.run { bench in
            let alice = InstanceReference(id: bench.owner("alice").id)
            let provider = bench.provider
            let seen = await events(
                of: bench, until: "deleted",
                [
                    ("connected", { _ = try await bench.create("alice") }),
                    ("started", { try await provider.stopInstance(alice, force: false) }),
                    ("exited", { _ = try await provider.deleteInstance(alice) }),
                ])
            #expect(seen.first == .connected)
            let words = seen.map(word)
            for word in ["created", "started", "stopping", "exited"] {
                #expect(words.contains(word), "\(word)")
            }
        }
    }

    @Test func aKilledSupervisorIsToldWhenAListShowsIt() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let run = try bench.run(made)
            let (stream, sink) = AsyncStream.makeStream(of: InstanceStatus?.self)
            let provider = bench.provider
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    try? await provider.watchEvents { event in
                        if event == .connected { ProcessHandle(run.supervisor)?.send(SIGKILL) }
                        guard case .changed = event else { return }
                        sink.yield(try? await provider.getInstance(made.reference)?.status)
                    }
                }
                var iterator = stream.makeAsyncIterator()
                #expect(await iterator.next() == .failed)
                group.cancelAll()
            }
        }
    }

    @Test func aVanishedDirectoryEndsTheStreamWithAnError() async throws {
        try await Bench.run { bench in
            let instances = bench.provider.layout.instances
            _ = await failure(.unreachable) { () async throws(ProviderFailure) in
                try await bench.provider.watchEvents { event in
                    if event == .connected { try? Directories.deleteTree(instances) }
                }
            }
        }
    }
}
