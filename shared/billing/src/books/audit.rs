//! Whether a book's numbers are what the law asks for: judged over the documents themselves, not over counters.
//!
//! Pure: it is given what was found under which number and what the batches say of themselves, and answers every contradiction.

use std::collections::BTreeMap;

use cierre_kernel::id::BatchId;
use cierre_kernel::time::Date;

use crate::ids::DocumentId;

/// Findings of one kind that an answer carries; the rest is counted in [`Findings::omitted`]. A book as broken as that is not repaired from a
/// list, and the answer stays within what a function may return.
const LISTED: usize = 1_000;

/// A document that was found, with the number that it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) number: u32,
    pub(crate) id: DocumentId,
    pub(crate) issue_date: Date,
    /// Minor units.
    pub(crate) amount: i64,
    pub(crate) cae: Option<u64>,
    pub(crate) batch_id: BatchId,
}

/// What a batch says of its documents within the audited numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) batch_id: BatchId,
    pub(crate) count: u32,
    /// Minor units.
    pub(crate) amount: i64,
}

/// Numbers that nobody carries, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

/// A number that several documents carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Duplicate {
    pub(crate) number: u32,
    pub(crate) ids: Vec<DocumentId>,
}

/// A document with an earlier date than the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateFall {
    pub(crate) number: u32,
    pub(crate) issue_date: Date,
    pub(crate) previous: Date,
}

/// A code that several documents carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SharedCae {
    pub(crate) cae: u64,
    pub(crate) numbers: Vec<u32>,
}

/// A batch whose documents are not what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SumMismatch {
    pub(crate) promised: Promise,
    pub(crate) count: u32,
    pub(crate) amount: i64,
}

/// What an audit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) count: u32,
    pub(crate) total: i64,
    pub(crate) without_cae: u32,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) duplicates: Vec<Duplicate>,
    pub(crate) date_falls: Vec<DateFall>,
    pub(crate) shared_caes: Vec<SharedCae>,
    pub(crate) sum_mismatches: Vec<SumMismatch>,
    /// Findings beyond those listed.
    pub(crate) omitted: usize,
}

impl Findings {
    /// Whether nothing contradicts anything.
    pub(crate) fn are_none(&self) -> bool {
        self.gaps.is_empty()
            && self.duplicates.is_empty()
            && self.date_falls.is_empty()
            && self.shared_caes.is_empty()
            && self.sum_mismatches.is_empty()
    }
}

/// Judges the documents found under the numbers `first..=last`. Documents that carry a number outside do not count; where they should have
/// been, there is a gap.
pub(crate) fn audit(
    first: u32,
    last: u32,
    mut found: Vec<Found>,
    promises: &[Promise],
) -> Findings {
    found.retain(|document| (first..=last).contains(&document.number));
    // By id within a number, so that two audits of the same book say the same.
    found.sort_unstable_by_key(|document| (document.number, document.id));
    // The same document under the same number twice is one document that was looked at twice.
    found.dedup_by_key(|document| (document.number, document.id));
    let mut findings = Findings {
        count: u32::try_from(found.len()).unwrap_or(u32::MAX),
        total: found.iter().map(|document| document.amount).sum(),
        without_cae: u32::try_from(
            found
                .iter()
                .filter(|document| document.cae.is_none())
                .count(),
        )
        .unwrap_or(u32::MAX),
        gaps: gaps(first, last, &found),
        duplicates: duplicates(&found),
        date_falls: date_falls(&found),
        shared_caes: shared_caes(&found),
        sum_mismatches: sum_mismatches(&found, promises),
        omitted: 0,
    };
    findings.omitted = cut(&mut findings.gaps)
        + cut(&mut findings.duplicates)
        + cut(&mut findings.date_falls)
        + cut(&mut findings.shared_caes)
        + cut(&mut findings.sum_mismatches);
    findings
}

