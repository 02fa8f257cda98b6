//! A batch as it is stored: the entity and its entry in the list of batches.

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_kernel::company::CompanyId;
use cierre_platform::Failure;
use cierre_platform::db::{Condition, Item, Tx};
use cierre_platform::error::Doing;

use crate::entity::Batch;
use crate::table;

/// Adds the batch's next state to a transaction. Returns the action's position.
///
/// # Errors
/// When the batch cannot be written.
pub(crate) fn put_batch(
    tx: &mut Tx,
    company: &CompanyId,
    batch: &Batch,
    condition: Condition,
) -> Result<usize, Failure> {
    let mut item: Item = serde_dynamo::to_item(batch).doing("writing a batch")?;
    item.insert(
        table::LIST_PK.to_owned(),
        AttributeValue::S(table::batches_list(company)),
    );
    item.insert(
        table::LIST_SORT.to_owned(),
        AttributeValue::S(batch.id.ulid().to_string()),
    );
    Ok(tx.put_item(table::batch(company, batch.id), item, condition))
}
