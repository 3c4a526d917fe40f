import Glibc
import VaultBase
import VaultCrypto

/// A backup on its way to standard output.
///
/// It is written and verified beside the store first, and then sent from there: whoever reads slowly, or goes
/// away, holds nothing up, and a copy of a damaged vault is never begun.
struct BackupStream: Sendable {
    let path: String

    /// - Throws: `bad-request` when standard output is a terminal.
    init(store: String) throws(VaultError) {
        guard !Terminal.outputIsTerminal else {
            throw VaultError(
                .badRequest, "a backup is no text for a terminal", hint: "vault backup - > FILE, or into a pipe")
        }
        let store = FilePath.absolute(store)
        Leftovers.remove(of: store, mark: Self.mark) { unlink($0) }
        path = "\(store)\(Self.mark)\(getpid())-\(Random.token(bytes: 9))"
    }

    private static let mark = ".sending-"

    /// Sends the file, which has no name from the first byte on.
    func send() throws(VaultError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw VaultError(.file, "\(path): \(systemWords(errno))") }
        unlink(path)
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw VaultError(.file, "\(path): \(systemWords(errno))") }
            if count == 0 { return }
            try Terminal.write(buffer[..<count], to: STDOUT_FILENO)
        }
    }
}

/// What commands left that were cut off: `<path><mark><process>…`.
enum Leftovers {
    /// Removes those whose process is no more.
    static func remove(of path: String, mark: String, _ remove: (String) -> Void) {
        let parent = Paths.directory(of: path)
        let prefix = path.dropFirst(parent == "/" ? 1 : parent.count + 1) + mark
        for name in Paths.names(in: parent) ?? [] {
            // A store that is being made has a dot before its name.
            let bare = name.hasPrefix(".") ? String(name.dropFirst()) : name
            guard bare.hasPrefix(prefix), let process = pid_t(bare.dropFirst(prefix.count).prefix { $0.isNumber }),
                kill(process, 0) != 0, errno == ESRCH
            else { continue }
            remove("\(parent)/\(name)")
        }
    }
}
