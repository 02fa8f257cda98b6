//! Proof that a resource's history is whole: its chain is walked and compared with the head in the resource's own item.
//!
//! Events go on being appended while the walk reads, so the head is read *after* the events that it is compared with:
//!
//! ```text
//! t0  verify  reads events 1..7
//! t1                              a command commits event 8 and the head 8
//! t2  verify  reads the head: 8, so it goes on and reads event 8
//! t3  verify  reads the head: 8, and compares
//! ```
//!
//! A query may show one half of a transaction a moment before the other. A disagreement therefore counts only when it stays the same over
//! several looks; a real one never goes away.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_kernel::company::CompanyId;
use cierre_kernel::event::{ChainHead, ChainVerdict, ChainWalk};

use super::TABLE;
use crate::db::{Db, IntoValue, Item, Key, Query};
use crate::error::{Doing, Failure};

/// Events of one query: a few hundred kilobytes, far below the memory of a function, however long the chain.
const EVENTS_AT_ONCE: u32 = 500;
/// Looks at a disagreement that stays the same before it is believed.
const LOOKS: u32 = 4;
/// Time between looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// Rounds against a chain that grows faster than it is read.
const ROUNDS: u32 = 100;

/// Where the head of a chain may stand.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadPlace {
    /// The resource's own item.
    pub key: Key,
    /// The attribute that holds the head.
    pub attribute: &'static str,
    /// What the item must say besides, where one item may stand for different resources over time.
    pub only_if: Option<(&'static str, AttributeValue)>,
}

impl HeadPlace {
    /// This attribute of this item, whatever else the item says.
    pub fn new(key: Key, attribute: &'static str) -> Self {
        Self {
            key,
            attribute,
            only_if: None,
        }
    }

    /// Only when the item's other attribute has this value.
    #[must_use]
    pub fn only_if(self, attribute: &'static str, value: impl IntoValue) -> Self {
        Self {
            only_if: Some((attribute, value.into_value())),
            ..self
        }
    }

    fn find<'a>(&self, item: &'a Item) -> Option<&'a AttributeValue> {
        let holds = self
            .only_if
            .as_ref()
            .is_none_or(|(attribute, value)| item.get(*attribute) == Some(value));
        item.get(self.attribute).filter(|_| holds)
    }
}

/// What a domain knows about its resources: where the head of each one's chain stands.
pub trait ChainHeads: Send + Sync {
    /// The places at which the head may stand, in the order in which to look; none when there is no such kind of resource here, or the id is
    /// not one of its kind.
    fn locate(&self, company: &CompanyId, resource_type: &str, resource_id: &str)
    -> Vec<HeadPlace>;
}

/// Several domains' resources, all of their places.
impl ChainHeads for Vec<Box<dyn ChainHeads>> {
    fn locate(
        &self,
        company: &CompanyId,
        resource_type: &str,
        resource_id: &str,
    ) -> Vec<HeadPlace> {
        self.iter()
            .flat_map(|heads| heads.locate(company, resource_type, resource_id))
            .collect()
    }
}

/// What the walk found, and the head that it was compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whether the chain holds, and where it does not.
    pub verdict: ChainVerdict,
    /// The head in the resource's item.
    pub head: ChainHead,
}

/// Walks the chain of a resource; none when it has neither a head nor events.
///
/// # Errors
/// When DynamoDB does not answer, an event or the head cannot be read, or the chain grows faster than it is read.
pub async fn verify(
    db: &Db,
    company: &CompanyId,
    resource_type: &str,
    resource_id: &str,
    places: &[HeadPlace],
) -> Result<Option<Verified>, Failure> {
    let partition = super::partition(company.as_str(), resource_type, resource_id);
    let mut walk = ChainWalk::new();
    let mut judge = Judge::default();
    for _ in 0..ROUNDS {
        walk_on(db, &partition, &mut walk).await?;
        let head = read_head(db, places).await?;
        match judge.look(&walk, head) {
            Look::Settled(verified) => return Ok(verified),
            Look::Again => tokio::time::sleep(BETWEEN_LOOKS).await,
        }
    }
    Err(Failure::message(
        "a chain grew faster than it could be verified",
    ))
}

/// Walks the events behind the last one that was reached, to the present end.
async fn walk_on(db: &Db, partition: &str, walk: &mut ChainWalk) -> Result<(), Failure> {
    let mut query = Query::partition(TABLE, partition)
        .after(super::place(walk.reached().length))
        .limit(EVENTS_AT_ONCE);
    while !walk.is_broken() {
        let page = db.query(&query).await?;
        for item in &page.items {
            walk.step(&super::read(item)?);
        }
        match page.last {
            Some(last) => query = query.start_after(last),
            None => break,
        }
    }
    Ok(())
}

