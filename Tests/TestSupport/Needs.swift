import Foundation
import Glibc
public import Testing

/// What a test needs of the machine.
public enum Needs {
    /// Whether whatever is missing is a failure, and no reason to skip anything: `CI=true`.
    public static let areBinding = ProcessInfo.processInfo.environment["CI"] == "true"

    /// Whether programs are here, or their lack shows by failing.
    public static func has(_ programs: String...) -> Bool {
        areBinding || programs.allSatisfy { access($0, X_OK) == 0 }
    }

    /// Whether this is root, or its lack shows by failing.
    public static var hasRoot: Bool { areBinding || geteuid() == 0 }
}

extension Trait where Self == ConditionTrait {
    /// Skips what only root can do.
    public static var needsRoot: Self { .enabled(if: Needs.hasRoot, "only root can do that") }
}
