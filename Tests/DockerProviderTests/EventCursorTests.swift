import Testing

@testable import DockerProvider

@Suite("How far events were heard")
struct EventCursorTests {
    private func event(_ action: String, _ id: String, _ at: Int?) -> EngineEvent {
        EngineEvent(
            type: "container", action: action, actor: .init(id: id, attributes: [:]),
            nanoseconds: at)
    }

    @Test(
        "a new stream begins at the last event, to the nanosecond, and what comes again is left out"
    )
    func again() {
        let cursor = EventCursor()
        #expect(cursor.since == nil)
        #expect(cursor.isNew(event("start", "a", 1_700_000_000_000_000_042)))
        #expect(cursor.isNew(event("start", "b", 1_700_000_001_000_000_007)))
        #expect(cursor.since == "1700000001.000000007")
        #expect(!cursor.isNew(event("start", "b", 1_700_000_001_000_000_007)))
        #expect(cursor.isNew(event("die", "b", 1_700_000_001_000_000_007)))
        #expect(!cursor.isNew(event("start", "a", 1_700_000_000_000_000_042)))
    }

    @Test("a clock that is set back, and events without a time, are heard")
    func clock() {
        let cursor = EventCursor()
        #expect(cursor.isNew(event("start", "a", 2_000_000_000)))
        #expect(cursor.isNew(event("die", "a", 1_000_000_000)))
        #expect(cursor.since == "1.000000000")
        #expect(cursor.isNew(event("die", "a", nil)))
        #expect(cursor.isNew(event("die", "a", nil)))
    }

    @Test("no more is kept than an Engine can say again")
    func bound() {
        let cursor = EventCursor()
        for at in 1...1000 { #expect(cursor.isNew(event("x", "a", at))) }
        #expect(!cursor.isNew(event("x", "a", 1000)))
        #expect(!cursor.isNew(event("x", "a", 745)))
        #expect(cursor.isNew(event("x", "a", 744)))
    }
}
