//! Whatever the shards, filters and page sizes: the pages of a list, one after the other, are the list.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use proptest::prelude::*;

use super::*;

/// Partitions in memory. An item has the number of its row, its position in the list, and whether a filter keeps it.
#[derive(Default)]
struct Memory {
    partitions: Vec<BTreeMap<(String, String), Item>>,
    looked_at: AtomicUsize,
}

#[derive(Clone, Debug)]
struct Given {
    shard: usize,
    day: u8,
    time: u8,
    attempt: u8,
    id: u16,
    kept: bool,
}

const GROUP: usize = 5;

impl Given {
    /// The index orders by day, time and id; the list by day, time, attempt and id.
    fn sort(&self) -> String {
        format!("{:02}#{:02}#{:05}", self.day, self.time, self.id)
    }

    fn position(&self) -> String {
        format!(
            "{:02}#{:02}#{:03}#{:05}",
            self.day, self.time, self.attempt, self.id
        )
    }
}

impl Memory {
    fn holding(rows: &[Given]) -> Self {
        let mut memory = Self {
            partitions: vec![BTreeMap::new(); 4],
            ..Self::default()
        };
        for row in rows {
            let text = |text: String| AttributeValue::S(text);
            let sk = format!("{:05}", row.id);
            let item = Item::from([
                ("pk".to_owned(), text(row.shard.to_string())),
                ("sk".to_owned(), text(sk.clone())),
                ("order".to_owned(), text(row.sort())),
                ("position".to_owned(), text(row.position())),
                ("kept".to_owned(), AttributeValue::Bool(row.kept)),
            ]);
            memory.partitions[row.shard].insert((row.sort(), sk), item);
        }
        memory
    }
}

impl Shelf for Memory {
    type Partition = usize;

    async fn keys(
        &self,
        partition: &usize,
        (low, high): (&str, &str),
        limit: u32,
        start: Option<Item>,
    ) -> Result<QueryPage, Failure> {
        let behind = start.map(|item| {
            let part = |name| text(&item, name).unwrap().to_owned();
            (part("order"), part("sk"))
        });
        let mut page = QueryPage::default();
        for (place, item) in &self.partitions[*partition] {
            if place.0.as_str() < low
                || place.0.as_str() > high
                || behind.as_ref().is_some_and(|behind| place <= behind)
            {
                continue;
            }
            page.items.push(item.clone());
            if page.items.len() == limit as usize {
                page.last = Some(item.clone());
                break;
            }
        }
        Ok(page)
    }

    async fn items(&self, keys: Vec<Key>) -> Result<Vec<Option<Item>>, Failure> {
        self.looked_at.fetch_add(keys.len(), Ordering::Relaxed);
        let find = |key: &Key| {
            let partition = &self.partitions[key.pk.parse::<usize>().unwrap()];
            partition
                .iter()
                .find(|((_, sk), _)| *sk == key.sk)
                .map(|(_, item)| item.clone())
        };
        Ok(keys.iter().map(find).collect())
    }
}

fn order(low: Option<String>, high: Option<String>) -> Order<usize> {
    Order {
        table: Table::new("MEMORY"),
        partitions: (0..4).collect(),
        sort: "order",
        group: GROUP,
        low,
        high,
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// Every page, and how many keys each request looked at.
fn walk(memory: &Memory, order: &Order<usize>, limit: u32) -> (Vec<Vec<String>>, Vec<usize>) {
    let (mut pages, mut looks) = (Vec::new(), Vec::new());
    let mut after = None;
    loop {
        let read = |_: &Listed, item: Item| {
            let kept = item["kept"] == AttributeValue::Bool(true);
            let position = text(&item, "position").unwrap().to_owned();
            Ok(kept.then(|| (position.clone(), position)))
        };
        let limit = Limit::new(limit).unwrap();
        let page = run(page(memory, order, limit, after.as_deref(), read)).unwrap();
        pages.push(page.rows);
        looks.push(memory.looked_at.swap(0, Ordering::Relaxed));
        match page.next {
            None => return (pages, looks),
            next => after = next,
        }
    }
}

fn rows() -> impl Strategy<Value = Vec<Given>> {
    let row = (0..4_usize, 0..4_u8, 0..4_u8, 0..3_u8, prop::bool::ANY);
    prop::collection::vec(row, 0..150).prop_map(|rows| {
        let row = |(id, (shard, day, time, attempt, kept))| Given {
            shard,
            day,
            time,
            attempt,
            id: id as u16,
            kept,
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

proptest! {
    #[test]
    fn the_pages_of_a_list_are_the_list(
        rows in rows(),
        limit in 1..=100_u32,
        from in prop::option::of(0..4_u8),
        to in prop::option::of(0..4_u8),
    ) {
        let within = |row: &&Given| from.is_none_or(|from| row.day >= from) && to.is_none_or(|to| row.day <= to);
        let mut expected: Vec<String> = rows.iter().filter(within).filter(|row| row.kept).map(Given::position).collect();
        expected.sort();
        let order = order(from.map(|day| format!("{day:02}")), to.map(|day| format!("{day:02}#~")));
        let (pages, _) = walk(&Memory::holding(&rows), &order, limit);
        prop_assert!(pages.iter().all(|page| page.len() <= limit as usize));
        prop_assert_eq!(pages.concat(), expected);
    }
}

#[test]
fn a_filter_that_nothing_passes_costs_a_bounded_number_of_looks_a_request() {
    let rows: Vec<Given> = (0..3_000)
        .map(|id| Given {
            shard: usize::from(id % 4),
            day: (id / 300) as u8,
            time: (id / 30 % 10) as u8,
            attempt: 0,
            id,
            kept: false,
        })
        .collect();
    let (pages, looks) = walk(&Memory::holding(&rows), &order(None, None), 25);
    assert!(pages.iter().all(Vec::is_empty));
    // A look takes a hundred keys and the rest of a group of thirty: five looks are over the bound.
    assert!(looks.iter().all(|keys| *keys <= 600), "{looks:?}");
    assert_eq!(looks.iter().sum::<usize>(), 3_000);
}

#[test]
fn a_full_last_page_says_that_it_is_the_last() {
    let row = |id: u16| Given {
        shard: 0,
        day: id as u8,
        time: 0,
        attempt: 0,
        id,
        kept: true,
    };
    let rows: Vec<Given> = (0..50).map(row).collect();
    let (pages, _) = walk(&Memory::holding(&rows), &order(None, None), 25);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [25, 25]);
}

#[test]
fn an_empty_range_is_an_empty_list() {
    let order = order(Some("03".into()), Some("02#~".into()));
    let (pages, looks) = walk(&Memory::holding(&[]), &order, 25);
    assert_eq!((pages, looks), (vec![vec![]], vec![0]));
}
