//! The months of a client: which closing a month has, and whether it is sealed. One item per month, so that no month has two live closings.

use cierre_kernel::id::CierreId;
use serde::{Deserialize, Serialize};

use crate::period::Period;

/// A client's month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periodo {
    /// The month.
    pub periodo: Period,
    /// Its one live closing.
    pub cierre_id: CierreId,
    /// The number of that closing's latest seal while it is finalised.
    pub sello: Option<u32>,
}