fn cut<T>(findings: &mut Vec<T>) -> usize {
    let omitted = findings.len().saturating_sub(LISTED);
    findings.truncate(LISTED);
    omitted
}

fn gaps(first: u32, last: u32, found: &[Found]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut expected = first;
    for document in found {
        if document.number > expected {
            gaps.push(Gap {
                from: expected,
                to: document.number - 1,
            });
        }
        expected = document.number + 1;
    }
    if expected <= last {
        gaps.push(Gap {
            from: expected,
            to: last,
        });
    }
    gaps
}

fn duplicates(found: &[Found]) -> Vec<Duplicate> {
    let same_number = found.chunk_by(|one, next| one.number == next.number);
    same_number
        .filter_map(|documents| match documents {
            [one, _, ..] => Some(Duplicate {
                number: one.number,
                ids: documents.iter().map(|document| document.id).collect(),
            }),
            [] | [_] => None,
        })
        .collect()
}

fn date_falls(found: &[Found]) -> Vec<DateFall> {
    let neighbours = found.iter().zip(found.iter().skip(1));
    neighbours
        .filter(|(previous, document)| document.issue_date < previous.issue_date)
        .map(|(previous, document)| DateFall {
            number: document.number,
            issue_date: document.issue_date,
            previous: previous.issue_date,
        })
        .collect()
}

fn shared_caes(found: &[Found]) -> Vec<SharedCae> {
    let mut caes: Vec<(u64, u32)> = found
        .iter()
        .filter_map(|document| Some((document.cae?, document.number)))
        .collect();
    caes.sort_unstable();
    let same_cae = caes.chunk_by(|one, next| one.0 == next.0);
    same_cae
        .filter_map(|documents| match documents {
            [(cae, _), _, ..] => Some(SharedCae {
                cae: *cae,
                numbers: documents.iter().map(|(_, number)| *number).collect(),
            }),
            [] | [_] => None,
        })
        .collect()
}

