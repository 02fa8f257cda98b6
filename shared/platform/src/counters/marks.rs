//! Which records of a source were counted.

use serde::{Deserialize, Serialize};

use super::Mark;
use crate::error::Failure;

/// Digits of a stream's sequence number at most; padded to these, numbers compare as texts.
const SEQUENCE_DIGITS: usize = 40;

/// The marks that a checkpoint covers, as stored: for marks of the stream the last one, for places the runs without gaps, `1-7,9-9`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Seen(String);

impl Seen {
    /// The text as stored.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What is covered with this mark besides; none when it is covered already.
    ///
    /// # Errors
    /// When a stored checkpoint cannot be read.
    pub(super) fn with(seen: Option<&Self>, mark: &Mark) -> Result<Option<Self>, Failure> {
        let text = seen.map_or("", Self::as_str);
        Ok(match mark {
            Mark::Stream(sequence) => {
                let sequence = format!("{sequence:0>SEQUENCE_DIGITS$}");
                (text < sequence.as_str()).then_some(Self(sequence))
            }
            Mark::Place(place) => {
                let mut runs = read_runs(text)
                    .ok_or_else(|| Failure::message("a checkpoint of places cannot be read"))?;
                insert(&mut runs, *place).then(|| Self(write_runs(&runs)))
            }
        })
    }
}

/// First and last place of a run.
type Run = (u64, u64);

fn read_runs(text: &str) -> Option<Vec<Run>> {
    let read = |run: &str| {
        let (first, last) = run.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    text.split(',')
        .filter(|run| !run.is_empty())
        .map(read)
        .collect()
}

fn write_runs(runs: &[Run]) -> String {
    let runs: Vec<String> = runs
        .iter()
        .map(|(first, last)| format!("{first}-{last}"))
        .collect();
    runs.join(",")
}

/// Puts a place into the sorted runs and joins those that it connects; false when it was in one of them.
fn insert(runs: &mut Vec<Run>, place: u64) -> bool {
    let at = runs.partition_point(|(_, last)| *last < place);
    if runs.get(at).is_some_and(|(first, _)| *first <= place) {
        return false;
    }
    runs.insert(at, (place, place));
    join(runs, at);
    if at > 0 {
        join(runs, at - 1);
    }
    true
}

/// Joins the run at `at` with its successor when nothing lies between them.
fn join(runs: &mut Vec<Run>, at: usize) {
    if let (Some((first, last)), Some((next, end))) =
        (runs.get(at).copied(), runs.get(at + 1).copied())
        && next == last + 1
    {
        runs.splice(at..=at + 1, [(first, end)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn offer(seen: &mut Option<Seen>, mark: &Mark) -> bool {
        let with = Seen::with(seen.as_ref(), mark).unwrap();
        let is_new = with.is_some();
        if is_new {
            *seen = with;
        }
        is_new
    }

    #[test]
    fn sequence_numbers_compare_by_value() {
        let mut seen = None;
        assert!(offer(&mut seen, &Mark::Stream("9".into())));
        assert!(offer(&mut seen, &Mark::Stream("10".into())));
        assert!(!offer(&mut seen, &Mark::Stream("9".into())));
        assert!(!offer(&mut seen, &Mark::Stream("10".into())));
        assert!(offer(
            &mut seen,
            &Mark::Stream("100000000000000000000".into())
        ));
    }

    #[test]
    fn a_closed_gap_leaves_one_run() {
        let mut seen = None;
        for place in [1, 2, 4, 6, 5] {
            assert!(offer(&mut seen, &Mark::Place(place)));
        }
        assert_eq!(seen.as_ref().unwrap().as_str(), "1-2,4-6");
        assert!(offer(&mut seen, &Mark::Place(3)));
        assert_eq!(seen.unwrap().as_str(), "1-6");
    }

    #[test]
    fn a_checkpoint_of_another_kind_is_a_fault() {
        let stream = Seen::with(None, &Mark::Stream("7".into())).unwrap();
        assert!(Seen::with(stream.as_ref(), &Mark::Place(1)).is_err());
    }

    proptest! {
        /// Whatever the order and however often they come, every place is new exactly once.
        #[test]
        fn every_place_is_new_once(places in prop::collection::vec(1_u64..30, 0..120)) {
            let mut seen = None;
            let mut known = BTreeSet::new();
            for place in places {
                prop_assert_eq!(offer(&mut seen, &Mark::Place(place)), known.insert(place));
            }
            let runs = read_runs(seen.as_ref().map_or("", Seen::as_str)).unwrap();
            let covered: BTreeSet<u64> = runs.iter().flat_map(|(first, last)| *first..=*last).collect();
            prop_assert_eq!(covered, known);
            prop_assert!(runs.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }
}
