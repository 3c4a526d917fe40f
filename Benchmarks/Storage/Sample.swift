import Glibc
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// The records that are measured: users in a row, one connection each, at the sandbox, so that `vault serve --sandbox`
/// serves them too. Those who stay have even numbers.
enum Sample {
    static let platform = name { () throws(VaultError) in try PlatformName("sandbox") }

    static func user(_ number: Int) -> UserID {
        let text = String(unsafeUninitializedCapacity: 15) { text in
            _ = text.initialize(from: "user-0000000000".utf8)
            var (rest, place) = (number, 14)
            while rest > 0 {
                text[place] += UInt8(rest % 10)
                (rest, place) = (rest / 10, place - 1)
            }
            return 15
        }
        return name { () throws(VaultError) in try UserID(text) }
    }

    /// A connection whose sealed value is `size` bytes long: 638 (such as Spotify's) or 1318 (1 KiB in it).
    static func connection(_ number: Int, size: Int, now: Timestamp, endsAt: Timestamp? = nil) -> Connection {
        let letter = UInt8(97 + number % 26)
        return Connection(
            user: user(number), platform: platform,
            accessToken: Secret(bytes: [UInt8](repeating: letter, count: size == 638 ? 220 : 680)),
            refreshToken: Secret(bytes: [UInt8](repeating: letter, count: size == 638 ? 131 : 180)),
            scope: "profile library.read library.write", expiresAt: now + .seconds(365 * 86400), createdAt: now,
            updatedAt: now, consentedAt: now, endsAt: endsAt, subject: "account-\(number)", clientID: "sandbox")
    }

    private static func name<N>(_ make: () throws(VaultError) -> N) -> N {
        do { return try make() } catch { preconditionFailure("the benchmark's own names are good: \(error.message)") }
    }
}

/// A vault in a directory, its key in a file beside it.
enum Place {
    static func create(_ path: String) async throws -> Records {
        let text = Hex.encode(Random.bytes(GuardedKey.size))
        let descriptor = open("\(path).key", O_CREAT | O_TRUNC | O_WRONLY, 0o400)
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
        close(descriptor)
        return try await Records.create(in: LMDBStore.create(at: path, options: options), rootKey: key(path))
    }

    static func openVault(_ path: String) throws -> Records {
        let records = try Records.open(LMDBStore.open(at: path, options: options), rootKey: key(path))
        try touch(records)
        return records
    }

    static func key(_ path: String) throws -> GuardedKey {
        var text = [UInt8](repeating: 0, count: 64)
        let descriptor = open("\(path).key", O_RDONLY)
        _ = read(descriptor, &text, text.count)
        close(descriptor)
        return try text.withUnsafeBytes { bytes throws(VaultError) in try GuardedKey(text: bytes) }
    }

    static var options: LMDBStore.Options {
        var options = LMDBStore.Options()
        options.quota = 64 << 30
        return options
    }

    /// Reads every page once: what is measured is not the first fault.
    private static func touch(_ records: Records) throws {
        var sum: UInt8 = 0
        try records.store.read { transaction in
            try transaction.scan(.records, from: RawSpan()) { _, value in
                sum &+= value.unsafeLoad(as: UInt8.self)
                return true
            }
        }
        if sum == 1 { print("") }  // so that the reading is not left out
    }
}

/// Makes the vaults.
enum Loading {
    /// `count` that stay, and `ended` that ended an hour ago, spread evenly among them, their times in another order.
    static func load(_ path: String, records count: Int, ended: Int, size: Int) async throws {
        let records = try await Place.create(path)
        let now = SystemClock().now()
        let past = now - .seconds(3600)
        let start = Measure.now()
        for first in stride(from: 0, to: count, by: 1000) {
            try await records.write { transaction in
                for number in first..<min(first + 1000, count) {
                    try transaction.put(Sample.connection(2 * number, size: size, now: now), expecting: nil)
                    let gone = number * ended / count
                    guard (number + 1) * ended / count > gone else { continue }
                    let endsAt = past + .milliseconds(gone * 7919 % ended)
                    try transaction.put(
                        Sample.connection(2 * number + 1, size: size, now: now, endsAt: endsAt), expecting: nil)
                }
            }
        }
        Measure.report("rate", Double(count + ended) / (Measure.now() - start))
        await records.store.close()
    }
}
