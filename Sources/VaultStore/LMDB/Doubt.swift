import Glibc
import VaultBase

/// A mark beside the data file: the disk failed under a write, and nobody has looked at the whole store since.
///
/// Made where the disk still takes it. The data file is not touched for it: that is what is in doubt.
enum Doubt {
    private static func path(_ directory: String) -> String { "\(directory)/unverified" }

    static func isRaised(in directory: String) -> Bool { Files.status(path(directory)) != nil }

    static func raise(in directory: String) {
        guard let descriptor = try? Files.open(path(directory), O_WRONLY | O_CREAT | O_NOFOLLOW) else { return }
        fsync(descriptor)
        Glibc.close(descriptor)
        try? Files.flush(directory)
    }

    /// - Throws: `file` when the mark stays.
    static func clear(in directory: String) throws(VaultError) {
        guard unlink(path(directory)) == 0 || errno == ENOENT else {
            throw Fault.error(errno, "remove \(path(directory))")
        }
        try Files.flush(directory)
    }
}
