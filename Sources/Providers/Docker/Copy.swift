internal import FoundationEssentials
import Glibc
import PalFiles
import PalHTTP
public import PalModel
public import PalProvider

/// Files go in and out by the Engine's archives, whether the container runs or not.
extension DockerProvider: CopyingProvider {
    /// What stands at a path of the container.
    public func pathKind(
        _ reference: InstanceReference, _ path: String
    ) async throws(ProviderFailure) -> PathKind? {
        let detail = try await require(reference)
        var path = path
        for _ in 0..<Self.mostLinks {
            guard let stat = try await stat(detail, path) else { return nil }
            guard stat.mode & PathStat.link != 0 else {
                return stat.mode & PathStat.directory != 0 ? .directory : .file
            }
            // The Engine gives the place that a link leads to, as far as it is another.
            guard let target = stat.linkTarget, target != path else { return nil }
            path = target
        }
        return nil
    }

    private static let mostLinks = 8

    /// What the Engine says of a path; nil where nothing stands there.
    private func stat(
        _ detail: ContainerDetail, _ path: String
    ) async throws(ProviderFailure) -> PathStat? {
        let response = try await headArchive(detail, path)
        if response.status == 404 { return nil }
        guard response.status == 200, let header = response.headers[Self.statHeader],
            let bytes = Data(base64Encoded: header),
            let stat = try? JSONDecoder().decode(PathStat.self, from: bytes)
        else {
            throw .unexpected(
                EngineAnswer(status: response.status, body: response.body),
                doing: "look at \(path) in \(detail.plainName)", changesSomething: false)
        }
        return stat
    }

    private static let statHeader = "X-Docker-Container-Path-Stat"

    /// What the Engine says of a path, in Go's own numbers.
    private struct PathStat: Decodable {
        var mode: UInt32
        var linkTarget: String?
        static let directory: UInt32 = 1 << 31
        static let link: UInt32 = 1 << 27
    }

    private func headArchive(
        _ detail: ContainerDetail, _ path: String
    ) async throws(ProviderFailure) -> HTTPResponse {
        let call = EngineCall(
            "HEAD", "/containers/\(detail.id)/archive", query: [("path", path)])
        let version = try await engine.version().text
        do throws(HTTPError) {
            return try await engine.http.send(
                call.request(version: version), to: engine.endpoint)
        } catch {
            throw engine.failure(error, changesSomething: false)
        }
    }

    /// What stands at a path of the container, and all below it.
    public func fetchArchive(
        _ reference: InstanceReference, _ path: String, into archive: String
    ) async throws(ProviderFailure) {
        let detail = try await require(reference)
        let stream = try await engine.stream(
            EngineCall("GET", "/containers/\(detail.id)/archive", query: [("path", path)]))
        guard stream.status == 200 else {
            let answer = try await engine.answer(of: stream)
            if answer.status == 404 {
                throw .notFound("there is no \(path) in \(detail.plainName)")
            }
            throw .unexpected(
                answer, doing: "copy \(path) out of \(detail.plainName)", changesSomething: false)
        }
        let file = open(archive, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw .invalid(SystemError("create", archive, code: errno).description)
        }
        defer { close(file) }
        let bytes = stream.makeAsyncIterator()
        while let piece = try await next(bytes) {
            do throws(SystemError) {
                try writeAll(piece, to: file, path: archive)
            } catch {
                throw .invalid(error.description)
            }
        }
    }

    private func next(
        _ bytes: HTTPStream.Iterator
    ) async throws(ProviderFailure) -> [UInt8]? {
        do throws(HTTPError) {
            return try await bytes.next()
        } catch {
            throw engine.failure(error, changesSomething: false)
        }
    }

    /// Unpacks an archive in a directory of the container. Owners keep their numbers. Not by
    /// `copyUIDGID`: Docker 20.10 looks for the container's user on its own host, and refuses one
    /// that is not there.
    public func storeArchive(
        _ reference: InstanceReference, _ archive: String, in directory: String
    ) async throws(ProviderFailure) {
        let detail = try await require(reference)
        var call = EngineCall(
            "PUT", "/containers/\(detail.id)/archive",
            query: [("path", directory)], timeout: .seconds(3600))
        call.archiveFile = archive
        let answer = try await engine.send(call)
        if answer.isSuccess { return }
        if answer.status == 404 {
            throw .notFound("there is no directory \(directory) in \(detail.plainName)")
        }
        if answer.status == 403 || answer.message.contains("read-only") {
            throw .instance(
                .wrongState, "\(directory) in \(detail.plainName) cannot be written to",
                cause: answer.message, isRetryable: false)
        }
        throw .unexpected(
            answer, doing: "copy into \(directory) of \(detail.plainName)", changesSomething: true)
    }
}
