import Glibc
import VaultBase

/// Asks for a secret on the terminal, without showing it.
enum SecretPrompt {
    /// The longest secret, in bytes.
    static let limit = 4096

    /// - Throws: `settings` when there is no terminal; `bad-request` when nothing was typed or Ctrl-C was.
    static func ask(_ words: String, hint: String) throws(VaultError) -> Secret {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else {
            throw VaultError(.settings, "\(words): there is no terminal to ask on", hint: hint)
        }
        defer { close(terminal) }
        return try ask(words, on: terminal)
    }

    /// Asks twice, as for one that is new.
    static func askTwice(_ words: String, hint: String) throws(VaultError) -> Secret {
        let first = try ask(words, hint: hint)
        guard try ask("the same again", hint: hint) == first else {
            throw VaultError(.badRequest, "the two are not the same", hint: "nothing was changed: try again")
        }
        return first
    }

    static func ask(_ words: String, on terminal: Int32) throws(VaultError) -> Secret {
        var before = termios()
        guard tcgetattr(terminal, &before) == 0 else {
            throw VaultError(.settings, "\(words): there is no terminal to ask on")
        }
        var silent = before
        // Ctrl-C comes as a character too: a signal would leave the terminal silent.
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else {
            throw VaultError(.settings, "\(words): the terminal cannot be made silent")
        }
        defer {
            tcsetattr(terminal, TCSAFLUSH, &before)
            try? Terminal.write("\n", to: terminal)
        }
        try Terminal.write("\(words): ", to: terminal)
        return try readLine(terminal)
    }

    /// A line from standard input, byte by byte: what comes after it is for the command.
    static func line(_ words: String) throws(VaultError) -> Secret { try readLine(STDIN_FILENO, isTyped: false) }

    private static func readLine(_ descriptor: Int32, isTyped: Bool = true) throws(VaultError) -> Secret {
        // Room from the beginning: an array that grows leaves its old bytes behind.
        var bytes = [UInt8](repeating: 0, count: limit)
        defer { bytes.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) } }
        var count = 0
        reading: while true {
            var byte: UInt8 = 0
            let got = read(descriptor, &byte, 1)
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { break }
            switch byte {
            case 0x0A, 0x0D: break reading
            case 0x03 where isTyped, 0x04 where isTyped && count == 0:
                throw VaultError(.badRequest, "stopped; nothing was changed")
            case 0x08 where isTyped, 0x7F where isTyped:
                // One character back, however many bytes it has.
                while count > 0 {
                    count -= 1
                    if bytes[count] & 0xC0 != 0x80 { break }
                }
            case 0x15 where isTyped: count = 0
            default:
                guard count < limit else { throw VaultError(.badRequest, "that is longer than \(limit) bytes") }
                bytes[count] = byte
                count += 1
            }
        }
        guard count > 0 else { throw VaultError(.badRequest, "nothing was given", hint: "it cannot be empty") }
        return bytes.withUnsafeBytes { Secret(copying: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
}
