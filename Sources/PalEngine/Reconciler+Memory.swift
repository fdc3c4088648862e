internal import PalModel

extension Reconciler {
    /// Tells, once for each time, that the kernel ended something in an instance for want of memory
    /// though the instance runs: the platform started it again, or it was not its first process.
    func noteMemoryDeath(_ key: Key) {
        guard let instance = key.instance?.value, let exit = instance.exit, exit.isOutOfMemory,
            [.running, .starting].contains(instance.status), exit != key.attempts.countedExit
        else { return }
        key.attempts.countedExit = exit
        let limit = instance.config.resources.memoryMax
        note(
            key.name, .warning, "OutOfMemory",
            limit.map {
                "a process in it was ended for want of memory: resources.memory.max is \($0) MiB; "
                    + "raise it"
            } ?? "a process in it was ended for want of memory: the machine has no more")
    }
}
