import FoundationEssentials
import Glibc
import VaultBase

/// Where a secret is; it is fetched when it is needed, not when settings are read.
enum SecretReference: Sendable, Equatable {
    case file(String)
    case environment(String)
    /// Run by `/bin/sh -c`; what it prints is the secret.
    case command(String)
    /// A file of `$CREDENTIALS_DIRECTORY`, as systemd's LoadCredential= makes them.
    case credential(String)
    /// The secret itself, not a reference.
    case literal(Secret)

    /// The most a secret may be, in bytes.
    static let limit = 64 << 10

    init(_ text: String) {
        func rest(_ prefix: String) -> String? {
            text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
        }
        if let path = rest("file:") {
            self = .file(FilePath.expand(path))
        } else if let name = rest("env:") {
            self = .environment(name)
        } else if let command = rest("command:") {
            self = .command(command)
        } else if let name = rest("credential:") {
            self = .credential(name)
        } else {
            self = .literal(Secret(text))
        }
    }

    /// Fetches the secret, without the line end files and commands put after it.
    ///
    /// - Parameter purpose: what it is for, for the error.
    /// - Throws: `settings` when it is not there or empty.
    func fetch(_ purpose: String, environment: [String: String]) throws(VaultError) -> Secret {
        switch self {
        case .literal(let secret): return secret
        case .environment(let name):
            guard let value = environment[name], !value.isEmpty else {
                throw VaultError(
                    .settings, "\(purpose): \(name) is not set in the environment", hint: "set it, or point elsewhere")
            }
            return Secret(value)
        case .file(let path):
            return try Self.trimmed(PrivateFile.read(path, limit: Self.limit, mode: .secret), purpose)
        case .credential(let name):
            guard let directory = environment["CREDENTIALS_DIRECTORY"] else {
                throw VaultError(
                    .settings, "\(purpose): there is no CREDENTIALS_DIRECTORY",
                    hint: "credential: works in a systemd unit with LoadCredential=\(name):…")
            }
            guard !name.isEmpty, !name.contains("/") else {
                throw VaultError(
                    .settings, "\(purpose): \"\(name)\" is no credential's name", hint: "it is a plain file name")
            }
            return try Self.trimmed(
                PrivateFile.read(directory + "/" + name, limit: Self.limit, mode: .secret), purpose)
        case .command(let command):
            return try Self.trimmed(ShellCommand.output(of: command, purpose: purpose, limit: Self.limit), purpose)
        }
    }

    private static func trimmed(_ bytes: [UInt8], _ purpose: String) throws(VaultError) -> Secret {
        var bytes = bytes[...]
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty else {
            throw VaultError(.settings, "\(purpose): the secret is empty", hint: "look at what it points at")
        }
        return Secret(bytes: bytes)
    }
}

/// Runs a command that prints a secret.
enum ShellCommand {
    static func output(of command: String, purpose: String, limit: Int) throws(VaultError) -> [UInt8] {
        guard let pipe = popen(command, "re") else {
            throw VaultError(.settings, "\(purpose): the command cannot be started", hint: "try it in a shell")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= limit {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        let status = pclose(pipe)
        guard status == 0, bytes.count <= limit else {
            throw VaultError(
                .settings, "\(purpose): the command failed", hint: "it must print the secret and end with status 0")
        }
        return bytes
    }
}
