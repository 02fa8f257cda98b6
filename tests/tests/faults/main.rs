//! Workers that die, freeze and fail. These tests kill processes of the stack and stop its queues, so those of one domain run one after the
//! other. The domains share no worker and no queue: theirs run at the same time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod billing;
mod payables;
mod payroll;
