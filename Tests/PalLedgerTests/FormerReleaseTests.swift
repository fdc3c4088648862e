import FoundationEssentials
import PalEngine
import PalModel
import Testing

@testable import PalLedger

/// What former releases wrote must be read for ever.
@Suite struct FormerReleaseTests {
    /// A row in the form of the first release: with `isApproved`, and with a field nobody knows.
    @Test func aRowOfAFormerReleaseIsRead() throws {
        let text = #"""
            {"applied":{"env":{"A":"1"},"image":"i","name":"alice",\#
            "resources":{"cpu":{"cores":0.5}}},"conditions":[{"isTrue":true,"kind":"Ready",\#
            "message":"http://127.0.0.1:1/","reason":"Ready","since":812345678.1234568}],\#
            "declaredFrom":"/srv/specs","failures":0,"generation":2,"id":"x1",\#
            "isApproved":false,"issuedHashes":[{"text":"v1:00"}],"keptPorts":{"8080":49153},\#
            "location":{"column":7,"file":"a.yaml","line":1},"name":"alice",\#
            "observed":{"config":{"name":"alice","noSuchField":[1,{"a":null}]},"id":"x1",\#
            "metadata":{},"name":"alice","network":{"ports":[],\#
            "urls":["http://127.0.0.1:1/"]},"notices":[],"ownership":{"generation":2,\#
            "id":"x1","name":"alice","specHash":{"text":"v1:00"},"swarm":"s"},\#
            "providerInstanceId":"c0ffee","providerName":"docker","providerRegion":"local",\#
            "readiness":{"notReady":{"_0":"a \"quote\"\n\u00e9\ud83e\udd80 \/"}},\#
            "resources":{"cpu":{"used":1e-05},"memory":{"limit":2048},"storage":{}},\#
            "status":"running","type":"docker"},"provider":"docker"}
            """#
        let record = try LedgerJSON.value(InstanceRecord.self, text)
        #expect(record.name == "alice" && record.generation == 2)
        #expect(record.applied?.env == ["A": "1"])
        #expect(record.applied?.resources.cpuCores == 0.5)
        #expect(record.keptPorts == [8080: 49153])
        #expect(record.conditions.first?.since?.timeIntervalSinceReferenceDate == 812345678.1234568)
        #expect(record.observed?.config.value == InstanceConfig(name: "alice"))
        #expect(record.observed?.readiness == .notReady("a \"quote\"\n\u{e9}\u{1F980} /"))
        #expect(record.observed?.resources.cpu.used == 0.00001)
        #expect(record.observed?.resources.memory.limit == 2048)
        #expect(record.hold == nil && record.adopted == nil && record.landing == nil)
        #expect(record.progress == nil && record.observed?.exit == nil)
    }

    /// What next to no record has, in a row in which it is there, and is null.
    @Test func aRowWithEverythingRareIsRead() throws {
        let text = #"""
            {"adopted":{"declared":"web","isOver":false,"provider":"docker",\#
            "providerInstanceId":"c0ffee","specHash":{"text":"v1:00"}},"conditions":[],\#
            "failures":0,"generation":0,"hold":{"by":"ann","since":812345678.5,"until":null},\#
            "id":"x1","issuedHashes":[],"keptPorts":{},"landing":{"provider":"fly",\#
            "seconds":30,"until":812345700},"name":"alice","observed":{\#
            "config":{"name":"alice"},"exit":{"code":137,"isOutOfMemory":true},"id":"x1",\#
            "metadata":{},"name":"alice","network":{"ports":[],"urls":[]},"notices":[],\#
            "ownership":{"generation":0,"id":"x1","name":"alice",\#
            "specHash":{"text":"v1:00"},"swarm":"s"},"providerInstanceId":"c0ffee",\#
            "providerName":"docker","providerRegion":"local","readiness":{"unknown":{}},\#
            "resources":{"cpu":{},"memory":{},"storage":{}},"status":"failed",\#
            "type":"docker"},"progress":null,"provider":"docker"}
            """#
        let record = try LedgerJSON.value(InstanceRecord.self, text)
        #expect(record.adopted?.declared == "web" && record.adopted?.isOver == false)
        #expect(record.hold?.by == "ann" && record.hold?.until == nil)
        #expect(record.landing?.seconds == 30)
        #expect(record.progress == nil)
        #expect(record.observed?.exit?.isOutOfMemory == true)
    }
}
