import Testing
import VaultBase

@testable import VaultCLI

/// Keys and secrets, wherever they are pointed at.
@Suite struct KeyTests {
    static func settings(_ key: String, _ more: [String: String] = [:]) throws -> Settings {
        let options = ([("key.source", key)] + more.map { ($0.key, $0.value) }).map {
            (path: $0.0, value: $0.1, option: "--x")
        }
        return try SettingsReader.read(nil, options: options)
    }

    @Test func aKeyFileIsMadeOnceForItsOwnerAlone() throws {
        let folder = try Folder()
        let source = try RootKeySource(Self.settings("file:\(folder.path("deep/v.key"))"), environment: [:])
        try source.create()
        let text = try folder.read("deep/v.key")
        #expect(text.utf8.count == 65)
        #expect(throws: VaultError.self) { try source.create() }
        #expect(try folder.read("deep/v.key") == text)
        _ = try source.fetch(environment: [:])
    }

    @Test(arguments: [
        String(repeating: "ab", count: 32), String(repeating: "AB", count: 32) + "\n",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
    ]) func aKeyIsReadAsHexOrBase64(_ text: String) {
        #expect(RootKeySource.read(Array(text.utf8), mayBeRaw: false)?.count == 32)
    }

    @Test(arguments: ["", "short", String(repeating: "a", count: 32), String(repeating: "ab", count: 31)])
    func anythingElseIsNoKey(_ text: String) {
        #expect(RootKeySource.read(Array(text.utf8), mayBeRaw: false) == nil)
    }

    @Test func aKeyOthersCanReadIsRefused() throws {
        let folder = try Folder()
        try folder.write("v.key", String(repeating: "ab", count: 32), mode: 0o644)
        let source = try RootKeySource(Self.settings("file:\(folder.path("v.key"))"), environment: [:])
        let error = #expect(throws: VaultError.self) { try source.fetch(environment: [:]) }
        #expect(error?.message.contains("can be read by others") == true)
        #expect(error?.hint?.contains("chmod 0400") == true)
    }

    @Test func theCommandLineWinsOverEncryptionKey() throws {
        let environment = ["ENCRYPTION_KEY": String(repeating: "ab", count: 32)]
        let file = try SettingsReader.read(nil, environment: environment)
        #expect(try RootKeySource(file, environment: environment).words == "ENCRYPTION_KEY")
        #expect(try RootKeySource(Self.settings("file:/x"), environment: environment).words == "file:/x")
    }

    @Test func secretsAreFetchedFromWhereTheyAre() throws {
        let folder = try Folder()
        try folder.write("secret", "hunter2\n")
        let environment = ["HIDDEN": "hunter2", "CREDENTIALS_DIRECTORY": folder.path]
        for text in [
            "file:\(folder.path("secret"))", "env:HIDDEN", "credential:secret", "command:echo hunter2", "hunter2",
        ] {
            let secret = try SecretReference(text).fetch("a secret", environment: environment)
            #expect(secret == Secret("hunter2"), "\(text)")
        }
    }

    @Test(arguments: [
        ("file:/nowhere/secret", "there is no /nowhere/secret"), ("env:NOWHERE", "NOWHERE is not set"),
        ("credential:../secret", "no credential's name"), ("command:exit 3", "the command failed"),
        ("command:true", "the secret is empty"),
    ]) func aSecretThatIsNotThereIsNamed(_ text: String, _ words: String) {
        let error = #expect(throws: VaultError.self) {
            try SecretReference(text).fetch("a secret", environment: ["CREDENTIALS_DIRECTORY": "/tmp"])
        }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func sessionSecretsAreMadeOnceAndKept() throws {
        let folder = try Folder()
        let settings = try Self.settings("file:\(folder.path("v.key"))")
        let source = try RootKeySource(settings, environment: [:])
        let first = try SessionKeys.fetch(settings, key: source, environment: [:])
        let second = try SessionKeys.fetch(settings, key: source, environment: [:])
        #expect(first.count == 1 && first[0].key == second[0].key && first[0].kid == second[0].kid)
        #expect(folder.exists("v.session"))
    }

    @Test func aShortSessionSecretIsRefused() throws {
        let environment = ["JWT_SECRET": "too short"]
        let settings = try SettingsReader.read(nil, environment: environment)
        let source = try RootKeySource(settings, environment: environment)
        let error = #expect(throws: VaultError.self) {
            try SessionKeys.fetch(settings, key: source, environment: environment)
        }
        #expect(error?.message.contains("32 are needed") == true)
        #expect(error?.description.contains("too short") == false)
    }

    @Test func previousSecretsVerifyUnderTheirOwnNames() throws {
        let folder = try Folder()
        try folder.write("new", String(repeating: "n", count: 32))
        try folder.write("old", String(repeating: "o", count: 32))
        let settings = try Self.settings(
            "file:\(folder.path("v.key"))",
            [
                "session.secret": "file:\(folder.path("new"))",
                "session.previous-secrets": "file:\(folder.path("old"))",
            ])
        let source = try RootKeySource(settings, environment: [:])
        let keys = try SessionKeys.fetch(settings, key: source, environment: [:])
        #expect(keys.count == 2 && keys[0].kid != keys[1].kid)
        #expect(keys[0].key == Secret(String(repeating: "n", count: 32)))
    }
}
