//! A workbook's number, exactly: the digits are read as they are written, never through a float.

/// The most digits before the point that any rule needs; longer numbers are told apart only as too long.
const DIGITS: usize = 18;
/// Where a workbook's number is rounded: what lies beyond is the noise of binary floating point.
const PLACES: usize = 6;

/// A number rounded at six decimals, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(i128);

impl Number {
    /// Reads a number as XML Schema writes a double, such as `600000`, `6E5` or `29.499999999999996`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // Nearly every number of a book is a few digits.
        if text.len() <= DIGITS && text.bytes().all(|b| b.is_ascii_digit()) {
            return text
                .parse::<i64>()
                .ok()
                .map(|whole| Self(i128::from(whole) * 1_000_000));
        }
        let (negative, text) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if !digits().all(|b| b.is_ascii_digit()) || digits().next().is_none() {
            return None;
        }
        // The point stands after this many digits.
        let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
        let mut millionths: i128 = 0;
        let mut round_up = false;
        let mut significant = false;
        let last = point + i64::try_from(PLACES).ok()?;
        let mut at = 0;
        for digit in digits() {
            if at < last {
                significant |= digit != b'0';
                if significant && at + i64::try_from(DIGITS).ok()? < point {
                    return None;
                }
                millionths = millionths * 10 + i128::from(digit - b'0');
            } else if at == last {
                round_up = digit >= b'5';
            }
            at += 1;
        }
        if millionths != 0 {
            let missing = u32::try_from((last - at).max(0)).ok()?;
            if missing > 24 {
                return None;
            }
            millionths = millionths.checked_mul(10_i128.checked_pow(missing)?)?;
        }
        millionths += i128::from(round_up);
        Some(Self(if negative { -millionths } else { millionths }))
    }

    /// The whole number, if there is no fraction.
    pub(super) fn whole(self) -> Option<i64> {
        (self.0 % 1_000_000 == 0)
            .then(|| i64::try_from(self.0 / 1_000_000).ok())
            .flatten()
    }

    /// The number in hundredths, if it has at most two decimals.
    pub(super) fn hundredths(self) -> Option<i64> {
        (self.0 % 10_000 == 0)
            .then(|| i64::try_from(self.0 / 10_000).ok())
            .flatten()
    }

    /// The number as people write it with a point, without trailing zeros.
    pub(super) fn plain(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        let (whole, fraction) = (size / 1_000_000, size % 1_000_000);
        if fraction == 0 {
            return format!("{sign}{whole}");
        }
        let fraction = format!("{fraction:06}");
        format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("6E5", "600000")]
    #[case("600000.0000001", "600000")]
    #[case("29.499999999999996", "29.5")]
    #[case("-1.5e-3", "-0.0015")]
    #[case("0.9999999", "1")]
    #[case("1E-300", "0")]
    #[case("0e999999999", "0")]
    #[case("1.23456789E8", "123456789")]
    #[case("00000000000000000000001", "1")]
    fn numbers_are_exact_to_six_places(#[case] text: &str, #[case] plain: &str) {
        assert_eq!(Number::parse(text).unwrap().plain(), plain);
    }

    #[rstest]
    #[case("")]
    #[case("-")]
    #[case(".")]
    #[case("1e")]
    #[case("NaN")]
    #[case("1e400")]
    #[case("1e99999999999")]
    #[case("1234567890123456789012")]
    #[case("1 2")]
    fn what_is_no_number_is_refused(#[case] text: &str) {
        assert_eq!(Number::parse(text), None);
    }
}
