import Foundation
import PalFiles
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct InotifyTests {
    @Test func deliversWhatHappensInADirectory() async throws {
        let scratch = try Scratch()
        let inotify = try Inotify()
        let watch = try inotify.watch(scratch.path)
        try scratch.write("x", to: "f")
        var seen: [InotifyEvent] = []
        for await batch in inotify.batches {
            #expect(!batch.isEmpty)
            seen += batch
            if seen.contains(where: { $0.mask.contains(.written) }) { break }
        }
        #expect(seen.allSatisfy { $0.watch == watch && $0.name == "f" })
        #expect(seen.first?.mask == .created)
    }

    @Test func oneDirectoryIsOneWatchWhateverItsPath() async throws {
        let scratch = try Scratch()
        try scratch.directory("d")
        try scratch.link("l", to: "d")
        let inotify = try Inotify()
        #expect(try inotify.watch(scratch["d"]) == inotify.watch(scratch["l"]))
        inotify.close()
    }

    @Test func tellsOfTheEndOfAWatch() async throws {
        let scratch = try Scratch()
        try scratch.directory("d")
        let inotify = try Inotify()
        let watch = try inotify.watch(scratch["d"])
        try FileManager.default.removeItem(atPath: scratch["d"])
        var seen: InotifyEvent.Mask = []
        for await batch in inotify.batches {
            for event in batch where event.watch == watch { seen.formUnion(event.mask) }
            if seen.contains(.ignored) { break }
        }
        #expect(seen.isSuperset(of: [.deletedSelf, .ignored]))
    }

    @Test func anUnwatchedDirectoryIsSilent() async throws {
        let scratch = try Scratch()
        try scratch.directory("a")
        try scratch.directory("b")
        let inotify = try Inotify()
        let first = try inotify.watch(scratch["a"])
        let second = try inotify.watch(scratch["b"])
        inotify.unwatch(first)
        try scratch.write("", to: "a/x")
        try scratch.write("", to: "b/x")
        for await batch in inotify.batches {
            #expect(batch.allSatisfy { $0.watch == second || $0.mask == .ignored })
            if batch.contains(where: { $0.watch == second }) { break }
        }
    }

    @Test func cancellationEndsTheSequenceAndClosesTheQueue() async throws {
        let scratch = try Scratch()
        let inotify = try Inotify()
        _ = try inotify.watch(scratch.path)
        await withTaskGroup { group in
            group.addTask { for await _ in inotify.batches {} }
            group.cancelAll()
        }
        let error = #expect(throws: SystemError.self) { try inotify.watch(scratch.path) }
        #expect(error?.code == EBADF)
        inotify.close()
    }

    @Test func closeEndsAWaitingConsumer() async throws {
        let inotify = try Inotify()
        await withTaskGroup { group in
            group.addTask { for await _ in inotify.batches {} }
            inotify.close()
        }
        for await _ in inotify.batches { Issue.record("a closed queue delivered") }
    }

    @Test func moreEventsThanAnyoneTakesBecomeOneOverflow() async throws {
        let scratch = try Scratch()
        try scratch.write("", to: "f")
        let inotify = try Inotify()
        _ = try inotify.watch(scratch.path, for: .attributes)
        // The kernel joins equal neighbours, so two files take turns.
        try scratch.write("", to: "g")
        for _ in 0...Inotify.backlog {
            chmod(scratch["f"], 0o600)
            chmod(scratch["g"], 0o600)
        }
        var sawOverflow = false
        for await batch in inotify.batches {
            sawOverflow = sawOverflow || batch.contains { $0.mask.contains(.overflow) }
            if sawOverflow { break }
        }
        #expect(sawOverflow)
    }

    @Test func aClosedQueueGivesItsInstanceBack() async throws {
        // Far more than a user may have at once (128 by default). The descriptor is freed a moment
        // after the close, so a refusal is no failure until it lasts.
        for _ in 0..<500 {
            var inotify: Inotify?
            for _ in 0..<100_000 where inotify == nil {
                inotify = try? Inotify()
                if inotify == nil { await Task.yield() }
            }
            try #require(inotify != nil)
            inotify?.close()
        }
    }
}
