#if canImport(Glibc)
    import Glibc
#endif
import Testing
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore

/// A second implementation (`Vectors/read_vault.py`, written from the format page) reads a store of ours.
///
/// Needs a Python with `lmdb` and `PyNaCl`: `VAULT_TEST_PYTHON`, or `python3`.
@Suite struct ReaderTests {
    private static let python = getenv("VAULT_TEST_PYTHON").map { String(cString: $0) } ?? "python3"
    private static let isThere = Int32(0) == run([python, "-c", "import lmdb, nacl"], output: "/dev/null")

    @Test(.enabled(if: isThere, "no Python with lmdb and PyNaCl here: VAULT_TEST_PYTHON names one"))
    func anotherImplementationReadsAStore() async throws {
        let folder = try Folder()
        let bench = try await Bench(LMDBStore.create(at: folder.path + "/store"))
        for user in ["ada", "bob", "ü"] {
            let end = user == "bob" ? bench.now + .seconds(60) : nil
            try await bench.put(bench.connection(user, token: "token of \(user)", endsAt: end, dueAt: end))
        }
        let version = try #require(try bench.get("bob")).version
        await bench.store.close()
        try folder.write(bench.key.withBytes { Array($0) }, to: "key")
        let here = String(#filePath[..<(#filePath.lastIndex(of: "/") ?? #filePath.startIndex)])
        let status = Self.run(
            [Self.python, here + "/Vectors/read_vault.py", folder.path + "/store", folder.path + "/key"],
            output: folder.path + "/out")
        let output = String(decoding: try folder.read("out"), as: UTF8.self)
        #expect(status == 0, "\(output)")
        let lines = output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].contains("\"accessToken\": \"token of ada\"") && lines[0].contains("\"endsAt\": null"))
        #expect(lines[1].contains("\"version\": \(version)") && lines[1].contains("\"refreshToken\": \"refresh-1\""))
        #expect(lines[1].contains("\"endsAt\": \((bench.now + .seconds(60)).rawValue)"))
        #expect(lines[2].contains("\"health\": \"healthy\"") && lines[2].contains("\"scope\": \"read write\""))
    }

    /// With whatever opens it; and also what stands beside the connections.
    @Test(.enabled(if: isThere, "no Python with lmdb and PyNaCl here: VAULT_TEST_PYTHON names one"))
    func anotherImplementationReadsTheRestByEveryKindOfKey() async throws {
        let folder = try Folder()
        let bench = try await ErrandTests.filled(LMDBStore.create(at: folder.path + "/store"))
        try await bench.records.write { [session = try bench.session(), login = try bench.login()] records in
            try records.put(session)
            try records.put(login)
            var event = try #require(try records.events(limit: 1).first)
            let now = bench.now
            event.deliveries = [
                .init(receiver: "crm", state: .delivered, attempts: 2, since: now, nextAt: now, code: "http-200")
            ]
            try records.update(event)
        }
        let (words, paper) = (Secret("correct horse battery"), try RecoveryKey.generate())
        _ = try await bench.records.addKey(NewKey(passphrase: words, cost: .init(passes: 1, kibibytes: 64)))
        _ = try await bench.records.addKey(NewKey(paper))
        await bench.store.close()
        try folder.write(bench.key.withBytes { Array($0) }, to: "key")
        let here = String(#filePath[..<(#filePath.lastIndex(of: "/") ?? #filePath.startIndex)])
        let reader = [Self.python, here + "/Vectors/read_vault.py", folder.path + "/store"]
        for word in [folder.path + "/key", "passphrase:\(words.reveal())", "recovery:\(paper.text.reveal())"] {
            #expect(Self.run(reader + [word], output: folder.path + "/out") == 0)
            let lines = String(decoding: try folder.read("out"), as: UTF8.self).split(separator: "\n")
            #expect(lines.count == 5, "\(lines)")
            let event = try #require(lines.first { $0.contains(#""table": "events""#) })
            #expect(event.contains(#""receiver": "crm""#) && event.contains(#""reason": "invalid_grant""#))
            let service = try #require(lines.first { $0.contains(#""table": "services""#) })
            #expect(service.contains(#""platforms": "spotify x""#) && service.contains(#""digest": "010203""#))
            #expect(lines.count { $0.contains(#""refreshToken": "refresh-in-clear""#) } == 2)
        }
        #expect(Self.run(reader + ["passphrase:another"], output: folder.path + "/out") != 0)
    }

    /// Runs a program with its output in a file; returns its exit status.
    private static func run(_ arguments: [String], output: String) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        guard posix_spawnp(&process, arguments[0], &actions, nil, &words, environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 { guard errno == EINTR else { return -1 } }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : -1
    }
}
