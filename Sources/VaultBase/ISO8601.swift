extension Timestamp {
    /// The moment as `2026-11-23T13:08:15Z` (RFC 3339 §5.6), in whole seconds rounded down, so that a time
    /// of ending is never told later than it is.
    ///
    /// Years before 0 and after 9999, which the format does not have, are written as its ends.
    public var iso8601: String {
        let limited = min(max(seconds, Self.firstSecond), Self.lastSecond)
        let days = limited >= 0 ? limited / 86_400 : (limited - 86_399) / 86_400
        let second = Int(limited - days * 86_400)
        let (year, month, day) = Self.civil(days: Int(days))
        return String(unsafeUninitializedCapacity: 20) { out in
            func digits(_ value: Int, _ count: Int, at offset: Int, then end: Character?) {
                var rest = value
                for index in (0..<count).reversed() {
                    out[offset + index] = UInt8(48 + rest % 10)
                    rest /= 10
                }
                if let end { out[offset + count] = end.asciiValue! }
            }
            digits(year, 4, at: 0, then: "-")
            digits(month, 2, at: 5, then: "-")
            digits(day, 2, at: 8, then: "T")
            digits(second / 3600, 2, at: 11, then: ":")
            digits(second / 60 % 60, 2, at: 14, then: ":")
            digits(second % 60, 2, at: 17, then: "Z")
            return 20
        }
    }

    /// 0000-01-01T00:00:00Z.
    static let firstSecond: Int64 = -62_167_219_200
    /// 9999-12-31T23:59:59Z.
    static let lastSecond: Int64 = 253_402_300_799

    /// The day of the Gregorian calendar, from days since 1970-01-01: counted from a 1st of March, so that
    /// the leap day is the last of its year.
    private static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
