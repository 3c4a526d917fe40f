import Dispatch
import FoundationEssentials
import Glibc
import TestFolders

/// A program that checks ours, where it is installed.
enum Shell {
    /// Runs a command with `input` on standard input; its status and all that it printed.
    ///
    /// On a thread of its own: the server it talks to needs the pool's.
    static func run(_ command: String, input: String = "") async throws -> (status: Int32, output: String) {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try wait(for: command, input: input) })
            }
        }
    }

    private static func wait(for command: String, input: String) throws -> (status: Int32, output: String) {
        guard let folder = TestFolder.make("http") else { throw CocoaError(.fileWriteUnknown) }
        defer { TestFolder.remove(folder) }
        try Data(input.utf8).write(to: URL(filePath: folder + "/input"))
        let status = system("cd \(folder) && ( \(command) ) < input > output 2>&1")
        let output = try Data(contentsOf: URL(filePath: folder + "/output"))
        return (status, String(decoding: output, as: UTF8.self))
    }

    /// Whether a command ends well; for `.enabled(if:)`.
    static func can(_ command: String) -> Bool { (try? wait(for: command, input: "").status) == 0 }
}

/// A file of the package, by its path from the top.
func packageFile(_ path: String) throws -> String {
    var top = URL(filePath: #filePath)
    // …/Tests/VaultHTTPTests/Support/Shell.swift
    for _ in 0..<4 { top.deleteLastPathComponent() }
    return String(decoding: try Data(contentsOf: top.appending(path: path)), as: UTF8.self)
}
