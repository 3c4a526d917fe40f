#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the system says of an open file (`fstat`).
///
/// It stands here because nothing under us imports NIO: beside NIO's C modules, which declare `struct stat` once
/// more, its members are not found when the standard library is linked statically.
package struct FileStatus: Sendable {
    /// Whether it is a plain file: no directory, device or pipe.
    package var isPlain: Bool
    package var owner: UInt32
    /// The permission bits.
    package var mode: UInt32

    /// nil when the system does not say.
    package init?(of descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        isPlain = status.st_mode & S_IFMT == S_IFREG
        owner = UInt32(status.st_uid)
        mode = UInt32(status.st_mode) & 0o7777
    }
}
