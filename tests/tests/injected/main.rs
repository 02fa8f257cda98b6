//! Faults that the emulator never has by itself, injected by a proxy before it: at every call of an operation, one case each, and at random
//! under load.
//!
//! The product runs in this process. A failing case names itself and its calls; `CIERRE_FAULT_CASE="batch of 3 / call 7"` runs only the cases
//! whose name contains that text, and `CIERRE_FAULT_SEED` repeats a run of the random suite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod check;
mod drive;
mod every_call;
mod load;
mod operation;

use tokio::sync::Mutex;

/// One suite at a time: each uses the whole machine.
static ALONE: Mutex<()> = Mutex::const_new(());
