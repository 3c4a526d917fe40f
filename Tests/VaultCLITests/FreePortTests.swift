import Glibc
import Testing

@testable import VaultCLI

@Suite struct FreePortTests {
    /// What binding to the port and listening there says.
    private func listen(_ port: Int, reusing: Bool) -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var reuse: Int32 = reusing ? 1 : 0
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return bound == 0 && Glibc.listen(socket, 1) == 0 ? 0 : errno
    }

    /// Between choosing and listening a server loads its plugins; somebody else was given its port in that time.
    @Test func aChosenPortIsOursUntilWeListen() throws {
        let port = try FreePort.find()
        #expect(listen(port, reusing: false) == EADDRINUSE)
        #expect(listen(port, reusing: true) == 0)
    }
}
