//! Dates, instants and time zones. Nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZoneDatabase;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use jiff::civil::Date;

/// A text that is not a date `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date of the form YYYY-MM-DD")]
pub struct InvalidDate;

/// A text that is not an RFC 3339 instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 instant")]
pub struct InvalidInstant;

/// A text that is not the name of an IANA time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an IANA time zone")]
pub struct InvalidTimeZone;

/// Reads a date, strictly `YYYY-MM-DD`.
///
/// # Errors
/// [`InvalidDate`] for any other form and for a day that the calendar does not have.
pub fn parse_date(text: &str) -> Result<Date, InvalidDate> {
    let bytes = text.as_bytes();
    let well_formed = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| match i {
            4 | 7 => *b == b'-',
            0..=3 | 5 | 6 | 8.. => b.is_ascii_digit(),
        });
    if well_formed {
        text.parse().map_err(|_| InvalidDate)
    } else {
        Err(InvalidDate)
    }
}

/// A point in time with millisecond precision, in the years 0001 to 9999.
///
/// The text form is RFC 3339 in UTC with exactly three decimals, so texts sort as instants do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Timestamp);

impl Instant {
    /// The first millisecond of year 1.
    pub const MIN: Self = Self::at(-62_135_596_800);
    /// The first millisecond of the last day of year 9999 in UTC, minus one day of slack that
    /// keeps the date within four digits in every time zone.
    pub const MAX: Self = Self::at(253_402_128_000);

    const fn at(second: i64) -> Self {
        Self(Timestamp::constant(second, 0))
    }

