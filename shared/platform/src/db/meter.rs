//! Counts requests and capacity units, so that every route and job step knows what it costs.
//!
//! Write units are the ones that DynamoDB reports. Read units are computed from the bytes read, because the local emulator reports a flat
//! figure for reads; on AWS the two agree (item sizes by the rules of the developer guide, 4 KB a unit, half for eventual reads).

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity};

use super::key::Item;

/// Running totals of this process; units are kept in tenths, because half units exist.
#[derive(Debug)]
struct Meter {
    requests: AtomicU64,
    write_tenths: AtomicU64,
    read_tenths: AtomicU64,
}

/// One process of a function serves one invocation at a time, so the difference of two readings is what an invocation consumed.
static METER: Meter = Meter {
    requests: AtomicU64::new(0),
    write_tenths: AtomicU64::new(0),
    read_tenths: AtomicU64::new(0),
};

/// What this process has consumed so far.
pub fn consumed() -> Reading {
    Reading {
        requests: METER.requests.load(Ordering::Relaxed),
        write_tenths: METER.write_tenths.load(Ordering::Relaxed),
        read_tenths: METER.read_tenths.load(Ordering::Relaxed),
    }
}

/// Counts every request that goes over the wire, the SDK's own retries included.
#[derive(Debug)]
pub(crate) struct CountRequests;

impl Intercept for CountRequests {
    fn name(&self) -> &'static str {
        "CountRequests"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        METER.requests.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// A reading of what was consumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Requests sent to DynamoDB.
    pub requests: u64,
    /// Write units, in tenths.
    pub write_tenths: u64,
    /// Read units, in tenths.
    pub read_tenths: u64,
}

impl std::fmt::Display for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (write, read) = (self.write_tenths, self.read_tenths);
        let requests = self.requests;
        write!(
            f,
            "{requests} requests, {}.{} write units, {}.{} read units",
            write / 10,
            write % 10,
            read / 10,
            read % 10
        )
    }
}

impl Reading {
    /// What was consumed since an earlier reading.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            write_tenths: self.write_tenths.saturating_sub(earlier.write_tenths),
            read_tenths: self.read_tenths.saturating_sub(earlier.read_tenths),
        }
    }
}

pub(super) fn wrote(consumed: &[ConsumedCapacity]) {
    for capacity in consumed {
        METER
            .write_tenths
            .fetch_add(tenths(capacity.capacity_units()), Ordering::Relaxed);
    }
}

/// Items read one by one (get): each is rounded up on its own; a missing item costs as much as a small one.
pub(super) fn read_items<'a>(
    asked: usize,
    items: impl IntoIterator<Item = &'a Item>,
    strong: bool,
) {
    let mut units = 0;
    let mut found = 0;
    for item in items {
        found += 1;
        units += item_bytes(item).div_ceil(4096).max(1);
    }
    units += asked.saturating_sub(found);
    add_read(units, strong);
}

/// Items read as one page (query): the page's bytes are rounded up once.
pub(super) fn read_page(items: &[Item], strong: bool) {
    let bytes: usize = items.iter().map(item_bytes).sum();
    add_read(bytes.div_ceil(4096).max(1), strong);
}

fn add_read(units: usize, strong: bool) {
    let tenths = units as u64 * if strong { 10 } else { 5 };
    METER.read_tenths.fetch_add(tenths, Ordering::Relaxed);
}

#[expect(
    clippy::float_arithmetic,
    reason = "DynamoDB reports units as a float with one decimal"
)]
fn tenths(units: Option<f64>) -> u64 {
    (units.unwrap_or_default() * 10.0).round() as u64
}

/// The size that DynamoDB bills: attribute names plus values in UTF-8.
/// Source: "DynamoDB item sizes and formats", Amazon DynamoDB Developer Guide.
pub fn item_bytes(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_bytes(value))
        .sum()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK's enum is open; a type that it learns later counts as one byte until it is listed"
)]
fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number_bytes(number),
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|n| number_bytes(n)).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|b| b.as_ref().len()).sum(),
        AttributeValue::L(list) => 3 + list.iter().map(|v| 1 + value_bytes(v)).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map
                .iter()
                .map(|(k, v)| 1 + k.len() + value_bytes(v))
                .sum::<usize>()
        }
        _ => 1,
    }
}

/// About one byte for two significant digits, plus one; another for the sign.
fn number_bytes(number: &str) -> usize {
    let digits = number.trim_start_matches('-').replace('.', "");
    let significant = digits.trim_start_matches('0').trim_end_matches('0').len();
    significant.div_ceil(2) + 1 + usize::from(number.starts_with('-'))
}
