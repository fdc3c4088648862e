import PalEditors
import PalHTTP
import PalModel
import PalProvider

/// Which app of Fly.io is meant and how it is reached: an entry of pal.yaml understood.
struct FlySettings: Sendable, Hashable {
    var name: String
    /// Where machines are made whose specs name no region.
    var region: String
    var swarm: String
    /// The app that holds the swarm's machines and volumes; made where it is missing.
    var app: String
    /// What keeps it from being used, of what pal.yaml does not say of Fly.io itself: the provider
    /// is there also for those who never use it.
    var flaw: String?
    /// Whose it is.
    var organization: String
    /// The kinds of addresses that the app gets.
    var addresses: [String]
    var token: TokenSource
    /// Of the Machines API.
    var machines: Endpoint
    /// Of the logs.
    var logs: Endpoint
    /// The generated passwords, on this machine.
    var passwords: PasswordStore
    /// Where secrets come from.
    var secrets: SecretReader

    /// The kinds of addresses that Fly.io gives.
    static let kinds = ["v6", "shared_v4", "v4"]

    /// The keys of an entry's `specific`.
    static let keys: [Shape.Member] = [
        .init("app", .text(FlyName.appRule), "The app of the swarm."),
        .init("org", .text(.nonEmpty), "The organization that the app belongs to."),
        .init("ips", .list(.choice(kinds)), "The addresses that the app gets."),
        .init("tokenFile", .text(.absolutePath), "The file that holds the token."),
    ]

    /// Reads an entry of pal.yaml. `FLY_API_TOKEN`, `FLY_FLAPS_BASE_URL` and `FLY_API_BASE_URL`
    /// mean what they mean to the `fly` command.
    /// - Throws: A configuration error for unknown keys and values of theirs.
    init(_ settings: ProviderSettings) throws(ProviderFailure) {
        try settings.check(Self.keys)
        func text(_ key: String) -> String? { settings.specific[key].flatMap { String($0) } }
        name = settings.name
        swarm = settings.swarm
        region = settings.region ?? settings.environment["FLY_REGION"] ?? "iad"
        app = text("app") ?? "pal-\(settings.swarm)"
        if !FlyName.isRegion(region) {
            flaw =
                "provider '\(settings.name)': '\(region)' is no region of Fly.io; name one such as "
                + "fra (https://fly.io/docs/reference/regions/)"
        } else if !FlyName.isApp(app) {
            flaw =
                "provider '\(settings.name)': the swarm '\(swarm)' makes no name of an app; set "
                + "specific.app to \(FlyName.appRule.expectation)"
        }
        organization = text("org") ?? settings.environment["FLY_ORG"] ?? "personal"
        addresses = settings.specific["ips"].flatMap { [String]($0) } ?? ["v6", "shared_v4"]
        token = TokenSource(file: text("tokenFile"), environment: settings.environment)
        machines = .origin(
            settings.environment["FLY_FLAPS_BASE_URL"] ?? "https://api.machines.dev")
        logs = .origin(settings.environment["FLY_API_BASE_URL"] ?? "https://api.fly.io")
        passwords = PasswordStore(
            directory: "\(settings.dataDirectory)/\(settings.name)/passwords")
        secrets = SecretReader(environment: settings.environment)
    }

    /// The host name under which the app is reached.
    var host: String { "\(app).fly.dev" }
}
