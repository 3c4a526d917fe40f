import Glibc
import VaultBase

// The rules of what is printed:
//   - The answer goes to standard output, everything else to standard error.
//   - An error is one line, `vault: error: …`, and what to do next another, `vault: hint: …`.
//   - Characters that could steer a terminal are never printed as they came.

/// Where a command's words go.
enum Terminal {
    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }
    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Prints a line of the answer.
    ///
    /// - Throws: `file` when it cannot be written: a half-written export must not look whole.
    static func answer(_ line: String) throws(VaultError) {
        try write(line + "\n", to: STDOUT_FILENO)
    }

    /// Says something beside the answer, behind what was logged; when even that fails there is nobody to tell.
    static func say(_ line: String) {
        LogSetup.flush()
        try? write(line + "\n", to: STDERR_FILENO)
    }

    static func fail(_ error: VaultError) {
        say("vault: error: \(plain(error.message))")
        if let hint = error.hint, !hint.isEmpty { say("vault: hint: \(plain(hint))") }
    }

    static func warn(_ words: String) { say("vault: warning: \(plain(words))") }

    /// The text without control characters.
    static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }

    static func write(_ text: String, to descriptor: Int32) throws(VaultError) {
        try write(Array(text.utf8)[...], to: descriptor)
    }

    static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(VaultError) {
        var bytes = bytes
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EPIPE, descriptor == STDOUT_FILENO { leaveQuietly() }
            guard count > 0 else {
                throw VaultError(.file, "the answer cannot be written: \(systemWords(errno))")
            }
            bytes = bytes.dropFirst(count)
        }
    }

    /// Ends as a program does whose reader has left (`vault export | head`): by SIGPIPE, and without a word.
    private static func leaveQuietly() -> Never {
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        exit(128 + SIGPIPE)
    }

    /// All of standard input, up to `limit` bytes.
    static func input(limit: Int) throws(VaultError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw VaultError(.file, "standard input: \(systemWords(errno))") }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= limit else {
                throw VaultError(.badRequest, "standard input is larger than \(Sizes.words(limit))")
            }
        }
    }
}
