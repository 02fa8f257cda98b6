//! Batches as callers see them: accepting, watching, retrying. The work itself is the [`crate::engine`]'s.

mod create;
pub mod http;
mod item;
mod read;
mod views;

pub use create::{NewBatch, Pendings, create, create_inline, retry};
pub(crate) use item::put_batch;
pub use read::{Filter, Found, find, list};
pub use views::{BatchView, JobInfo, batch_view, job_info};
