import Glibc
import PalFiles
import PalProvider

/// The errors of this provider in the shape that all providers share.
extension ProviderFailure {
    static func instance(
        _ code: ProviderError.Code, _ message: String, isRetryable: Bool = false
    ) -> ProviderFailure {
        .error(ProviderError(.instance, code, message, isRetryable: isRetryable))
    }

    static func configuration(_ message: String) -> ProviderFailure {
        .error(ProviderError(.configuration, .invalidConfig, message, isRetryable: false))
    }

    /// The machine itself did not do what was asked.
    static func machine(_ message: String, cause: String? = nil) -> ProviderFailure {
        .error(
            ProviderError(.provider, .platformFailure, message, cause: cause, isRetryable: true))
    }

    static func system(_ error: SystemError) -> ProviderFailure {
        switch error.code {
        case EACCES, EPERM, EROFS:
            .error(
                ProviderError(
                    .provider, .notPermitted,
                    "\(error); give the user that runs pal the right to", isRetryable: true))
        case ENOSPC, EDQUOT:
            .machine("\(error); free space on that file system")
        default: .machine(error.description)
        }
    }

    static func file(_ failure: JSONFile.Failure) -> ProviderFailure {
        .machine(failure.description)
    }

    static func noInstance(_ what: String) -> ProviderFailure {
        .instance(.notFound, "there is no instance '\(what)'")
    }
}

extension ProviderError.Code {
    /// The program to run is not on this machine.
    static let programMissing = ProviderError.Code(rawValue: "ProgramMissing")
    /// The working directory is not there.
    static let workspaceMissing = ProviderError.Code(rawValue: "WorkspaceMissing")
    /// A command wrote more than pal takes.
    static let outputTooLarge = ProviderError.Code(rawValue: "OutputTooLarge")
}
