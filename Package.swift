// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors in CI only: a newer compiler must not break a user's build.
let warningsAreErrors = Context.environment["CI"] == "true"

let swift: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (warningsAreErrors ? [.treatAllWarnings(as: .error)] : [])

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let hashTree = Target.Dependency.product(
    name: "HashTreeCollections", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// Only Tests/scripts/fuzz.sh has libFuzzer's runtime to link with.
let fuzzing: [Target] =
    Context.environment["PAL_FUZZ"] == nil
    ? []
    : [
        .systemLibrary(name: "CFuzzer", path: "Tests/CFuzzer"),
        .executableTarget(
            name: "pal-fuzz",
            dependencies: [
                "CFuzzer", "PalModel", "PalHTTP", "PalProvider", "PalSpecs", "DockerProvider",
            ],
            path: "Tests/pal-fuzz", exclude: ["words"], swiftSettings: swift),
    ]

let package = Package(
    name: "pal",
    products: [.executable(name: "pal", targets: ["pal"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
        // Only what is under Tests/ is linked with it.
        .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
    ],
    targets: [
        // Floor 0: values, and the C shims.
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CLinux"),
        .target(name: "PalModel", dependencies: [crypto], swiftSettings: swift),

        // Floor 1: what providers and the outside world are made of.
        .target(name: "PalFiles", dependencies: ["CLinux", subprocess], swiftSettings: swift),
        .target(name: "PalHTTP", dependencies: ["CCurl", "CLinux"], swiftSettings: swift),
        .target(name: "PalProvider", dependencies: ["PalModel", logging], swiftSettings: swift),

        // Floor 2: the engine, and what is known of editors in images.
        .target(
            name: "PalEditors", dependencies: ["PalModel", "PalFiles", "PalProvider"],
            swiftSettings: swift),
        .target(
            name: "PalEngine",
            dependencies: ["PalModel", "PalProvider", deque, hashTree, heap, logging],
            swiftSettings: swift),

        // Floor 3: what the engine's protocols are implemented with.
        .target(
            name: "PalSpecs",
            dependencies: ["PalModel", "PalFiles", "PalEngine", yams],
            swiftSettings: swift),
        .target(
            name: "PalLedger",
            dependencies: ["PalModel", "PalFiles", "PalEngine", grdb],
            swiftSettings: swift),
        .target(
            name: "DockerProvider",
            dependencies: [
                "PalModel", "PalProvider", "PalEditors", "PalFiles", "PalHTTP", logging, subprocess,
                systemPackage,
            ],
            path: "Sources/Providers/Docker", swiftSettings: swift),
        .target(
            name: "FlyProvider",
            dependencies: [
                "PalModel", "PalProvider", "PalEditors", "PalFiles", "PalHTTP", logging,
            ],
            path: "Sources/Providers/Fly", swiftSettings: swift),
        .target(
            name: "ProcessProvider",
            dependencies: [
                "CLinux", "PalModel", "PalProvider", "PalFiles", "PalHTTP", logging, subprocess,
                systemPackage,
            ],
            path: "Sources/Providers/Process", swiftSettings: swift),

        // Floor 4: faces.
        .target(
            name: "PalImport",
            dependencies: ["PalEditors", "PalModel", "PalProvider", "PalSpecs"],
            swiftSettings: swift),

        // Floor 5: the command line, and the one place that puts the parts together.
        .executableTarget(
            name: "pal",
            dependencies: [
                "PalModel", "PalFiles", "PalProvider", "PalEngine", "PalSpecs", "PalLedger",
                "PalImport", "DockerProvider", "FlyProvider", "ProcessProvider", argumentParser,
                logging, yams,
            ],
            swiftSettings: swift),

        // Tests, each beside what it tests.
        .testTarget(
            name: "PalModelTests", dependencies: ["PalModel"], swiftSettings: swift),
        .testTarget(
            name: "PalHTTPTests", dependencies: ["PalHTTP", "TestSupport"], swiftSettings: swift),
        .testTarget(
            name: "PalFilesTests", dependencies: ["PalFiles", "TestSupport"], swiftSettings: swift),
        .testTarget(
            name: "PalEngineTests",
            dependencies: [
                "PalModel", "PalProvider", "PalEngine", "PalLedger", "TestSupport", logging,
            ],
            swiftSettings: swift),
        .testTarget(
            name: "PalSpecsTests",
            dependencies: ["PalModel", "PalFiles", "PalEngine", "PalSpecs", "TestSupport"],
            swiftSettings: swift),
        .testTarget(
            name: "PalImportTests",
            dependencies: ["PalModel", "PalEngine", "PalSpecs", "PalImport"],
            swiftSettings: swift),
        .testTarget(
            name: "PalLedgerTests",
            dependencies: ["PalModel", "PalFiles", "PalEngine", "PalLedger", grdb],
            swiftSettings: swift),
        .testTarget(
            name: "DockerProviderTests",
            dependencies: [
                "PalModel", "PalHTTP", "PalProvider", "PalEditors", "DockerProvider", "TestSupport",
                flyingFox, logging,
            ],
            swiftSettings: swift),
        .testTarget(
            name: "ProcessProviderTests",
            dependencies: [
                "CLinux", "PalModel", "PalFiles", "PalHTTP", "PalProvider", "ProcessProvider",
                "ProcessProviderFixture", logging,
            ],
            swiftSettings: swift),
        .executableTarget(
            name: "ProcessProviderFixture",
            dependencies: ["PalModel", "PalProvider", "ProcessProvider", logging],
            path: "Tests/ProcessProviderFixture", swiftSettings: swift),
        .executableTarget(
            name: "CrashFixture",
            dependencies: [
                "PalModel", "PalProvider", "PalEngine", "PalSpecs", "PalLedger", "DockerProvider",
                "ProcessProvider", logging,
            ],
            path: "Tests/CrashFixture", swiftSettings: swift),
        .target(
            name: "TestSupport",
            dependencies: [
                "CLinux", "PalModel", "PalHTTP", "PalProvider", "DockerProvider",
                "ProcessProvider", logging,
            ],
            path: "Tests/TestSupport", swiftSettings: swift),
        .target(
            name: "FlyEmulation", dependencies: [flyingFox], path: "Tests/FlyEmulation",
            swiftSettings: swift),
        .executableTarget(
            name: "fly-emulation", dependencies: ["FlyEmulation"], path: "Tests/fly-emulation",
            swiftSettings: swift),
        .testTarget(
            name: "FlyEmulationTests", dependencies: ["FlyEmulation"], swiftSettings: swift),
        .testTarget(
            name: "FlyProviderTests",
            dependencies: [
                "PalModel", "PalHTTP", "PalProvider", "FlyProvider", "FlyEmulation", "TestSupport",
                logging,
            ],
            swiftSettings: swift),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "pal", "CrashFixture", "FlyEmulation", "FlyProvider", "TestSupport", "PalModel",
                "PalHTTP", "PalProvider",
                "PalEngine", "PalLedger", "DockerProvider", logging,
            ],
            swiftSettings: swift),
        .testTarget(
            name: "TidyTests", dependencies: ["PalModel", "PalSpecs"], swiftSettings: swift),
        .target(
            name: "Simulation",
            dependencies: [
                "PalModel", "PalFiles", "PalProvider", "PalEngine", "PalSpecs", "PalLedger",
                logging,
            ],
            path: "Tests/Simulation", swiftSettings: swift),
        .testTarget(
            name: "SimulationTests", dependencies: ["Simulation"], swiftSettings: swift),
        .executableTarget(
            name: "pal-sim", dependencies: ["Simulation", argumentParser],
            path: "Tests/pal-sim", swiftSettings: swift),
        .executableTarget(
            name: "pal-bench",
            dependencies: [
                "PalModel", "PalFiles", "PalHTTP", "PalProvider", "PalEngine", "PalSpecs",
                "PalLedger",
                "DockerProvider", "FlyProvider", "FlyEmulation", "TestSupport", argumentParser,
                logging, subprocess, yams,
            ],
            path: "Tests/pal-bench", swiftSettings: swift),
    ] + fuzzing
)
