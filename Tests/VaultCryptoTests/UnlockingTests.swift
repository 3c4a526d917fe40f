import Testing
import VaultBase
import VaultCrypto

/// Recovery keys, passphrases, and what their slots say.
@Suite struct UnlockingTests {
    private let cheap = Argon2id.Cost(passes: 1, kibibytes: 8)
    private let vaultID = [UInt8](repeating: 7, count: 16)

    private func code(_ body: () throws -> Void) -> VaultError.Code? {
        do { try body() } catch { return (error as? VaultError)?.code }
        return nil
    }

    @Test func aRecoveryKeyIsReadAsItWasWritten() throws {
        for _ in 0..<50 {
            let made = try RecoveryKey.generate()
            let text = made.text.reveal()
            #expect(text.split(separator: "-").map(\.count) == Array(repeating: 4, count: 9))
            #expect(try RecoveryKey(made.text).key.equals(made.key))
            let careless = text.lowercased().replacing("0", with: "o").replacing("1", with: "l").replacing(
                "-", with: " ")
            #expect(try RecoveryKey(Secret(careless + "\n")).key.equals(made.key))
            #expect("\(made)" == "<redacted>")
        }
    }

    @Test func aSlipInARecoveryKeyIsNoticed() throws {
        let text = Array(try RecoveryKey.generate().text.reveal().utf8)
        for index in text.indices where text[index] != UInt8(ascii: "-") {
            var slip = text
            slip[index] = text[index] == UInt8(ascii: "7") ? UInt8(ascii: "8") : UInt8(ascii: "7")
            #expect(code { _ = try RecoveryKey(Secret(bytes: slip)) } == .wrongKey, "letter \(index)")
        }
        for wrong in [
            "", "7777", String(decoding: text.dropLast(), as: UTF8.self), String(decoding: text, as: UTF8.self) + "7",
        ] {
            #expect(code { _ = try RecoveryKey(Secret(wrong)) } == .wrongKey)
        }
    }

    @Test func aPassphraseOpensWithWhatItsSlotSays() throws {
        let passphrase = Secret("correct horse battery")
        let new = try NewKey(passphrase: passphrase, cost: cheap)
        let again = try NewKey(passphrase: passphrase, cost: cheap)
        #expect(!new.key.equals(again.key), "each has a salt of its own")
        var keyring = try Keyring(vaultID: vaultID, rootKey: .generate(), at: Timestamp(seconds: 1))
        try keyring.addSlot(new)
        let bytes = try keyring.provenBytes(with: new.key)
        #expect(try UnlockKey.passphrase(passphrase).key(opening: bytes).equals(new.key))
        #expect(code { _ = try UnlockKey.passphrase(Secret("incorrect horse")).key(opening: bytes) } == .wrongKey)
        #expect(code { try keyring.addSlot(new) } == .conflict)
    }

    @Test func aVaultWithoutPassphraseSaysSo() throws {
        let keyring = try Keyring(vaultID: vaultID, rootKey: .generate(), at: Timestamp(seconds: 1))
        #expect(code { _ = try UnlockKey.passphrase(Secret("x")).key(opening: keyring.encoded()) } == .wrongKey)
    }

    @Test(arguments: [(0, 8), (65, 8), (1, 7), (1, (2 << 20) + 1), (.max, .max)] as [(UInt32, UInt32)])
    func absurdCostsAreRefused(passes: UInt32, kibibytes: UInt32) throws {
        var parameters: [UInt8] = []
        parameters.append(u32: passes)
        parameters.append(u32: kibibytes)
        parameters += [UInt8](repeating: 1, count: 16)
        let key = try GuardedKey.generate()
        #expect(code { _ = try NewKey(key: key, kind: 2, parameters: parameters) } == .damaged)
        #expect(
            code { _ = try PassphraseSlot.keyID(Secret("x"), parameters: parameters, vaultID: vaultID) } == .damaged)
        #expect(code { _ = try NewKey(key: key, kind: 2, parameters: Array(parameters.dropLast())) } == .damaged)
        #expect(code { _ = try NewKey(key: key, kind: 9, parameters: []) } == .badRequest)
    }

    @Test func aShortPassphraseIsRefused() {
        #expect(code { _ = try NewKey(passphrase: Secret("elevenchars"), cost: cheap) } == .badRequest)
    }
}
