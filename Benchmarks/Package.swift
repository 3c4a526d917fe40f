// swift-tools-version: 6.2
import PackageDescription

// The figures of the README: `make bench` in the folder above builds and runs everything here.
let package = Package(
    name: "vault-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "vault", path: ".."),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.14.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
    ],
    targets: [
        // Beside Baseline/, which does the same in C. Needs none of the network libraries.
        .executableTarget(
            name: "storage-bench",
            dependencies: [
                .product(name: "VaultBase", package: "vault"),
                .product(name: "VaultCrypto", package: "vault"),
                .product(name: "VaultRecords", package: "vault"),
                .product(name: "VaultStore", package: "vault"),
            ],
            path: "Storage"),
        .executableTarget(
            name: "plugin-bench",
            dependencies: [
                .product(name: "VaultBase", package: "vault"),
                .product(name: "VaultProviders", package: "vault"),
            ],
            path: "Plugins", exclude: ["plugin.c"]),
        // What HTTP costs by itself.
        .executableTarget(
            name: "floor-server",
            dependencies: [
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Floor"),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets {
    target.swiftSettings = [
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
}
