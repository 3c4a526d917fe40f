import ArgumentParser
import Logging
import ServiceLifecycle
import UnixSignals
import VaultBase
import VaultTesting

/// `vault sandbox`
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Run a provider to try things with, on this machine only.",
        discussion: """
            vault sandbox
            vault sandbox --sandbox-port 9002
            vault serve --sandbox          the same with a vault that is configured for it

            It keeps everything in memory and lets anybody in. Never use it for real users.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try common.settings()
        LogSetup.start(format: settings[\.logFormat], level: settings[\.logLevel])
        let logger = Logger(label: "vault")
        var options = Sandbox.Options()
        options.port = settings[\.sandboxPort]
        options.redirectURIs = ["\(settings.publicURL)/auth/sandbox/callback"]
        let shown = options
        let sandbox = Sandbox(options: options, logger: logger) { port in
            logger.info("sandbox is ready", metadata: ["url": "http://127.0.0.1:\(port)"])
            guard Terminal.errorIsTerminal else { return }
            Terminal.say("\nsandbox is at http://127.0.0.1:\(port)")
            Terminal.say("client id \(shown.clientID), returns to \(shown.redirectURIs.joined(separator: ", "))\n")
        }
        try await ServiceGroup(
            services: [sandbox], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        ).run()
    }
}
