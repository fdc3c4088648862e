public import FoundationEssentials

/// Times as platforms write them: RFC 3339 with up to nine digits of a second.
public enum Timestamp {
    /// Reads a time; nil where the text is none, or Go's zero time (year 1).
    public static func date(_ text: some StringProtocol) -> Date? {
        var reader = Reader(bytes: Array(text.utf8))
        guard let year = reader.number(4), year > 1, reader.skip("-"),
            let month = reader.number(2), (1...12).contains(month), reader.skip("-"),
            let day = reader.number(2), (1...31).contains(day), reader.skip("T"),
            let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2),
            reader.skip(":"), let second = reader.number(2)
        else { return nil }
        let fraction = reader.skip(".") ? reader.fraction() : 0
        guard let offset = reader.offset(), reader.isAtEnd else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Date(timeIntervalSince1970: Double(seconds) + fraction)
    }

    /// Days from 1970-01-01, in the proleptic Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let years = month <= 2 ? year - 1 : year
        let era = years / 400
        let yearOfEra = years - era * 400
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        mutating func digit() -> Int? {
            guard position < bytes.count, (0x30...0x39).contains(bytes[position]) else {
                return nil
            }
            position += 1
            return Int(bytes[position - 1]) - 0x30
        }

        mutating func number(_ digits: Int) -> Int? {
            var value = 0
            for _ in 0..<digits {
                guard let next = digit() else { return nil }
                value = value * 10 + next
            }
            return value
        }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard position < bytes.count, bytes[position] == UInt8(ascii: character)
            else { return false }
            position += 1
            return true
        }

        mutating func fraction() -> Double {
            var value = 0.0
            var weight = 0.1
            while let next = digit() {
                value += Double(next) * weight
                weight /= 10
            }
            return value
        }

        mutating func offset() -> Int? {
            if skip("Z") { return 0 }
            let sign = skip("+") ? 1 : skip("-") ? -1 : 0
            guard sign != 0, let hours = number(2), skip(":"), let minutes = number(2)
            else { return nil }
            return sign * (hours * 3600 + minutes * 60)
        }
    }
}
