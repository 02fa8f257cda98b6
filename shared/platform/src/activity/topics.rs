//! Events that others are told of, outside the company's own screens.

use cierre_kernel::event::Event;

/// What the event is called where others are told of it; none for what stays inside.
pub fn topic(event: &Event) -> Option<&'static str> {
    match (event.resource_type.as_str(), event.action.as_str()) {
        ("billing_batch", "batch_processed") => Some("billing.batch.processed"),
        ("billing_batch", "batch_failed") => Some("billing.batch.failed"),
        (_, _) => None,
    }
}
