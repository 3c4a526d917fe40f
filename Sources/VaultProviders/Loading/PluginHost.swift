import CVaultSandbox
import VaultBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the hidden command `vault plugin-host FILE` runs: loads the plugin, enters the sandbox, answers on descriptor 3.
///
/// In order: the sandbox, so that not even the plugin's initialisers run outside it; what is active is told before any
/// of its code could lie about it; load; wait until the host has closed the door (``PluginProcess``); then
/// `vault_plugin_v1` is called. Without hooks it ends there. It touches nothing but descriptor 3: no settings, no keys,
/// no store.
public enum PluginHost {
    static let descriptor: Int32 = 3

    public static func run(_ path: String) -> Never {
        let socket = FrameSocket(descriptor: descriptor)
        var kind: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 else {
            let message =
                "vault: error: plugin-host is started by vault itself\nvault: hint: see the plugins with: vault plugins\n"
            _ = message.withCString { write(2, $0, strlen($0)) }
            exit(64)
        }
        do {
            try serve(path, socket)
        } catch let fault as VaultError {
            try? socket.write(Frame(["fault", fault.message, fault.hint ?? ""]), by: nil)
            _exit(1)
        } catch {
            // The host is gone.
            _exit(0)
        }
    }

    private static func serve(_ path: String, _ socket: FrameSocket) throws -> Never {
        try socket.write(Frame(["sandbox", "\(vault_sandbox_before_load(path))"]), by: nil)
        var image = try PluginImage(path)
        try socket.write(Frame(["loaded"]), by: nil)
        guard try socket.read(by: nil).texts == ["closed"] else { _exit(1) }
        try image.describe()
        try socket.write(Frame(["describe"] + image.raw.entries.flatMap { [$0.name, $0.value] }), by: nil)
        while image.hasHooks {
            let frame = try socket.read(by: nil)
            guard let input = HookInput(frame) else { _exit(1) }
            try socket.write(HookOutput.frame(image.call(input)), by: nil)
        }
        _exit(0)
    }
}
