import CLinux
import Foundation
import Glibc

/// A built program at a terminal of its own, used as a person uses one.
public final class TerminalProgram {
    /// The program's side of the terminal.
    private let inner: Int32
    private let outer: Int32
    private let process = Process()
    private let before: termios

    /// Starts pal as the leader of a session whose terminal this is.
    public init(
        _ arguments: [String], environment: [String: String], directory: String,
        rows: UInt16, columns: UInt16
    ) throws {
        var name = [CChar](repeating: 0, count: 128)
        outer = pal_open_terminal(&name, name.count)
        guard outer >= 0 else { throw TestFailure("there is no terminal to be had") }
        inner = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        var window = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(outer, UInt(TIOCSWINSZ), &window)
        before = Self.settings(inner)
        process.executableURL = URL(filePath: "/usr/bin/setsid")
        process.arguments = ["--ctty", "--wait", PalProgram.pal] + arguments
        process.environment = ["PATH": "/usr/bin:/bin", "TERM": "xterm"].merging(environment) { $1 }
        process.currentDirectoryURL = URL(filePath: directory)
        let handle = FileHandle(fileDescriptor: inner, closeOnDealloc: false)
        process.standardInput = handle
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
    }

    deinit {
        if process.isRunning { process.terminate() }
        close(inner)
        close(outer)
    }

    private static func settings(_ descriptor: Int32) -> termios {
        var settings = termios()
        tcgetattr(descriptor, &settings)
        return settings
    }

    /// Whether keys go to the program one by one and unseen.
    public var isRaw: Bool {
        Self.settings(inner).c_lflag & UInt32(ICANON | ECHO) == 0
    }

    /// Whether the terminal is as it was before the program.
    public var isRestored: Bool {
        let now = Self.settings(inner)
        return now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag
            && now.c_oflag == before.c_oflag && now.c_cflag == before.c_cflag
    }

    /// Types.
    public func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(outer, bytes, bytes.count)
    }

    /// Changes the terminal's size.
    public func resize(rows: UInt16, columns: UInt16) {
        var window = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(outer, UInt(TIOCSWINSZ), &window)
    }

    /// Sends a signal to the program that has the terminal.
    public func signal(_ number: Int32) { kill(-tcgetpgrp(outer), number) }

    /// Reads what is shown until the text is, for a minute at most. Gives what was read.
    @discardableResult
    public func read(until text: String) async throws -> String {
        let outer = outer
        let seen = await withCheckedContinuation { continuation in
            TestThread.start {
                var seen: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 4096)
                while !String(decoding: seen, as: UTF8.self).contains(text) {
                    var polled = pollfd(fd: outer, events: Int16(POLLIN), revents: 0)
                    guard poll(&polled, 1, 60_000) > 0 else { break }
                    let count = Glibc.read(outer, &chunk, chunk.count)
                    guard count > 0 else { break }
                    seen += chunk[..<count]
                }
                continuation.resume(returning: String(decoding: seen, as: UTF8.self))
            }
        }
        guard seen.contains(text) else {
            throw TestFailure("never shown: \(text); only \(seen.debugDescription)")
        }
        return seen
    }

    /// Waits for the program's end, and gives its exit code.
    public func end() async -> Int32 {
        let process = process
        return await withCheckedContinuation { continuation in
            TestThread.start {
                process.waitUntilExit()
                continuation.resume(returning: process.terminationStatus)
            }
        }
    }
}
