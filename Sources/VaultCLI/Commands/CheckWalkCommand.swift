import ArgumentParser
import Glibc
import Logging
import NIOCore
import VaultBase
import VaultCrypto
import VaultRecords
import VaultStore
import Vault

/// `vault check-walk`: the child that looks at every value for ``CheckChild``. The program starts it itself.
///
/// It answers as the socket does, in lines of ``AdminSocket/Reply``; a crash is answered by its handler, in
/// bytes of ``CheckPlace``.
struct CheckWalkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "check-walk", shouldDisplay: false)

    /// The store of a parent that owns it; its root key comes on standard input, 32 bytes.
    @Option var beside: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        do {
            let records = try open()
            let place = CheckPlace()
            place.announceCrash(to: 1)
            let report = try records.verify(
                place: place, found: { Self.say(.event(.problem(.init($0)))) },
                progress: { Self.say(.event(.progress(done: $0, total: $1))) })
            Self.say(.event(.checked(CheckDocument(report))))
            Self.say(.done)
        } catch {
            Self.say(.failed(.init(error)))
        }
        // Without closing: the owner's locks are shared with this process while it lives.
        Glibc.exit(0)
    }

    private func open() throws -> Records {
        // Its own crash is told in one line; a backtrace would only wait for a terminal.
        let place = CheckPlace()
        place.announceCrash(to: 1)
        if let beside {
            return try Records.open(LMDBSnapshot(at: beside, owned: true), rootKey: Self.key())
        }
        let environment = ProcessRules.environment
        let settings = try common.settings(environment: environment)
        LogSetup.start(format: settings[\.logFormat], level: .warning)
        let key = try RootKeySource(settings, environment: environment)
            .fetch(environment: environment, logger: Logger(label: "vault"))
        return try Records.open(LMDBSnapshot(at: settings[\.storePath], owned: false), with: key)
    }

    private static func key() throws -> GuardedKey {
        try withUnsafeTemporaryAllocation(byteCount: GuardedKey.size, alignment: 8) { bytes in
            defer { explicit_bzero(bytes.baseAddress!, bytes.count) }
            var count = 0
            while count < bytes.count {
                let more = Glibc.read(0, bytes.baseAddress! + count, bytes.count - count)
                guard more > 0 else { throw VaultError(.badRequest, "check-walk is started by vault check alone") }
                count += more
            }
            return try GuardedKey(copying: UnsafeRawBufferPointer(bytes))
        }
    }

    /// Ends the process when nobody listens any more.
    private static func say(_ reply: AdminSocket.Reply) {
        guard var line = try? AdminSocket.frame(reply), let bytes = line.readBytes(length: line.readableBytes) else {
            Glibc.exit(1)
        }
        var sent = 0
        while sent < bytes.count {
            let more = bytes[sent...].withUnsafeBytes { Glibc.write(1, $0.baseAddress!, $0.count) }
            guard more > 0 else { Glibc.exit(1) }
            sent += more
        }
    }
}
