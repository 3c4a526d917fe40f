// Reads what it gave back, which must be reported.
@main struct Program {
    static func main() {
        let byte = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
        byte.initialize(to: 1)
        byte.deallocate()
        print(byte.pointee)
    }
}
