internal import PalModel

/// The end of trying: a declaration that failed so often in a row is left alone until it changes,
/// or until somebody asks for another attempt.
enum Stall {
    /// Why a plan is not made; nil where it is.
    ///
    /// What only takes something away, or ends a replacement, is no attempt at what is declared,
    /// and is made however often that has failed.
    static func condition(
        of plan: InstancePlan, _ record: InstanceRecord?, after limit: Int, because last: String?
    ) -> Condition? {
        guard let failures = record?.failures, failures >= limit,
            plan.steps.contains(where: { [.create, .start, .update].contains($0.verb) })
        else { return nil }
        return Condition(
            .stalled, reason: "TooManyFailures",
            message: "failed \(failures) times in a row\(last.map { ": \($0)" } ?? ""); change the "
                + "spec, or 'pal retry \(plan.name)' to try again")
    }
}
