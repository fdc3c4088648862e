internal import Subprocess

/// The system's `tar`, by which files are packed and unpacked; GNU's, as every Debian has it.
///
/// It takes no name out of an archive for a place outside: it strips leading slashes, refuses `..`,
/// and makes links that lead elsewhere last of all.
public enum TarProgram {
    /// It could not be run, or it failed; in its own last words.
    public struct Failure: Error, CustomStringConvertible {
        /// What it said.
        public let description: String
    }

    /// Packs what stands at an absolute path, and all below it, with the numbers of their owners.
    ///
    /// - Parameters:
    ///   - name: What its root entry is called; its own name where nil.
    ///   - archive: The file that is made.
    public static func pack(
        _ path: String, as name: String? = nil, into archive: String
    ) async throws(Failure) {
        let (directory, last) = RealPath.split(path)
        try await run(
            ["--create", "--file", archive, "--numeric-owner"]
                + renaming(last, name) + ["--directory", directory, "--", last])
    }

    /// Unpacks an archive in a directory that stands, for the user that runs this.
    ///
    /// - Parameters:
    ///   - root: The name of the archive's root entry.
    ///   - name: What that is to be called; nil for its contents alone, without itself.
    public static func unpack(
        _ archive: String, root: String, as name: String?, in directory: String
    ) async throws(Failure) {
        try await run(
            unpacking(archive, directory)
                + (name == nil ? ["--strip-components=1"] : renaming(root, name)))
    }

    /// Unpacks an archive as it is in a directory that stands, for the user that runs this.
    public static func unpack(_ archive: String, in directory: String) async throws(Failure) {
        try await run(unpacking(archive, directory))
    }

    private static func unpacking(_ archive: String, _ directory: String) -> [String] {
        ["--extract", "--file", archive, "--no-same-owner", "--directory", directory]
    }

    /// Its `--transform` takes an expression of sed's: only the root entry, and where a link inside
    /// leads stays as it is.
    private static func renaming(_ old: String, _ new: String?) -> [String] {
        guard let new, new != old else { return [] }
        let special = Set<Character>(["\\", ".", "*", "[", "]", "^", "$", ","])
        let pattern = old.map { special.contains($0) ? "\\\($0)" : String($0) }.joined()
        let escaped = new.map { ["\\", "&", ","].contains($0) ? "\\\($0)" : String($0) }.joined()
        return ["--transform=s,^\(pattern)\\(/\\|$\\),\(escaped)\\1,S"]
    }

    private static func run(_ arguments: [String]) async throws(Failure) {
        do {
            let result = try await Subprocess.run(
                .name("tar"), arguments: .init(arguments), input: .none, output: .discarded,
                error: .bytes(limit: 1 << 20))
            if case .exited(0) = result.terminationStatus { return }
            let said = String(decoding: result.standardError, as: UTF8.self)
                .split(whereSeparator: \.isNewline).first { !$0.contains("Exiting with failure") }
            throw Failure(description: said.map(String.init) ?? "tar failed")
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "tar cannot be run: \(error); install it")
        }
    }
}
