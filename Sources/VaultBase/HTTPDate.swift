extension Timestamp {
    /// The moment as `Mon, 23 Nov 2026 13:08:15 GMT` (IMF-fixdate, RFC 9110 §5.6.7), in whole seconds rounded down.
    ///
    /// Years before 0 and after 9999, which the format does not have, are written as its ends.
    public var httpDate: String {
        let text = iso8601
        func part(_ from: Int, _ count: Int) -> Substring { text.dropFirst(from).prefix(count) }
        let limited = min(max(seconds, Self.firstSecond), Self.lastSecond)
        // The year 0 began on a Saturday.
        let weekday = Int((limited - Self.firstSecond) / 86_400 + 6) % 7
        let month = (Int(part(5, 2)) ?? 1) - 1
        return "\(Self.weekdays[weekday]), \(part(8, 2)) \(Self.months[month]) \(part(0, 4)) \(part(11, 8)) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
