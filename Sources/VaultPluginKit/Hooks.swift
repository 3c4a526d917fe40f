public import VaultABI

extension UnsafePointer where Pointee == vault_call_v1 {
    /// Memory for what the hook returns: freed by vault after the call, never by the plugin. nil when there is no more.
    public func allocate(_ size: Int) -> UnsafeMutableRawPointer? { pointee.allocate?(self, size) }

    /// The operator's setting of that name.
    public func setting(_ name: StaticString) -> UnsafePointer<CChar>? {
        guard var pair = pointee.settings else { return nil }
        while let candidate = pair.pointee.name {
            if name.isSame(as: candidate) { return pair.pointee.value }
            pair += 1
        }
        return nil
    }
}

extension StaticString {
    /// Compares bytes; comparing Swift strings would need Unicode's tables.
    func isSame(as text: UnsafePointer<CChar>) -> Bool {
        let bytes = utf8Start
        var index = 0
        while index < utf8CodeUnitCount {
            if UInt8(bitPattern: text[index]) != bytes[index] { return false }
            index += 1
        }
        return text[index] == 0
    }
}
