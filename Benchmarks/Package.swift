// swift-tools-version: 6.2
import PackageDescription

// The figures of the README: `make bench` in the folder above builds and runs everything here.
let package = Package(
    name: "vault-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "vault", path: "..")
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
            path: "Storage")
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
