import Testing
import VaultBase
import VaultCrypto

@Suite struct GuardedKeyTests {
    @Test func holdsWhatItWasGiven() throws {
        let bytes = Array<UInt8>(0..<32)
        #expect(try key(bytes).withBytes { Array($0) } == bytes)
    }

    @Test(arguments: [0, 16, 31, 33, 64]) func refusesAnyOtherLength(count: Int) throws {
        #expect(throws: VaultError.self) { try key([UInt8](repeating: 7, count: count)) }
    }

    @Test func generatedKeysDiffer() throws {
        let a = try GuardedKey.generate()
        let b = try GuardedKey.generate()
        #expect(!a.equals(b))
        #expect(a.equals(a))
    }

    @Test func derivedKeysDependOnKeyPurposeAndMessage() throws {
        let root = try key(Array(0..<32))
        let derived = try root.derive(Purpose("one"), [1])
        #expect(derived.equals(try root.derive(Purpose("one"), [1])))
        #expect(!derived.equals(try root.derive(Purpose("two"), [1])))
        #expect(!derived.equals(try root.derive(Purpose("one"), [2])))
        #expect(!derived.equals(try GuardedKey.generate().derive(Purpose("one"), [1])))
    }

    @Test func readsEverySpellingOfAKeyFile() throws {
        let bytes = (0..<32).map { UInt8($0 * 7) }
        let hex = Hex.encode(bytes)
        for text in [hex, hex.uppercased(), " \(hex)\n", Base64.encode(bytes) + "\r\n", Base64.encodeURL(bytes)] {
            #expect(try Array(text.utf8).withUnsafeBytes { try GuardedKey(text: $0) }.withBytes { Array($0) } == bytes)
        }
        #expect(try bytes.withUnsafeBytes { try GuardedKey(text: $0) }.withBytes { Array($0) } == bytes)
    }

    @Test(arguments: [
        "", "\n", "changeme", "0123456789abcdef", "0123456789abcdef0123456789abcdef",
        String(repeating: "00", count: 32), "!!!",
    ])
    func refusesWhatIsNoKeyWithoutRepeatingIt(text: String) throws {
        do {
            _ = try Array(text.utf8).withUnsafeBytes { try GuardedKey(text: $0) }
            Issue.record("accepted")
        } catch let error as VaultError {
            #expect(error.code == .badRequest)
            #expect(text.count < 4 || !"\(error)".contains(text))
        }
    }

    @Test func isNeverPrinted() throws {
        let secret = try key(Array("AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH".utf8))
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(describing: secret), String(reflecting: secret), dumped] {
            #expect(!text.contains("AAAA") && !text.contains("65"))
        }
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test func argon2idIsStableAndDependsOnSaltAndCost() throws {
        let cost = Argon2id.Cost(passes: 1, kibibytes: 64)
        let salt = [UInt8](repeating: 9, count: Argon2id.saltSize)
        let derived = try Argon2id.derive(Secret("correct horse"), salt: salt, cost: cost)
        #expect(derived.equals(try Argon2id.derive(Secret("correct horse"), salt: salt, cost: cost)))
        #expect(!derived.equals(try Argon2id.derive(Secret("correct horsf"), salt: salt, cost: cost)))
        #expect(!derived.equals(try Argon2id.derive(Secret("correct horse"), salt: salt.map { $0 + 1 }, cost: cost)))
        #expect(throws: VaultError.self) {
            try Argon2id.derive(Secret("x"), salt: salt, cost: .init(passes: 1, kibibytes: .max))
        }
        #expect(throws: VaultError.self) { try Argon2id.derive(Secret("x"), salt: [1], cost: cost) }
        // From PyNaCl: nacl.pwhash.argon2id.kdf(32, b"correct horse", b"\x09" * 16, opslimit=1, memlimit=65536)
        #expect(
            derived.withBytes { Hex.encode($0) } == "27dc568f408c9e0907723364578d9fcec5141969d2d8ecada76433b660867273")
    }
}
