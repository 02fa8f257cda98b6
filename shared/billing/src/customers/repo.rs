//! Customers in the table.

use cierre_kernel::company::CompanyId;
use cierre_kernel::page::Limit;
use cierre_platform::Failure;
use cierre_platform::db::{Db, Query, read_item};

use crate::entity::Customer;
use crate::table;

/// Customers that one request looks at; a filter that few pass gives a short page, never a slow one.
const LOOKED_AT: usize = 500;

/// Customers in order of their ids, behind the one with the id `after`. The order is the table's own, so no index is needed.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn list(
    db: &Db,
    company: &CompanyId,
    active: Option<bool>,
    limit: Limit,
    after: Option<u32>,
) -> Result<(Vec<Customer>, Option<u32>), Failure> {
    let limit = limit.get();
    let page_size = if active.is_some() { 100 } else { limit + 1 };
    let mut query = Query::partition(table::BILLING, table::customers(company)).limit(page_size);
    if let Some(after) = after {
        query = query.after(table::customer_sort(after));
    }
    let (mut customers, mut last) = (Vec::new(), None);
    let mut looked_at = 0;
    loop {
        let page = db.query(&query).await?;
        for item in page.items {
            let customer: Customer = read_item(item)?;
            looked_at += 1;
            let id = customer.customer_id;
            if active.is_none_or(|active| active == customer.active) {
                if customers.len() == limit as usize {
                    return Ok((customers, last));
                }
                customers.push(customer);
            }
            last = Some(id);
        }
        match page.last {
            None => return Ok((customers, None)),
            Some(_) if looked_at >= LOOKED_AT => return Ok((customers, last)),
            Some(last) => query = query.start_after(last),
        }
    }
}