async fn read_head(db: &Db, places: &[HeadPlace]) -> Result<Option<ChainHead>, Failure> {
    for place in places {
        let item = db.get_item(&place.key).await?.unwrap_or_default();
        if let Some(stored) = place.find(&item) {
            let head = serde_dynamo::from_attribute_value(stored.clone());
            return head.doing("reading the head of a chain").map(Some);
        }
    }
    Ok(None)
}

/// Decides when a look is final.
#[derive(Debug, Default)]
struct Judge {
    disagreement: Option<(ChainWalk, Option<ChainHead>)>,
    looks: u32,
}

enum Look {
    Settled(Option<Verified>),
    Again,
}

impl Judge {
    fn look(&mut self, walk: &ChainWalk, head: Option<ChainHead>) -> Look {
        let verdict = walk.against(head.as_ref().unwrap_or(&ChainHead::default()));
        // A break between two events does not heal; only the end of the chain is still being written.
        if !verdict.valid && !walk.is_broken() {
            let same = self
                .disagreement
                .as_ref()
                .is_some_and(|(known, at)| known == walk && *at == head);
            self.looks = if same { self.looks + 1 } else { 1 };
            if self.looks < LOOKS {
                self.disagreement = Some((walk.clone(), head));
                return Look::Again;
            }
        }
        if head.is_none() && verdict.valid {
            return Look::Settled(None);
        }
        Look::Settled(Some(Verified {
            verdict,
            head: head.unwrap_or_default(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::tests::chain;
    use cierre_kernel::event::Broken;

    fn walked(events: u8) -> (ChainWalk, ChainHead) {
        let (events, head) = chain(events);
        let mut walk = ChainWalk::new();
        events.iter().for_each(|event| walk.step(event));
        (walk, head)
    }

    fn settled(look: Look) -> Option<Option<Verified>> {
        match look {
            Look::Settled(verified) => Some(verified),
            Look::Again => None,
        }
    }

    #[test]
    fn a_chain_that_agrees_is_settled_at_the_first_look() {
        let (walk, head) = walked(3);
        let verified = settled(Judge::default().look(&walk, Some(head.clone())))
            .flatten()
            .unwrap();
        assert!(verified.verdict.valid);
        assert_eq!((verified.verdict.events, verified.head), (3, head));
    }

    #[test]
    fn neither_head_nor_events_is_nothing() {
        assert_eq!(
            settled(Judge::default().look(&ChainWalk::new(), None)),
            Some(None)
        );
    }

    #[test]
    fn a_disagreement_at_the_end_is_believed_when_it_stays() {
        let (walk, _) = walked(2);
        let (_, head) = walked(3);
        let mut judge = Judge::default();
        for _ in 1..LOOKS {
            assert!(settled(judge.look(&walk, Some(head.clone()))).is_none());
        }
        let verified = settled(judge.look(&walk, Some(head))).flatten().unwrap();
        assert_eq!(
            verified.verdict.first_broken.unwrap().reason,
            Broken::MissingTail
        );
    }

    #[test]
    fn a_chain_that_grows_meanwhile_is_looked_at_afresh() {
        let (walk, _) = walked(2);
        let mut judge = Judge::default();
        for length in 3..3 + 2 * u8::try_from(LOOKS).unwrap() {
            let (_, head) = walked(length);
            assert!(settled(judge.look(&walk, Some(head))).is_none());
        }
        let (walk, head) = walked(20);
        assert!(
            settled(judge.look(&walk, Some(head)))
                .flatten()
                .unwrap()
                .verdict
                .valid
        );
    }

    #[test]
    fn events_whose_resource_lost_its_head_are_broken() {
        let (walk, _) = walked(2);
        let mut judge = Judge::default();
        let verified = (0..LOOKS)
            .find_map(|_| settled(judge.look(&walk, None)))
            .flatten()
            .unwrap();
        assert_eq!(
            verified.verdict.first_broken.unwrap().reason,
            Broken::BeyondHead
        );
    }

    #[test]
    fn a_break_between_events_needs_no_second_look() {
        let (mut events, head) = chain(3);
        events.remove(1);
        let mut walk = ChainWalk::new();
        events.iter().for_each(|event| walk.step(event));
        let verified = settled(Judge::default().look(&walk, Some(head)))
            .flatten()
            .unwrap();
        assert_eq!(
            verified.verdict.first_broken.unwrap().reason,
            Broken::Sequence
        );
    }

    #[test]
    fn a_place_counts_only_when_its_item_says_so() {
        let key = Key::new(TABLE, "a", "b");
        let place = HeadPlace::new(key, "head").only_if("sends", 2_u16);
        let item = |sends: u16| {
            Item::from([
                ("head".to_owned(), "1:x".into_value()),
                ("sends".to_owned(), sends.into_value()),
            ])
        };
        assert!(place.find(&item(2)).is_some());
        assert!(place.find(&item(1)).is_none());
        assert!(place.find(&Item::new()).is_none());
    }
}
