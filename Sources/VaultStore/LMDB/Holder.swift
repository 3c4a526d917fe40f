import Glibc
import VaultBase

/// Who holds a store, as `vault.lock` tells whoever comes second: a process number and its PID namespace.
///
/// A number alone misleads between containers, where every server is process 1.
struct Holder: Equatable {
    /// Nothing where the file could not be read.
    var process: Int32?
    /// The namespace as `/proc` names it, as in `pid:[4026531836]`; nothing without `/proc`.
    var namespace: String?

    /// This process.
    static var own: Holder { Holder(process: getpid(), namespace: ownNamespace) }

    /// What is written into `vault.lock`.
    var text: String {
        ([process.map(String.init), namespace].compactMap(\.self)).joined(separator: " ") + "\n"
    }

    init(process: Int32?, namespace: String?) {
        self.process = process
        self.namespace = namespace
    }

    init(writtenIn descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: 64)
        let length = max(0, pread(descriptor, &bytes, bytes.count, 0))
        let line = bytes[..<length].prefix { $0 != 0x0A }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        process = words.first.flatMap { Int32($0) }
        namespace = words.count > 1 ? String(words[1]) : nil
    }

    /// The error for whoever finds the store held.
    func refusal(_ directory: String) -> VaultError {
        let own = Self.own
        if self == own {
            return VaultError(
                .locked, "the store at \(directory) is open in this process already",
                hint: "use the store that is open, or close it first")
        }
        let number = process.map { "process \($0)" } ?? "another process"
        if let namespace, let here = own.namespace, namespace != here {
            return VaultError(
                .locked, "the store at \(directory) belongs to \(number) in another container",
                hint: "one server owns a store: stop that container, or run commands inside it")
        }
        return VaultError(
            .locked, "the store at \(directory) belongs to \(number)",
            hint: "stop that process first; commands reach a running server through its socket")
    }

    private static let ownNamespace: String? = {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/self/ns/pid", &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }()
}
