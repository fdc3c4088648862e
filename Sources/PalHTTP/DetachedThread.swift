#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A detached thread of the system: an executor's thread must not be blocked in a poll.
enum DetachedThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread that runs `body` with all signals blocked: they are for other threads, and
    /// a write to a dead connection then fails instead of raising SIGPIPE.
    static func start(_ body: @escaping @Sendable () -> Void, orElse fail: () -> Void) {
        let body = Unmanaged.passRetained(
            Body {
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_SETMASK, &all, nil)
                body()
            })
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            body.release()
            return fail()
        }
        pthread_detach(thread)
    }
}
