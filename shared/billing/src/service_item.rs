//! A service as it is stored: the entity and the index attributes that follow from its state.

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_kernel::company::CompanyId;
use cierre_platform::Failure;
use cierre_platform::db::{Condition, Item, Tx};
use cierre_platform::error::Doing;

use crate::entity::{Service, ServiceState};
use crate::table;

/// Adds the service's next state to a transaction. Returns the action's position.
///
/// # Errors
/// When the service cannot be written.
pub fn put_service(
    tx: &mut Tx,
    company: &CompanyId,
    service: &Service,
    condition: Condition,
) -> Result<usize, Failure> {
    Ok(tx.put_item(
        table::service(company, service.id),
        service_item(company, service)?,
        condition,
    ))
}

/// The item, without its keys.
///
/// # Errors
/// When the service cannot be written.
pub fn service_item(company: &CompanyId, service: &Service) -> Result<Item, Failure> {
    let mut item: Item = serde_dynamo::to_item(service).doing("writing a service")?;
    let mut index = |attribute: &str, value: String| {
        item.insert(attribute.to_owned(), AttributeValue::S(value));
    };
    let dated = table::dated(service.service_date, service.id.ulid());
    let (listed, open, pending) = match &service.state {
        ServiceState::Created => (true, true, None),
        ServiceState::SentToBill(pending) => (true, true, Some(pending)),
        ServiceState::Invoiced(pending, _) => (true, false, Some(pending)),
        ServiceState::Deleted => (false, false, None),
    };
    if listed {
        index(table::LIST_PK, table::services_list(company));
        index(table::LIST_SORT, dated.clone());
        index(
            table::CUSTOMER_PK,
            table::customer_list(company, service.customer_id),
        );
    }
    if open {
        index(table::OPEN_SORT, dated);
    }
    if let Some(pending) = pending {
        index(table::PENDING_PK, table::pendings_list(company));
        index(
            table::PENDING_SORT,
            table::dated(pending.service_date, pending.id.ulid()),
        );
    }
    Ok(item)
}