fn sum_mismatches(found: &[Found], promises: &[Promise]) -> Vec<SumMismatch> {
    let mut sums: BTreeMap<BatchId, (u32, i64)> = BTreeMap::new();
    for document in found {
        let (count, amount) = sums.entry(document.batch_id).or_default();
        *count += 1;
        *amount += document.amount;
    }
    let mismatches = promises.iter().filter_map(|promised| {
        let (count, amount) = sums.get(&promised.batch_id).copied().unwrap_or_default();
        let kept = count == promised.count && amount == promised.amount;
        (!kept).then_some(SumMismatch {
            promised: *promised,
            count,
            amount,
        })
    });
    mismatches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_kernel::id::InvoiceId;
    use cierre_kernel::time::parse_date;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use ulid::Ulid;

    const BATCH: u128 = 9;

    fn document(number: u32) -> Found {
        Found {
            number,
            id: DocumentId::Invoice(InvoiceId::new(Ulid(u128::from(number)))),
            issue_date: parse_date("2024-01-31").unwrap(),
            amount: 100,
            cae: Some(10_000_100_000_000 + u64::from(number)),
            batch_id: BatchId::new(Ulid(BATCH)),
        }
    }

    fn promise(count: u32) -> Promise {
        Promise {
            batch_id: BatchId::new(Ulid(BATCH)),
            count,
            amount: i64::from(count) * 100,
        }
    }

    fn sound(numbers: impl IntoIterator<Item = u32>) -> Vec<Found> {
        numbers.into_iter().map(document).collect()
    }

    #[test]
    fn a_sound_book_has_no_findings() {
        let findings = audit(1, 3, sound([2, 1, 3]), &[promise(3)]);
        assert!(findings.are_none());
        assert_eq!(
            (findings.count, findings.total, findings.without_cae),
            (3, 300, 0)
        );
    }

    #[test]
    fn missing_numbers_are_gaps_at_the_start_inside_and_at_the_end() {
        let findings = audit(1, 9, sound([2, 3, 6, 8]), &[]);
        let gap = |from, to| Gap { from, to };
        assert_eq!(findings.gaps, [gap(1, 1), gap(4, 5), gap(7, 7), gap(9, 9)]);
        assert_eq!(audit(4, 6, Vec::new(), &[]).gaps, [gap(4, 6)]);
    }

    #[test]
    fn two_documents_under_one_number_are_a_duplicate_and_one_seen_twice_is_not() {
        let other = Found {
            id: DocumentId::Invoice(InvoiceId::new(Ulid(77))),
            cae: None,
            ..document(2)
        };
        let mut found = sound([1, 2, 2, 3]);
        found.push(other);
        let findings = audit(1, 3, found, &[]);
        let ids = [2, 77]
            .map(|n| DocumentId::Invoice(InvoiceId::new(Ulid(n))))
            .to_vec();
        assert_eq!(findings.duplicates, [Duplicate { number: 2, ids }]);
        assert_eq!((findings.count, findings.without_cae), (4, 1));
        assert!(findings.gaps.is_empty());
    }

    #[test]
    fn a_document_that_carries_a_foreign_number_leaves_a_gap() {
        let moved = Found {
            number: 40,
            ..document(2)
        };
        let findings = audit(1, 3, vec![document(1), moved, document(3)], &[promise(3)]);
        assert_eq!(findings.gaps, [Gap { from: 2, to: 2 }]);
        assert_eq!(
            findings.sum_mismatches,
            [SumMismatch {
                promised: promise(3),
                count: 2,
                amount: 200
            }]
        );
    }

    #[test]
    fn a_date_that_falls_is_found_with_the_date_before() {
        let early = parse_date("2024-01-30").unwrap();
        let findings = audit(
            1,
            3,
            vec![
                document(1),
                Found {
                    issue_date: early,
                    ..document(2)
                },
                document(3),
            ],
            &[],
        );
        let fall = DateFall {
            number: 2,
            issue_date: early,
            previous: parse_date("2024-01-31").unwrap(),
        };
        assert_eq!(findings.date_falls, [fall]);
    }

    #[test]
    fn a_cae_under_two_numbers_is_found() {
        let twin = Found {
            cae: document(1).cae,
            ..document(3)
        };
        let findings = audit(1, 3, vec![document(1), document(2), twin], &[]);
        assert_eq!(
            findings.shared_caes,
            [SharedCae {
                cae: 10_000_100_000_001,
                numbers: vec![1, 3]
            }]
        );
    }

    #[test]
    fn an_altered_amount_contradicts_the_batch() {
        let altered = Found {
            amount: 99,
            ..document(2)
        };
        let findings = audit(1, 2, vec![document(1), altered], &[promise(2)]);
        assert_eq!(
            findings.sum_mismatches,
            [SumMismatch {
                promised: promise(2),
                count: 2,
                amount: 199
            }]
        );
    }

    #[test]
    fn a_hopeless_book_is_listed_up_to_a_bound_and_counted_beyond() {
        let findings = audit(1, 4_000, sound((1..=4_000).step_by(2)), &[]);
        assert_eq!((findings.gaps.len(), findings.omitted), (LISTED, 1_000));
        assert!(!findings.are_none());
    }

    proptest! {
        /// Gaps and documents together are exactly the audited numbers.
        #[test]
        fn gaps_are_what_no_document_carries(numbers in prop::collection::btree_set(1_u32..60, 0..60), first in 1_u32..30, length in 0_u32..40) {
            let last = first + length;
            let findings = audit(first, last, sound(numbers.iter().copied()), &[]);
            let missing: BTreeSet<u32> = findings.gaps.iter().flat_map(|gap| gap.from..=gap.to).collect();
            let expected: BTreeSet<u32> = (first..=last).filter(|number| !numbers.contains(number)).collect();
            prop_assert_eq!(missing, expected);
            prop_assert!(findings.gaps.windows(2).all(|pair| pair[0].to + 1 < pair[1].from));
        }
    }
}
