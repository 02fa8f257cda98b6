//! Lists of services.

use cierre_kernel::page::Limit;
use cierre_kernel::time::Date;
use cierre_platform::db::{Db, Item, Query, read_item};
use cierre_platform::listing::{self, Listed, Order, Rows};
use cierre_platform::{Context, Failure};

use crate::entity::{Service, ServiceStatus};
use crate::table;

/// A date, `#` and a ULID: the index orders services exactly as the list does.
const GROUP: usize = 10 + 1 + 26;

/// Which services a list holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this customer's.
    pub customer_id: Option<u32>,
    /// Only those in this state.
    pub status: Option<ServiceStatus>,
    /// Not before this day.
    pub from: Option<Date>,
    /// Not after this day.
    pub to: Option<Date>,
}

/// A page of services by date, then id, and the position of its last one unless the list ends there.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn list(
    db: &Db,
    context: &Context,
    filter: &Filter,
    limit: Limit,
    after: Option<&str>,
) -> Result<(Vec<Service>, Option<String>), Failure> {
    let order = order(context, filter);
    let read = |listed: &Listed, item: Item| row(listed, item, filter);
    let Rows { rows, next } = listing::page(db, &order, limit, after, read).await?;
    Ok((rows, next))
}

fn row(listed: &Listed, item: Item, filter: &Filter) -> Result<Option<(String, Service)>, Failure> {
    if table::is_cancelled_pending(&listed.key.sk) {
        return Ok(None);
    }
    let service: Service = read_item(item)?;
    let Some(status) = service.status() else {
        return Ok(None);
    };
    let wanted = filter.status.is_none_or(|wanted| wanted == status)
        && filter
            .customer_id
            .is_none_or(|id| id == service.customer_id);
    let position = table::dated(service.service_date, service.id.ulid());
    Ok(wanted.then_some((position, service)))
}

fn order(context: &Context, filter: &Filter) -> Order {
    let company = &context.company;
    let (partitions, sort) = match (filter.customer_id, filter.status) {
        (Some(customer), _) => (
            vec![table::of_customer(company, customer)],
            table::LIST_SORT,
        ),
        (None, Some(ServiceStatus::Created | ServiceStatus::SentToBill)) => {
            (table::open_services(company), table::OPEN_SORT)
        }
        (None, Some(ServiceStatus::Invoiced) | None) => (
            vec![Query::index(
                table::BILLING,
                table::LIST_INDEX,
                table::LIST_PK,
                table::services_list(company),
                table::LIST_SORT,
            )],
            table::LIST_SORT,
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
