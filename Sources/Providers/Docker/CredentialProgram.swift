internal import FoundationEssentials
import PalProvider
import Subprocess
import SystemPackage

/// A program of the docker command's that keeps logins: `docker-credential-<suffix>`.
///
/// It is told the server on its standard input and answers on its standard output; nothing of
/// either stands in an argument or in a message.
struct CredentialProgram: Sendable {
    let suffix: String
    let environment: [String: String]
    let clock: any Clock<Duration>

    private static let limit = 64 << 10
    private static let patience = Duration.seconds(60)

    private struct Answer: Decodable {
        var Username: String
        var Secret: String
    }

    private enum Outcome: Sendable {
        case ended(isGood: Bool, output: [UInt8])
        case failed(String)
    }

    private var name: String { "docker-credential-\(suffix)" }

    /// What it knows of a server; nil where it knows nothing.
    func login(to server: String) async throws(ProviderFailure) -> RegistryLogin? {
        guard server.utf8.count < Self.largestServer else {
            throw failure("a server", "the server's name is too long")
        }
        guard !suffix.isEmpty, suffix.utf8.allSatisfy(Self.isPlain) else {
            throw failure(server, "its name in the docker command's config is not one")
        }
        switch await run(server) {
        case .failed(let why): throw failure(server, why)
        case .ended(false, let output):
            // The one failure that is none, in the words of the protocol.
            if String(decoding: output, as: UTF8.self).contains("credentials not found") {
                return nil
            }
            throw failure(server, "it failed")
        case .ended(true, let output):
            guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(output)) else {
                throw failure(server, "it did not answer with a login")
            }
            guard !answer.Username.isEmpty || !answer.Secret.isEmpty else { return nil }
            return RegistryLogin(user: answer.Username, secret: answer.Secret, server: server)
        }
    }

    private func run(_ server: String) async -> Outcome {
        await withTaskGroup(of: Outcome.self) { group in
            group.addTask { await perform(server) }
            group.addTask {
                try? await clock.sleep(for: Self.patience)
                return .failed("it did not answer within a minute")
            }
            let first = await group.next() ?? .failed("it was not run")
            group.cancelAll()
            return first
        }
    }

    private func perform(_ server: String) async -> Outcome {
        let variables = environment.reduce(into: [Environment.Key: String]()) { result, entry in
            if let key = Environment.Key(rawValue: entry.key) { result[key] = entry.value }
        }
        do {
            let input = try Self.input(server)
            let result = try await Subprocess.run(
                .name(name), arguments: ["get"], environment: .custom(variables),
                input: .fileDescriptor(input, closeAfterSpawningProcess: true),
                output: .bytes(limit: Self.limit), error: .discarded)
            let isGood = if case .exited(0) = result.terminationStatus { true } else { false }
            return .ended(isGood: isGood, output: result.standardOutput)
        } catch let error as SubprocessError where error.code == .outputLimitExceeded {
            return .failed("it answered with more than a login")
        } catch {
            return .failed("it cannot be run; is it on the PATH of pal?")
        }
    }

    /// A pipe that holds what is to be read. Filled before there is a reader: a program that ends
    /// without reading would make a later write raise SIGPIPE, which ends the whole of pal.
    private static func input(_ server: String) throws -> FileDescriptor {
        let (reading, writing) = try FileDescriptor.pipe()
        try writing.closeAfter {
            _ = try writing.writeAll((server + "\n").utf8)
        }
        return reading
    }

    /// What a pipe takes without a reader, at the least.
    private static let largestServer = 4096

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "._-".utf8.contains(byte)
        }
    }

    private func failure(_ server: String, _ why: String) -> ProviderFailure {
        .instance(
            .pullFailed,
            "\(name), which keeps the login for \(server), gave none: \(why); mend that, log in "
                + "again (docker login), or take it out of the docker command's config",
            isRetryable: true)
    }
}
