import NIOCore
import NIOPosix
import NIOSSL

/// A server on loopback that speaks TLS with a certificate of its own making and answers 200 to everything.
struct TLSServer {
    private let channel: any Channel

    var port: Int { channel.localAddress?.port ?? 0 }

    static func start(_ certificate: NIOSSLCertificate) async throws -> TLSServer {
        let key = try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(certificate)], privateKey: .privateKey(key)))
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: context), Handler(),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TLSServer(channel: channel)
    }

    func stop() async { try? await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(
                wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")), promise: nil)
        }
    }

    static func certificate(_ pem: String) throws -> NIOSSLCertificate {
        try NIOSSLCertificate(bytes: Array(pem.utf8), format: .pem)
    }

    /// Of all the certificates here; nobody else trusts it.
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYgqye8uCFJQQ8ERl
        2F4nBXjANLdbFGdjvgDaxEytEJWhRANCAASVMtpFpplnxbQ26Gnqo+D10RcNCqrb
        ilej9uX52Y0WDVBfrBM8yuTxnW83tcSepUPCYPpa1jeqeog1OE2lkvS+
        -----END PRIVATE KEY-----
        """

    static let ofThisAddress = """
        -----BEGIN CERTIFICATE-----
        MIIBPTCB5aADAgECAgEBMAoGCCqGSM49BAMCMBUxEzARBgNVBAMMCnZhdWx0IHRl
        c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBUxEzARBgNVBAMM
        CnZhdWx0IHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASVMtpFpplnxbQ2
        6Gnqo+D10RcNCqrbilej9uX52Y0WDVBfrBM8yuTxnW83tcSepUPCYPpa1jeqeog1
        OE2lkvS+oyQwIjAPBgNVHREECDAGhwR/AAABMA8GA1UdEwEB/wQFMAMBAf8wCgYI
        KoZIzj0EAwIDRwAwRAIgbJrhYv72sHJ0ITepe7VQIowDqBY73cqckF2SM92aYlgC
        IGYZzWVqhiL7UFrN6TQ8Ck3SBKpKGzrCuonsej0Ane2x
        -----END CERTIFICATE-----
        """

    static let ofOtherExample = """
        -----BEGIN CERTIFICATE-----
        MIIBRzCB7qADAgECAgEBMAoGCCqGSM49BAMCMBUxEzARBgNVBAMMCnZhdWx0IHRl
        c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBUxEzARBgNVBAMM
        CnZhdWx0IHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASVMtpFpplnxbQ2
        6Gnqo+D10RcNCqrbilej9uX52Y0WDVBfrBM8yuTxnW83tcSepUPCYPpa1jeqeog1
        OE2lkvS+oy0wKzAYBgNVHREEETAPgg1vdGhlci5leGFtcGxlMA8GA1UdEwEB/wQF
        MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgCWVsZeqW3DFNojfZOD+Xtovevin5GiDg
        wNPEyxAqZiICIQDXUzWxyby/rzMBNzlFuh2anZKYYWCAXWvt87R7vSHV0A==
        -----END CERTIFICATE-----
        """
}
