import Foundation
import Logging
import PalHTTP
import PalEditors
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

/// Against images that behave as the real ones are documented to; see `EditorImages`.
@Suite("Editors on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct EditorTests {
    private func withEditors(
        environment: [String: String] = [:], _ body: (TestSwarm) async throws -> Void
    ) async throws {
        try await EditorImages.ensure()
        try await TestSwarm.run(environment: environment, body)
    }

    private func createReady(
        _ swarm: TestSwarm, _ edit: (inout InstanceConfig) -> Void = { _ in }
    ) async throws -> VSCodeInstance {
        try await swarm.createReady("alice") {
            $0.image = EditorImages.codeServer
            edit(&$0)
        }
    }

    /// An answer of an editor, with the cookie that is given.
    private func ask(
        _ swarm: TestSwarm, _ url: String, method: String = "GET", cookie: String? = nil,
        body: String? = nil
    ) async throws -> (status: Int, cookie: String?, text: String) {
        let slash = try #require(url.dropFirst(7).firstIndex(of: "/"))
        var headers: [(name: String, value: String)] = []
        if let cookie { headers.append(("Cookie", cookie)) }
        let answer = try await swarm.engine.http.send(
            HTTPRequest(
                method, String(url[slash...]), headers: headers, body: body.map { Array($0.utf8) },
                closesConnection: true),
            to: .origin(String(url[..<slash])))
        let set = answer.headers["Set-Cookie"].map { String($0.prefix { $0 != ";" }) }
        return (answer.status, set, String(decoding: answer.body, as: UTF8.self))
    }

    private func password(_ access: EditorAccess) throws -> String {
        guard case .password(let value) = access.credential else {
            throw TestFailure("no password: \(access)")
        }
        return try #require(value.text)
    }

    @Test("code-server lets nobody in without the password that pal made, and who has it")
    func codeServer() async throws {
        try await withEditors { swarm in
            let made = try await createReady(swarm)
            let access = try await swarm.provider.getAccess(made.reference)
            let password = try password(access)
            #expect(password.count == 32)
            #expect(access.link == "\(access.address)?folder=/home/coder")

            #expect(try await ask(swarm, access.link).status == 302)
            let wrong = try await ask(
                swarm, access.address + "login", method: "POST", body: "password=wrong")
            #expect(wrong.status == 401)
            let right = try await ask(
                swarm, access.address + "login", method: "POST", body: "password=\(password)")
            #expect(right.status == 302)
            let cookie = try #require(right.cookie)
            #expect(cookie.hasPrefix("code-server-session-\(made.id)="))
            let page = try await ask(swarm, access.link, cookie: cookie)
            #expect(page.status == 200)
            #expect(page.text.contains("folder=/home/coder"))

            let told = try await swarm.engine.send(
                EngineCall("GET", "/containers/\(made.providerInstanceId)/json"))
            #expect(!String(decoding: told.body, as: UTF8.self).contains(password))
            let logs = try await swarm.provider.getInstanceLogs(made.reference, LogOptions())
            #expect(!logs.isEmpty && !logs.contains { $0.text.contains(password) })
        }
    }

    @Test("the password is kept over a replacement, and its file is its owner's alone")
    func replacement() async throws {
        try await withEditors { swarm in
            let made = try await createReady(swarm)
            let first = try password(try await swarm.provider.getAccess(made.reference))
            let file = try swarm.provider.settings.passwords.path(of: made.id)
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            _ = try await swarm.provider.deleteInstance(made.reference)
            let config = swarm.config("alice") {
                $0.image = EditorImages.codeServer
                $0.env = ["A": "b"]
            }
            let next = try await swarm.provider.createInstance(
                swarm.request(config, generation: 2))
            let ready = try await swarm.wait(next.reference) { $0.readiness.isReady }
            #expect(try password(try await swarm.provider.getAccess(ready.reference)) == first)
        }
    }

    @Test("a password whose file is lost is unknown until the instance is replaced")
    func lost() async throws {
        try await withEditors { swarm in
            let made = try await createReady(swarm)
            try FileManager.default.removeItem(
                atPath: swarm.provider.settings.passwords.path(of: made.id))
            guard
                case .unknown(let why) = try await swarm.provider.getAccess(made.reference)
                    .credential
            else { throw TestFailure("it is known") }
            #expect(why.contains("unknown until it is replaced"))
            // Nothing is made up meanwhile, and the editor goes on.
            let now = try #require(try await swarm.provider.getInstance(made.reference))
            #expect(now.readiness.isReady)
            _ = try await swarm.provider.deleteInstance(made.reference)
            let config = swarm.config("alice") { $0.image = EditorImages.codeServer }
            let next = try await swarm.provider.createInstance(
                swarm.request(config, generation: 2))
            _ = try password(try await swarm.provider.getAccess(next.reference))
        }
    }

    @Test("a secret PASSWORD is the editor's password, and pal makes none")
    func ownSecret() async throws {
        // What YAML would take for something else is quoted.
        let value = "yes: #no\"x"
        try await withEditors(environment: ["PAL_TEST_PASSWORD": value]) { swarm in
            let made = try await createReady(swarm) {
                $0.secrets = [
                    "PASSWORD": SecretReference(.texts(["fromEnv": "PAL_TEST_PASSWORD"]))
                ].compactMapValues(\.self)
            }
            guard
                case .unknown(let why) = try await swarm.provider.getAccess(made.reference)
                    .credential
            else { throw TestFailure("pal made one") }
            #expect(why.contains("secret"))
            let config = try await swarm.provider.executeCommand(
                made.reference, Command(["sh", "-c", "cat $CODE_SERVER_CONFIG"]))
            #expect(
                String(decoding: config.standardOutput, as: UTF8.self)
                    == "auth: password\npassword: \"yes: #no\\\"x\"\ncert: false\n")
            let file = try swarm.provider.settings.passwords.path(of: made.id)
            #expect(!FileManager.default.fileExists(atPath: file))
        }
    }

    @Test("env PASSWORD is left to the spec")
    func ownVariable() async throws {
        try await withEditors { swarm in
            let made = try await createReady(swarm) { $0.env = ["PASSWORD": "known"] }
            let access = try await swarm.provider.getAccess(made.reference)
            guard case .unknown = access.credential else { throw TestFailure("pal made one") }
            let right = try await ask(
                swarm, access.address + "login", method: "POST", body: "password=known")
            #expect(right.status == 302)
        }
    }

    @Test(
        "a secret HASHED_PASSWORD opens it to whoever knows what was hashed",
        arguments: [
            nil, "env",
        ])
    func hashedSecret(as form: String?) async throws {
        let hash = "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90"
        try await withEditors(environment: ["PAL_TEST_HASH": hash]) { swarm in
            let reference = ["fromEnv": "PAL_TEST_HASH", "as": form].compactMapValues(\.self)
            let secret = try #require(SecretReference(.texts(reference)))
            let made = try await createReady(swarm) { $0.secrets = ["HASHED_PASSWORD": secret] }
            let access = try await swarm.provider.getAccess(made.reference)
            guard case .unknown(let why) = access.credential else {
                throw TestFailure("pal made one")
            }
            #expect(why.contains("secret"))
            for (word, status) in [("alice", 302), ("bob", 401), (hash, 401)] {
                let answer = try await ask(
                    swarm, access.address + "login", method: "POST", body: "password=\(word)")
                #expect(answer.status == status, "\(word)")
            }
        }
    }

    /// pal showed a password that opened nothing.
    @Test("a command that lets everybody in is the spec's word, and pal makes no password")
    func withoutPassword() async throws {
        try await withEditors { swarm in
            let made = try await createReady(swarm) { $0.command = ["--auth", "none"] }
            let access = try await swarm.provider.getAccess(made.reference)
            guard case .unknown(let why) = access.credential else {
                throw TestFailure("pal made one")
            }
            #expect(why.contains("its spec says"))
            #expect(try await ask(swarm, access.link).status == 200)
        }
    }

    @Test("linuxserver.io's image reads variables alone, and without one it is said")
    func linuxServer() throws {
        let provider = DockerProvider(try dockerSettings(), logger: Logger(label: "test"))
        var config = InstanceConfig(name: "alice")
        config.image = "lscr.io/linuxserver/code-server:latest"
        #expect(EditorLock(for: config) == .own)
        #expect(provider.warnings(config).map(\.reason) == ["EditorWithoutPassword"])
        config.secrets = ["PASSWORD": SecretReference(.texts(["fromEnv": "X"]))]
            .compactMapValues(\.self)
        #expect(EditorLock(for: config) == .own, "a file is not read")
        #expect(provider.warnings(config).map(\.reason) == ["EditorWithoutPassword"])
        config.secrets = ["PASSWORD": SecretReference(.texts(["fromEnv": "X", "as": "env"]))]
            .compactMapValues(\.self)
        #expect(EditorLock(for: config) == .secret)
        #expect(provider.warnings(config).map(\.reason) == ["SecretInEnvironment"])
        config.secrets = nil
        config.editor = .custom
        #expect(provider.warnings(config).map(\.reason) == ["EditorWithoutPassword"])
        config.editor = nil
        config.env = ["PASSWORD": "x"]
        #expect(EditorLock(for: config) == .own && provider.warnings(config).isEmpty)
    }

    @Test("openvscode-server asks for the token, which its log does not show through pal")
    func openVSCode() async throws {
        try await withEditors { swarm in
            let made = try await createReady(swarm) {
                $0.editor = .openvscodeServer
                $0.image = EditorImages.openVSCodeServer
                $0.network.port = 3100
            }
            let access = try await swarm.provider.getAccess(made.reference)
            guard case .token(let value) = access.credential, let token = value.text else {
                throw TestFailure("no token: \(access)")
            }
            #expect(access.link.hasSuffix("/?tkn=\(token)&folder=/home/workspace"))
            #expect(try await ask(swarm, access.address).status == 403)
            #expect(try await ask(swarm, access.address + "?tkn=wrong").status == 403)
            let entered = try await ask(swarm, access.link)
            #expect(entered.status == 302)
            #expect(entered.cookie == "vscode-tkn=\(token)")
            #expect(try await ask(swarm, access.address, cookie: entered.cookie).status == 200)

            let logs = try await swarm.provider.getInstanceLogs(made.reference, LogOptions())
            #expect(logs.contains { $0.text.contains("?tkn=(token)") })
            #expect(!logs.contains { $0.text.contains(token) })
            let told = try await swarm.engine.send(
                EngineCall("GET", "/containers/\(made.providerInstanceId)/json"))
            #expect(!String(decoding: told.body, as: UTF8.self).contains(token))
        }
    }

    @Test("code serve-web is ready once its server has come, and asks for the token")
    func serveWeb() async throws {
        try await withEditors { swarm in
            let made = try await createReady(swarm) {
                $0.editor = .vscode
                $0.image = EditorImages.serveWeb
            }
            let access = try await swarm.provider.getAccess(made.reference)
            guard case .token(let value) = access.credential, let token = value.text else {
                throw TestFailure("no token: \(access)")
            }
            #expect(access.link.hasSuffix("/?tkn=\(token)&folder=/home/vscode"))
            #expect(try await ask(swarm, access.address).status == 403)
            let entered = try await ask(swarm, access.link)
            #expect(entered.status == 302)
            #expect(try await ask(swarm, access.address, cookie: entered.cookie).status == 200)
            let logs = try await swarm.provider.getInstanceLogs(made.reference, LogOptions())
            #expect(logs.contains { $0.text.contains("?tkn=(token)") })
            let told = try await swarm.engine.send(
                EngineCall("GET", "/containers/\(made.providerInstanceId)/json"))
            #expect(!String(decoding: told.body, as: UTF8.self).contains(token))
        }
    }

    @Test("who says --without-connection-token keeps the image's entry point")
    func withoutToken() async throws {
        try await withEditors { swarm in
            let made = try await createReady(swarm) {
                $0.editor = .openvscodeServer
                $0.image = EditorImages.openVSCodeServer
                $0.command = ["--without-connection-token"]
            }
            let access = try await swarm.provider.getAccess(made.reference)
            #expect(try await ask(swarm, access.address).status == 200)
            guard case .unknown = access.credential else { throw TestFailure("pal made one") }
        }
    }

    @Test("nothing of this is part of what a spec says: hashes are what they were")
    func hashes() throws {
        let provider = DockerProvider(try dockerSettings(), logger: Logger(label: "test"))
        let hashed = provider.getCapabilities().hashedFields
        var config = InstanceConfig(name: "alice")
        #expect(
            SpecHash(of: config, fields: hashed).text == "v1:e3b0c44298fc1c149afbf4c8996fb924")
        config.editor = .openvscodeServer
        let older = FieldSet(
            hashed.map(\.path).filter { $0 != "secrets" && $0 != "extensions" })
        #expect(SpecHash(of: config, fields: hashed) == SpecHash(of: config, fields: older))
    }
}
