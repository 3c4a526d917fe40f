#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import VaultBase

/// One message between host and child: a list of byte strings, each with its length before it.
struct Frame: Equatable {
    var items: [[UInt8]]

    /// The most bytes of one message: an answer of 1 MiB and room for the rest.
    static let limit = (1 << 20) + (256 << 10)

    init(_ items: [[UInt8]]) { self.items = items }
    init(_ items: [String]) { self.items = items.map { Array($0.utf8) } }

    var encoded: [UInt8] {
        let payload = items.flatMap { Self.length($0.count) + $0 }
        return Self.length(payload.count) + payload
    }

    /// nil unless the lengths fit exactly.
    init?(payload: [UInt8]) {
        var items: [[UInt8]] = []
        var rest = payload[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let count = Self.length(rest.prefix(4))
            rest = rest.dropFirst(4)
            guard count <= rest.count else { return nil }
            items.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        self.items = items
    }

    /// The items as text; nil when one is not UTF-8.
    var texts: [String]? {
        let texts = items.compactMap { String(validating: $0, as: UTF8.self) }
        return texts.count == items.count ? texts : nil
    }

    private static func length(_ count: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(count).bigEndian) { Array($0) }
    }
    static func length(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}

/// A connected stream socket with messages on it. One thread at a time.
struct FrameSocket {
    let descriptor: Int32

    /// How a wait ended without a message.
    enum Failure: Error { case closed, late, malformed }

    /// - Parameter deadline: nil waits for ever.
    func read(by deadline: ContinuousClock.Instant?) throws(Failure) -> Frame {
        let count = Frame.length(try bytes(4, by: deadline))
        guard count <= Frame.limit else { throw .malformed }
        guard let frame = Frame(payload: try bytes(count, by: deadline)) else { throw .malformed }
        return frame
    }

    func write(_ frame: Frame, by deadline: ContinuousClock.Instant?) throws(Failure) {
        var rest = frame.encoded[...]
        while !rest.isEmpty {
            try wait(Int16(POLLOUT), by: deadline)
            // The other side may be gone: that is an answer here, not a signal. Or it may not read: with a deadline no
            // more is sent than there is room for.
            let flags = Int32(MSG_NOSIGNAL) | (deadline == nil ? 0 : Int32(MSG_DONTWAIT))
            let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, flags) }
            if sent > 0 {
                rest = rest.dropFirst(sent)
            } else if errno != EINTR && errno != EAGAIN {
                throw .closed
            }
        }
    }

    private func bytes(_ count: Int, by deadline: ContinuousClock.Instant?) throws(Failure) -> [UInt8] {
        var out: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(count, 65536))
        while out.count < count {
            try wait(Int16(POLLIN), by: deadline)
            let wanted = min(buffer.count, count - out.count)
            let got = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, wanted, 0) }
            if got > 0 {
                out += buffer[..<got]
            } else if got == 0 || (errno != EINTR && errno != EAGAIN) {
                throw .closed
            }
        }
        return out
    }

    private func wait(_ events: Int16, by deadline: ContinuousClock.Instant?) throws(Failure) {
        // The call itself waits. `poll` would not in a plugin's child, which may have no descriptors (RLIMIT_NOFILE).
        guard let deadline else { return }
        while true {
            let left = (deadline - ContinuousClock.now).milliseconds
            guard left > 0 else { throw .late }
            let timeout = Int32(min(left, 60000))
            var item = pollfd(fd: descriptor, events: events, revents: 0)
            let ready = poll(&item, 1, timeout)
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw .closed }
        }
    }
}
