/// For how many writes the writer waits before it begins a commit.
///
/// Those who were answered together often come back together. A commit that begins with the first of them goes to the
/// disk for a few, and the others wait for it and for their own. So the writer waits for as many as there can be: those
/// it answered, and those who waited meanwhile. Where they do not come back, it does not wait for a while: who knocks at
/// random gains nothing by it.
struct Gathering {
    /// The part of a commit's time that is waited at most, as its divisor.
    static let share = 4
    /// Among so many, a flush costs each next to nothing: more are not waited for.
    static let enough = 64
    /// How many commits begin at once after a wait that was in vain.
    private static let pause = 32

    private var expected = 1
    private var atOnce = 0

    /// A commit is over: `count` are being answered, `waiting` came while it ran.
    mutating func answered(_ count: Int, waiting: Int) { expected = min(count + waiting, Self.enough) }

    /// How many to wait for, where one is there; nil for going ahead.
    mutating func wanted() -> Int? {
        guard expected > 1 else { return nil }
        guard atOnce == 0 else {
            atOnce -= 1
            return nil
        }
        return expected
    }

    /// The wait is over and `count` are there.
    mutating func gathered(_ count: Int) {
        if count < expected - expected / 4 { atOnce = Self.pause }
    }
}
