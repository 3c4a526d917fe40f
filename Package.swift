// swift-tools-version: 6.2
import PackageDescription

// One target for each box of the house; an arrow in Documentation.docc/Reading-the-Source is a
// dependency here, so the compiler refuses an import that points back.
let package = Package(
    name: "vault",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "vault", targets: ["VaultCLI"]),
        .library(name: "Vault", targets: ["Vault"]),
        .library(name: "VaultPluginKit", targets: ["VaultPluginKit"]),
        // For the package in Benchmarks, which builds only what it measures.
        .library(name: "VaultBase", targets: ["VaultBase"]),
        .library(name: "VaultCrypto", targets: ["VaultCrypto"]),
        .library(name: "VaultProviders", targets: ["VaultProviders"]),
        .library(name: "VaultRecords", targets: ["VaultRecords"]),
        .library(name: "VaultStore", targets: ["VaultStore"]),
    ],
    dependencies: [
        .package(url: "https://github.com/LebJe/TOMLKit.git", from: "0.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.9.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.2"),
        // Without its default traits Hummingbird needs no full Foundation: 50 MB less to install.
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        // C
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .target(name: "CVaultSandbox"),
        .target(name: "VaultABI"),

        // The house, from the ground up
        .target(name: "VaultBase"),
        .target(
            name: "VaultCrypto",
            // Crypto for P-256 alone, which libsodium has not.
            dependencies: ["CSodium", "VaultBase", .product(name: "Crypto", package: "swift-crypto")]),
        .target(name: "VaultStore", dependencies: ["CLMDB", "VaultBase"]),
        .target(name: "VaultRecords", dependencies: ["VaultBase", "VaultCrypto", "VaultStore"]),
        .target(name: "VaultPluginKit", dependencies: ["VaultABI"]),
        .target(name: "VaultProviders", dependencies: ["CVaultSandbox", "VaultABI", "VaultBase"]),
        .target(
            name: "Vault",
            dependencies: [
                "VaultBase", "VaultCrypto", "VaultProviders", "VaultRecords", "VaultStore",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "VaultHTTP",
            dependencies: [
                "Vault", "VaultBase", "VaultProviders", "VaultRecords",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [.embedInCode("Frontend"), .embedInCode("OpenAPI")]),
        .target(
            name: "VaultTesting",
            dependencies: [
                "Vault", "VaultBase", "VaultCrypto",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .executableTarget(
            name: "VaultCLI",
            dependencies: [
                "Vault", "VaultBase", "VaultCrypto", "VaultHTTP", "VaultProviders", "VaultRecords", "VaultStore",
                "VaultTesting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "TOMLKit", package: "TOMLKit"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),

        // Tests
        .target(name: "CVaultFaults", path: "Tests/Faults"),
        .target(name: "TestFolders", dependencies: ["VaultBase"], path: "Tests/Folders"),
        .testTarget(name: "VaultCryptoTests", dependencies: ["VaultBase", "VaultCrypto"]),
        .testTarget(
            name: "VaultStoreTests", dependencies: ["CLMDB", "CVaultFaults", "TestFolders", "VaultBase", "VaultStore"]),
        .testTarget(
            name: "VaultRecordsTests",
            dependencies: [
                "CSodium", "CVaultFaults", "TestFolders", "VaultBase", "VaultCrypto", "VaultRecords", "VaultStore",
            ],
            exclude: ["Vectors"]),
        .testTarget(
            name: "VaultProvidersTests", dependencies: ["VaultABI", "VaultBase", "VaultProviders"],
            exclude: ["Frozen"]),
        .testTarget(
            name: "VaultTests",
            dependencies: [
                "TestFolders", "Vault", "VaultBase", "VaultCrypto", "VaultProviders", "VaultRecords", "VaultStore",
                "VaultTesting",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "VaultHTTPTests",
            dependencies: [
                "TestFolders", "Vault", "VaultBase", "VaultCrypto", "VaultHTTP", "VaultProviders", "VaultRecords",
                "VaultStore",
                "VaultTesting",
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "VaultTestingTests",
            dependencies: [
                "VaultBase", "VaultCrypto", "VaultTesting",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .testTarget(
            name: "VaultCLITests", dependencies: ["TestFolders", "Vault", "VaultBase", "VaultCLI", "VaultProviders"]),
        .testTarget(name: "EndToEndTests", exclude: ["Scenarios"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11
)

for target in package.targets where target.type == .regular || target.type == .executable || target.type == .test {
    // C targets take no Swift settings.
    if ["CVaultFaults", "CVaultSandbox", "VaultABI"].contains(target.name) { continue }
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            // SE-0443: a warning of ours is mended, not scrolled past.
            .treatAllWarnings(as: .error),
            // SE-0335: `any` is written where a value is boxed.
            .enableUpcomingFeature("ExistentialAny"),
            // SE-0409: an import is internal unless it says `public`.
            .enableUpcomingFeature("InternalImportsByDefault"),
            // SE-0444: a member is visible only where its module is imported.
            .enableUpcomingFeature("MemberImportVisibility"),
        ]
}
