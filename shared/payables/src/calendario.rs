//! Business days in Colombia.
//!
//! Holidays follow from rules, so that no year has to be entered: some have a day, some move to the Monday after it, some hang on Easter.

use std::collections::BTreeSet;

use cierre_kernel::time::Date;
use jiff::civil::Weekday;
use jiff::{Span, Unit};

/// Month and day of the holidays that stay where they are.
const FIXED: [(i8, i8); 6] = [(1, 1), (5, 1), (7, 20), (8, 7), (12, 8), (12, 25)];
/// Month and day of the holidays that move to the Monday after them, unless they fall on one (law 51 of 1983).
const MOVED: [(i8, i8); 7] = [
    (1, 6),
    (3, 19),
    (6, 29),
    (8, 15),
    (10, 12),
    (11, 1),
    (11, 11),
];
/// Days from Easter Sunday: Holy Thursday and Friday, and on Mondays Ascension, Corpus Christi and Sacred Heart.
const EASTER: [i32; 5] = [-3, -2, 43, 64, 71];

/// Easter Sunday of a year, by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms).
fn easter(year: i16) -> Option<Date> {
    let year_ = i32::from(year);
    let (a, b, c) = (year_ % 19, year_ / 100, year_ % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let days = h + l - 7 * m + 114;
    let (month, day) = (i8::try_from(days / 31).ok()?, i8::try_from(days % 31).ok()?);
    Date::new(year, month, day + 1).ok()
}

fn plus(date: Date, days: i32) -> Option<Date> {
    date.checked_add(Span::new().days(days)).ok()
}

fn is_weekday(date: Date) -> bool {
    match date.weekday() {
        Weekday::Monday
        | Weekday::Tuesday
        | Weekday::Wednesday
        | Weekday::Thursday
        | Weekday::Friday => true,
        Weekday::Saturday | Weekday::Sunday => false,
    }
}

/// The holidays of a year in Colombia.
#[must_use]
pub fn festivos(year: i16) -> BTreeSet<Date> {
    let day = |(month, day): (i8, i8)| Date::new(year, month, day).ok();
    let moved = MOVED.into_iter().filter_map(day).filter_map(|date| {
        let past_monday = i32::from(date.weekday().to_monday_zero_offset());
        plus(date, (7 - past_monday) % 7)
    });
    let easter = easter(year);
    let hanging = EASTER
        .into_iter()
        .filter_map(move |days| plus(easter?, days));
    FIXED
        .into_iter()
        .filter_map(day)
        .chain(moved)
        .chain(hanging)
        .collect()
}

/// Business days after `since`, up to and including `until`; the start day does not count. None when `until` does not lie after it.
///
/// `extra` are the days on which the company does not work beside the holidays.
#[must_use]
pub fn dias_habiles(since: Date, until: Date, extra: &BTreeSet<Date>) -> u32 {
    if until <= since {
        return 0;
    }
    let days = since
        .until((Unit::Day, until))
        .map_or(0, |span| span.get_days());
    // Whole weeks have five weekdays each; only the days that are left are looked at.
    let rest = (1..=days % 7).filter(|n| plus(since, *n).is_some_and(is_weekday));
    let weekdays = days / 7 * 5 + i32::try_from(rest.count()).unwrap_or(0);
    let free: BTreeSet<Date> = (since.year()..=until.year())
        .flat_map(festivos)
        .chain(extra.iter().copied())
        .filter(|date| since < *date && *date <= until && is_weekday(*date))
        .collect();
    u32::try_from(weekdays).map_or(0, |weekdays| {
        weekdays.saturating_sub(u32::try_from(free.len()).unwrap_or(u32::MAX))
    })
}

#[cfg(test)]
mod tests {
    use cierre_kernel::time::parse_date;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn date(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    #[test]
    fn the_holidays_of_2026_are_the_eighteen_of_the_calendar() {
        let expected = [
            "2026-01-01",
            "2026-01-12",
            "2026-03-23",
            "2026-04-02",
            "2026-04-03",
            "2026-05-01",
            "2026-05-18",
            "2026-06-08",
            "2026-06-15",
            "2026-06-29",
            "2026-07-20",
            "2026-08-07",
            "2026-08-17",
            "2026-10-12",
            "2026-11-02",
            "2026-11-16",
            "2026-12-08",
            "2026-12-25",
        ];
        let found: Vec<_> = festivos(2026).iter().map(Date::to_string).collect();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case(2000, "2000-04-23")]
    #[case(2008, "2008-03-23")]
    #[case(2024, "2024-03-31")]
    #[case(2025, "2025-04-20")]
    #[case(2038, "2038-04-25")]
    fn easter_is_on_its_sunday(#[case] year: i16, #[case] expected: &str) {
        assert_eq!(easter(year), Some(date(expected)));
    }

    #[rstest]
    #[case("2026-04-01", "2026-04-01", 0)]
    #[case("2026-04-01", "2026-04-05", 0)]
    #[case("2026-04-01", "2026-04-06", 1)]
    #[case("2026-04-01", "2026-04-07", 2)]
    #[case("2026-04-01", "2026-04-08", 3)]
    #[case("2026-04-08", "2026-04-01", 0)]
    #[case("2026-02-02", "2026-02-06", 4)]
    #[case("2026-12-24", "2027-01-04", 5)]
    fn business_days_are_counted(#[case] since: &str, #[case] until: &str, #[case] days: u32) {
        assert_eq!(
            dias_habiles(date(since), date(until), &BTreeSet::new()),
            days
        );
    }

    #[test]
    fn a_day_of_the_company_is_free_once() {
        let extra = BTreeSet::from(["2026-04-06", "2026-04-03", "2026-04-04"].map(date));
        assert_eq!(
            dias_habiles(date("2026-04-01"), date("2026-04-08"), &extra),
            2
        );
    }

    proptest! {
        #[test]
        fn counting_at_once_is_counting_day_by_day(start in 0..20_000_i32, days in 0..800_i32, extra in 0..800_i32) {
            let since = plus(date("2000-01-01"), start).unwrap();
            let extra = BTreeSet::from([plus(since, extra).unwrap()]);
            let one_by_one = (1..=days).filter_map(|n| plus(since, n)).filter(|day| {
                is_weekday(*day) && !festivos(day.year()).contains(day) && !extra.contains(day)
            }).count();
            let until = plus(since, days).unwrap();
            prop_assert_eq!(dias_habiles(since, until, &extra) as usize, one_by_one);
        }

        #[test]
        fn a_year_has_eighteen_holidays_or_two_on_one_day(year in 1990_i16..2200) {
            let count = festivos(year).len();
            prop_assert!((16..=18).contains(&count), "{}", count);
        }
    }
}
