import Glibc
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct EventTests {
    /// Does something once the stream is open, and returns what came until the last expected word.
    private func events(
        of bench: Bench, until last: String, _ action: @escaping @Sendable () async throws -> Void
    ) async -> [ProviderEvent] {
        let (stream, sink) = AsyncStream.makeStream(of: ProviderEvent.self)
        let provider = bench.provider
        return await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await provider.watchEvents { sink.yield($0) } }
            var seen: [ProviderEvent] = []
            for await event in stream {
                seen.append(event)
                if event == .connected { group.addTask { try await action() } }
                if case .changed(_, _, last) = event { break }
            }
            group.cancelAll()
            return seen
        }
    }

    private func words(_ events: [ProviderEvent]) -> [String] {
        events.compactMap { event in
            guard case .changed(_, _, let what) = event else { return nil }
            return what
        }
    }

    @Test func theLifeOfAnInstanceIsTold() async throws {
        try await Bench.run { bench in
            let seen = await events(of: bench, until: "deleted") {
                let made = try await bench.create("alice")
                try await bench.provider.stopInstance(made.reference, force: false)
                _ = try await bench.provider.deleteInstance(made.reference)
            }
            #expect(seen.first == .connected)
            let words = words(seen)
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