    /// The instant so many milliseconds after 1970; what lies outside the years 1 to 9999 is
    /// moved to the nearest end.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Timestamp::from_millisecond(millis).map_or(
            if millis < 0 { Self::MIN } else { Self::MAX },
            Self::truncated,
        )
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The calendar day in a time zone.
    #[must_use]
    pub fn date_in(self, zone: &TimeZone) -> Date {
        zone.zone.to_datetime(self.0).date()
    }

    /// The instant so many seconds later (or earlier, when negative), within the bounds.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let moved = self.0.saturating_add(SignedDuration::from_secs(seconds));
        Self::truncated(moved.unwrap_or(self.0))
    }

    /// Whole milliseconds from `earlier` to this instant; negative when it lies after.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.as_millis() - earlier.as_millis()
    }

    /// Reads an RFC 3339 instant; finer parts than milliseconds are cut off.
    ///
    /// # Errors
    /// [`InvalidInstant`] when the text has no date, time and offset.
    pub fn parse(text: &str) -> Result<Self, InvalidInstant> {
        text.parse()
            .map(Self::truncated)
            .map_err(|_| InvalidInstant)
    }

    fn truncated(timestamp: Timestamp) -> Self {
        // Floor, not truncation towards 1970: cutting never moves an instant into the future.
        let millis = timestamp.as_nanosecond().div_euclid(1_000_000);
        let floored = i64::try_from(millis)
            .ok()
            .and_then(|millis| Timestamp::from_millisecond(millis).ok())
            .unwrap_or(timestamp);
        Self(floored).clamp(Self::MIN, Self::MAX)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Instant {
    type Err = InvalidInstant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// An IANA time zone from the database that is compiled in, so every machine agrees on it.
#[derive(Clone)]
pub struct TimeZone {
    name: String,
    zone: jiff::tz::TimeZone,
}

impl TimeZone {
    /// Reads a zone's name, in any letter case.
    ///
    /// # Errors
    /// [`InvalidTimeZone`] when the database does not have it.
    pub fn parse(name: &str) -> Result<Self, InvalidTimeZone> {
        let zone = TimeZoneDatabase::bundled()
            .get(name)
            .map_err(|_| InvalidTimeZone)?;
        let name = zone.iana_name().unwrap_or(name).to_owned();
        Ok(Self { name, zone })
    }

    /// The instant at which an hour of a day begins; where the clocks skip that hour, the one to which they go on.
    #[must_use]
    pub fn instant_at(&self, day: Date, hour: i8) -> Instant {
        let local = day.at(hour, 0, 0, 0);
        let begun = self.zone.to_ambiguous_timestamp(local).compatible();
        begun.map_or(Instant::MAX, Instant::truncated)
    }

    /// The name as the database spells it, such as `America/Bogota`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl PartialEq for TimeZone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TimeZone {}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimeZone").field(&self.name).finish()
    }
}

impl FromStr for TimeZone {
    type Err = InvalidTimeZone;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::parse(name)
    }
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::day_not_in_calendar("2024-02-30")]
    #[case::other_order("31/01/2024")]
    #[case::short("2024-1-31")]
    #[case::with_time("2024-01-31T00:00:00Z")]
    #[case::compact("20240131")]
    #[case::month_13("2024-13-01")]
    #[case::sign("+024-01-31")]
    #[case::other_digits("２０２４-01-31")]
    #[case::empty("")]
    fn refuses_what_is_not_a_date(#[case] text: &str) {
        assert_eq!(parse_date(text), Err(InvalidDate));
    }

    #[test]
    fn reads_a_leap_day() {
        assert_eq!(parse_date("2024-02-29").unwrap().to_string(), "2024-02-29");
    }

    #[test]
    fn an_instant_always_prints_three_decimals() {
        assert_eq!(
            Instant::from_millis(1_706_745_600_000).to_string(),
            "2024-02-01T00:00:00.000Z"
        );
        assert_eq!(
            Instant::parse("2024-01-31T21:00:00.1239-03:00").unwrap(),
            Instant::from_millis(1_706_745_600_123)
        );
    }

    #[test]
    fn the_business_day_is_the_one_of_the_time_zone() {
        let instant = Instant::parse("2024-02-01T02:30:00.000Z").unwrap();
        let buenos_aires = TimeZone::parse("America/Argentina/Buenos_Aires").unwrap();
        assert_eq!(instant.date_in(&buenos_aires).to_string(), "2024-01-31");
        let utc = TimeZone::parse("UTC").unwrap();
        assert_eq!(instant.date_in(&utc).to_string(), "2024-02-01");
    }

    #[test]
    fn an_hour_of_a_day_begins_where_the_zone_says() {
        let at = |zone: &str, day: &str, hour| {
            let zone = TimeZone::parse(zone).unwrap();
            zone.instant_at(parse_date(day).unwrap(), hour).to_string()
        };
        let bogota = at("America/Bogota", "2026-04-08", 6);
        assert_eq!(bogota, "2026-04-08T11:00:00.000Z");
        // In Santiago the first hour of this day is skipped.
        let santiago = at("America/Santiago", "2025-09-07", 0);
        assert_eq!(santiago, "2025-09-07T04:00:00.000Z");
    }

    #[test]
    fn a_time_zone_is_known_by_the_name_of_the_database() {
        assert_eq!(
            TimeZone::parse("america/bogota").unwrap().name(),
            "America/Bogota"
        );
        for unknown in ["Mars/Olympus", "", "+03:00", "local"] {
            assert_eq!(TimeZone::parse(unknown), Err(InvalidTimeZone));
        }
    }

    #[test]
    fn instants_beyond_the_calendar_stop_at_its_ends() {
        assert_eq!(Instant::from_millis(i64::MAX), Instant::MAX);
        assert_eq!(Instant::from_millis(i64::MIN), Instant::MIN);
        assert_eq!(Instant::MAX.plus_seconds(i64::MAX), Instant::MAX);
        assert_eq!(Instant::MIN.plus_seconds(i64::MIN), Instant::MIN);
        assert_eq!(Instant::MIN.to_string(), "0001-01-01T00:00:00.000Z");
        assert_eq!(Instant::MAX.to_string(), "9999-12-30T00:00:00.000Z");
    }

    proptest! {
        #[test]
        fn text_keeps_the_instant_and_its_order(
            a in -62_135_596_800_000i64..253_402_128_000_000,
            b in -62_135_596_800_000i64..253_402_128_000_000,
        ) {
            let (a, b) = (Instant::from_millis(a), Instant::from_millis(b));
            prop_assert_eq!(Instant::parse(&a.to_string()), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn seconds_added_can_be_taken_away(
            start in 0i64..4_000_000_000_000, seconds in -1_000_000i64..1_000_000,
        ) {
            let start = Instant::from_millis(start);
            let moved = start.plus_seconds(seconds);
            prop_assert_eq!(moved.millis_since(start), seconds * 1000);
            prop_assert_eq!(moved.plus_seconds(-seconds), start);
        }

        #[test]
        fn a_printed_date_is_read_back(days in 0i32..365_000) {
            let date = jiff::civil::date(1900, 1, 1)
                .checked_add(jiff::Span::new().days(days)).unwrap();
            prop_assert_eq!(parse_date(&date.to_string()), Ok(date));
        }
    }
}
