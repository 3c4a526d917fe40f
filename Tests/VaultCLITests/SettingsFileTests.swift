import Testing
import VaultBase

@testable import VaultCLI

/// vault.conf at the top of the repository, and the table of settings.
@Suite struct SettingsFileTests {
    static let text: String = {
        let file = #filePath
        let root = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let bytes = try? PrivateFile.read(root + "/vault.conf", limit: 1 << 20, mode: .secret)
        return String(decoding: bytes ?? [], as: UTF8.self)
    }()

    @Test func vaultConfHoldsEverySettingWithItsDefault() throws {
        let file = try SettingsFile(name: "vault.conf", text: Self.text)
        let written = Dictionary(uniqueKeysWithValues: file.entries.map { ($0.path.joined(separator: "."), $0.raw) })
        let declared = Dictionary(
            uniqueKeysWithValues: SettingTable.all.map { ($0.path, RawValue(literal: $0.literal)) })
        #expect(Set(written.keys) == Set(declared.keys))
        for (path, raw) in written { #expect(declared[path] == raw, "\(path)") }
    }

    @Test func vaultConfHoldsEverySettingOfAPlatformWithItsDefault() throws {
        // The first commented section, from its head to the line that ends it.
        var lines: [Substring] = []
        for line in Self.text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "# [platforms.spotify]" {
                lines = [line]
            } else if !lines.isEmpty {
                if line == "#" { break }
                lines.append(line)
            }
        }
        let section = lines.map { $0.dropFirst(2) }.joined(separator: "\n")
        let file = try SettingsFile(name: "vault.conf", text: section)
        let written = Dictionary(uniqueKeysWithValues: file.entries.map { ($0.path[2], $0.raw) })
        #expect(Set(written.keys) == Set(PlatformTable.all.map(\.path)))
        for setting in PlatformTable.all { #expect(written[setting.path] == RawValue(literal: setting.literal)) }
    }

    @Test func vaultConfRunsAsItIs() throws {
        let file = try SettingsFile(name: "vault.conf", text: Self.text)
        let settings = try SettingsReader.read(file)
        #expect(settings[\.listen].description == "127.0.0.1:8000")
        #expect(settings[\.quota] == 8 << 30)
        #expect(settings.frontendURL == "http://127.0.0.1:8000")
        #expect(settings[\.recordLifetime] == nil)
    }

    @Test(arguments: SettingTable.all + PlatformTable.all)
    func everyDefaultIsOfItsForm(_ setting: any AnySetting) {
        #expect(RawValue(literal: setting.literal).map(setting.accepts) == true, "\(setting.path)")
        #expect(!setting.doc.isEmpty)
    }

    @Test func namesOfOptionsAndOfTheEnvironmentAreDistinct() {
        #expect(Set(SettingTable.all.map(\.environmentName)).count == SettingTable.all.count)
        #expect(Set(SettingTable.all.map(\.optionName)).count == SettingTable.all.count)
        let path = SettingTable.shared.storePath
        #expect(path.environmentName == "VAULT_STORE_PATH")
        #expect(path.optionName == "--store-path")
    }

    @Test func linesAreFoundInEveryShapeOfTOML() {
        let index = LineIndex(
            """
            a = 1

            [one] # first
            list = [
              "x", # [
              "y",
            ]
            text = \"\"\"
            list = 3
            \"\"\"
            b.c = 2
            [platforms."my-idp"]
            'quoted key' = 1
            inner = { deep = 1 }
            """)
        #expect(index[["a"]] == 1)
        #expect(index[["one", "list"]] == 4)
        #expect(index[["one", "text"]] == 8)
        #expect(index[["one", "b", "c"]] == 11)
        #expect(index[["platforms", "my-idp", "quoted key"]] == 13)
        #expect(index[["platforms", "my-idp", "inner", "deep"]] == 14)
    }
}
