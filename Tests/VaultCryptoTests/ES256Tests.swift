import Foundation
import Testing
import VaultBase
import VaultCrypto

/// Signatures against the openssl command: keys that it made, and its word on what we signed.
@Suite struct ES256Tests {
    static let hasOpenSSL = (try? openssl(["version"]))?.status == 0

    static func openssl(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    static func key(_ curve: String = "P-256") throws -> String {
        try openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(curve)"]).text
    }

    /// r and s as JWS has them (RFC 7518 §3.4) as the ASN.1 that openssl reads.
    static func der(_ signature: [UInt8]) -> [UInt8] {
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            var bytes = Array(bytes.drop { $0 == 0 })
            if bytes.first.map({ $0 >= 0x80 }) ?? true { bytes.insert(0, at: 0) }
            return [0x02, UInt8(bytes.count)] + bytes
        }
        let body = integer(signature[..<32]) + integer(signature[32...])
        return [0x30, UInt8(body.count)] + body
    }

    @Test(.enabled(if: hasOpenSSL, "the openssl command is not installed"))
    func opensslVerifiesWhatIsSigned() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "vault-es256-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let pem = try Self.key()
        let key = try ES256(pem: Secret(pem))
        try Data(key.publicKey.utf8).write(to: folder.appending(path: "public.pem"))
        func verifies(_ message: String, _ signature: [UInt8]) throws -> Bool {
            try Data(message.utf8).write(to: folder.appending(path: "message"))
            try Data(Self.der(signature)).write(to: folder.appending(path: "signature"))
            return try Self.openssl([
                "dgst", "-sha256", "-verify", folder.path + "/public.pem", "-signature", folder.path + "/signature",
                folder.path + "/message",
            ]).status == 0
        }
        for message in ["", "header.claims", String(repeating: "x", count: 5000)] {
            let signature = try key.signature(of: message.utf8)
            #expect(signature.count == 64)
            #expect(try verifies(message, signature))
            #expect(try !verifies(message + "x", signature))
            #expect(ES256.verifies(signature, of: message.utf8, publicKey: key.publicKey))
            #expect(!ES256.verifies(signature, of: "other".utf8, publicKey: key.publicKey))
        }
    }

    @Test(.enabled(if: hasOpenSSL, "the openssl command is not installed"))
    func onlyP256IsAKey() throws {
        for bad in [
            "", "no key", try Self.key("P-384"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ] {
            let error = #expect(throws: VaultError.self) { try ES256(pem: Secret(bad)) }
            #expect(error?.code == .settings)
            #expect(bad.isEmpty || error?.message.contains(bad) == false)
        }
        #expect(!ES256.verifies([UInt8](repeating: 1, count: 64), of: [], publicKey: "no key"))
        #expect(!ES256.verifies([1], of: [], publicKey: try ES256(pem: Secret(try Self.key())).publicKey))
    }
}
