//! Lists of pendings.
//!
//! Two of the three indexes that serve them order by the *service's* id, which differs from the pending's for a service that was sent again:
//! the count of the sending stands in the pending's id behind the time. The order of both agrees down to the millisecond in the id, so keys of
//! one day and one such millisecond form a group, which [`listing`] puts in order.

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_kernel::id::PendingId;
use cierre_kernel::page::Limit;
use cierre_kernel::time::Date;
use cierre_platform::db::{Db, Item, Key, Loaded, Query, read_item};
use cierre_platform::error::Doing;
use cierre_platform::listing::{self, Listed, Order, Rows};
use cierre_platform::{Context, Failure};

use crate::entity::{Pending, PendingStatus, Service};
use crate::{ids, table};

/// A date, `#` and the time part of a ULID.
const GROUP: usize = 10 + 1 + 10;

/// Which states a list holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// All.
    #[default]
    Any,
    /// This one.
    Status(PendingStatus),
    /// What a batch can claim.
    Available,
}

impl Wanted {
    fn admits(self, pending: &Pending) -> bool {
        match self {
            Self::Any => true,
            Self::Status(status) => status == pending.status(),
            Self::Available => pending.is_available(),
        }
    }
}

/// Which pendings a list holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this customer's.
    pub customer_id: Option<u32>,
    /// Only those in these states.
    pub wanted: Wanted,
    /// Not before this day.
    pub from: Option<Date>,
    /// Not after this day.
    pub to: Option<Date>,
}

/// A page of pendings by date, then id, and the position of its last one unless the list ends there.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn list(
    db: &Db,
    context: &Context,
    filter: &Filter,
    limit: Limit,
    after: Option<&str>,
) -> Result<(Vec<Pending>, Option<String>), Failure> {
    let order = order(context, filter);
    let read = |listed: &Listed, item: Item| row(listed, item, filter);
    let Rows { rows, next } = listing::page(db, &order, limit, after, read).await?;
    Ok((rows, next))
}

fn row(listed: &Listed, item: Item, filter: &Filter) -> Result<Option<(String, Pending)>, Failure> {
    let pending = if table::is_cancelled_pending(&listed.key.sk) {
        Some(read_item::<Pending>(item)?)
    } else {
        read_item::<Service>(item)?.pending().cloned()
    };
    let wanted = |pending: &Pending| {
        filter.wanted.admits(pending)
            && filter
                .customer_id
                .is_none_or(|id| id == pending.customer_id)
    };
    let positioned = |pending: Pending| {
        let position = table::dated(pending.service_date, pending.id.ulid());
        (position, pending)
    };
    Ok(pending.filter(wanted).map(positioned))
}

fn order(context: &Context, filter: &Filter) -> Order {
    let company = &context.company;
    let (partitions, sort) = match (filter.customer_id, filter.wanted) {
        (Some(customer), _) => (
            vec![table::of_customer(company, customer)],
            table::LIST_SORT,
        ),
        (None, Wanted::Available | Wanted::Status(PendingStatus::Pending)) => {
            (table::open_services(company), table::OPEN_SORT)
        }
        (
            None,
            Wanted::Any | Wanted::Status(PendingStatus::Invoiced | PendingStatus::Cancelled),
        ) => (
            vec![Query::index(
                table::BILLING,
                table::PENDINGS_INDEX,
                table::PENDING_PK,
                table::pendings_list(company),
                table::PENDING_SORT,
            )],
            table::PENDING_SORT,
        ),
    };
    Order {
        table: table::BILLING,
        partitions,
        sort,
        group: GROUP,
        low: filter.from.map(|date| date.to_string()),
        high: filter.to.map(table::end_of_day),
    }
}

/// The two places where a pending may stand: its service, while it is the current one, and its own item, once it was cancelled.
pub(super) fn keys(context: &Context, id: PendingId) -> [Key; 2] {
    let (service, _) = ids::service_of(id);
    [
        table::service_of_pending(&context.company, id),
        table::cancelled_pending(&context.company, service, id),
    ]
}

/// The service of a pending, and the pending itself if it was cancelled.
pub(super) fn read(
    loaded: &Loaded,
    context: &Context,
    id: PendingId,
) -> Result<(Option<Service>, Option<Pending>), Failure> {
    let [service, cancelled] = keys(context, id);
    Ok((loaded.read(&service)?, loaded.read(&cancelled)?))
}

/// What the indexes need to know of a cancelled pending.
pub(super) fn cancelled_item(context: &Context, pending: &Pending) -> Result<Item, Failure> {
    let company = &context.company;
    let dated = table::dated(pending.service_date, pending.id.ulid());
    let mut item: Item = serde_dynamo::to_item(pending).doing("writing a cancelled pending")?;
    for (attribute, text) in [
        (table::PENDING_PK, table::pendings_list(company)),
        (table::PENDING_SORT, dated.clone()),
        (
            table::CUSTOMER_PK,
            table::customer_list(company, pending.customer_id),
        ),
        (table::LIST_SORT, dated),
    ] {
        item.insert(attribute.to_owned(), AttributeValue::S(text));
    }
    Ok(item)
}
