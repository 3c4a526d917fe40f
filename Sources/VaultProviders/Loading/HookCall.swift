import VaultABI
import VaultBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One call of a hook: everything handed in is copied for it and wiped after it, everything it returns is copied out
/// within the limits of vault_plugin.h.
enum HookCall {
    /// What a hook may allocate, in bytes.
    static let memoryLimit = 65536

    static func run(_ hook: vault_hook_v1, _ input: HookInput) -> HookOutput? {
        let memory = Memory()
        let context = input.context
        var call = vault_call_v1()
        call.stage = stageNumber(input.stage)
        call.now = context.now.seconds
        call.client_id = memory.text(context.clientID)
        call.client_secret = context.clientSecret.map { memory.text($0.reveal()) }
        call.scope = memory.text(context.scope)
        call.settings = memory.pairs(context.parameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        call.more = memory.pairs([])
        call.host = Unmanaged.passUnretained(memory).toOpaque()
        call.allocate = { call, size in
            guard let host = call?.pointee.host else { return nil }
            return Unmanaged<Memory>.fromOpaque(host).takeUnretainedValue().lend(size)
        }

        var message = vault_message_v1()
        message.method = memory.text(input.method)
        message.url = memory.text(input.url)
        message.headers = memory.pairs(input.headers)
        message.body = memory.bytes(input.body)
        message.body_size = input.body.count
        message.status = UInt32(clamping: input.status)

        // The memory must outlive the hook, whatever the optimiser thinks of it.
        return withExtendedLifetime(memory) {
            guard hook(&call, &message) == Int32(VAULT_DONE.rawValue) else { return nil }
            return output(message, bodyLimit: input.hook == .prepare ? memoryLimit : JSONValue.sizeLimit)
        }
    }

    private static func output(_ message: vault_message_v1, bodyLimit: Int) -> HookOutput? {
        var out = HookOutput()
        guard let method = text(message.method, 16), let url = text(message.url, WebAddress.sizeLimit),
            message.body_size <= bodyLimit, message.body_size == 0 || message.body != nil
        else { return nil }
        (out.method, out.url, out.status) = (method, url, Int(message.status))
        if message.body_size > 0 {
            out.body = Array(UnsafeRawBufferPointer(start: message.body, count: message.body_size))
        }
        var index = 0
        while let headers = message.headers, let name = headers[index].name {
            guard index < RawDescription.arrayLimit, let name = text(name, 64),
                let value = text(headers[index].value, 32768)
            else { return nil }
            out.headers.append((name, value))
            index += 1
        }
        return out
    }

    private static func text(_ pointer: UnsafePointer<CChar>?, _ limit: Int) -> String? {
        guard let pointer else { return "" }
        let count = strnlen(pointer, limit + 1)
        guard count <= limit else { return nil }
        return String(validating: UnsafeRawBufferPointer(start: pointer, count: count), as: UTF8.self)
    }

    private static func stageNumber(_ stage: FlowEngine.Stage) -> UInt32 {
        switch stage {
        case .authorize: VAULT_AUTHORIZE.rawValue
        case .exchange: VAULT_EXCHANGE.rawValue
        case .refresh: VAULT_REFRESH.rawValue
        case .revoke: VAULT_REVOKE.rawValue
        case .profile: VAULT_PROFILE.rawValue
        case .validate: VAULT_VALIDATE.rawValue
        }
    }

    /// What one call uses; wiped and freed with it. Requests hold codes and tokens.
    private final class Memory {
        private var blocks: [UnsafeMutableRawBufferPointer] = []
        private var lent = 0

        func bytes(_ bytes: some Collection<UInt8>) -> UnsafePointer<UInt8> {
            let block = take(bytes.count + 1)
            for (index, byte) in bytes.enumerated() { block[index] = byte }
            return UnsafePointer(block.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }

        func text(_ text: String) -> UnsafePointer<CChar> {
            UnsafeRawPointer(bytes(text.utf8)).assumingMemoryBound(to: CChar.self)
        }

        func pairs(_ pairs: [(name: String, value: String)]) -> UnsafePointer<vault_pair_v1> {
            let block = take((pairs.count + 1) * MemoryLayout<vault_pair_v1>.stride)
            let array = block.baseAddress!.bindMemory(to: vault_pair_v1.self, capacity: pairs.count + 1)
            for (index, pair) in pairs.enumerated() {
                array[index] = vault_pair_v1(name: text(pair.name), value: text(pair.value))
            }
            return UnsafePointer(array)
        }

        func lend(_ size: Int) -> UnsafeMutableRawPointer? {
            guard size > 0, size <= memoryLimit - lent else { return nil }
            lent += size
            return take(size).baseAddress
        }

        private func take(_ size: Int) -> UnsafeMutableRawBufferPointer {
            let block = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
            block.initializeMemory(as: UInt8.self, repeating: 0)
            blocks.append(block)
            return block
        }

        deinit {
            for block in blocks {
                if let start = block.baseAddress { explicit_bzero(start, block.count) }
                block.deallocate()
            }
        }
    }
}
