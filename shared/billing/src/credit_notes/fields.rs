//! The body of a new credit note.

use cierre_kernel::money::Money;
use cierre_platform::Result;
use cierre_platform::http::{Body, money, text};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rules::{CURRENCY, MAX_AMOUNT, MIN_AMOUNT};

/// Characters of a reason.
const REASON: std::ops::RangeInclusive<usize> = 3..=500;

/// A credit note to be issued.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "only describes what `Draft::of_body` reads")]
pub(crate) struct NewCreditNoteBody {
    /// Why; it is printed.
    #[schema(min_length = 3, max_length = 500, example = "Servicio no prestado")]
    reason: String,
    /// How much, IVA included; all that is open when left out.
    #[schema(value_type = Option<String>, example = "500.00")]
    amount: Option<String>,
}

/// What the body says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) reason: String,
    pub(crate) amount: Option<Money>,
}

impl Draft {
    /// Reads the body.
    ///
    /// # Errors
    /// 422 with every wrong field.
    pub(crate) fn of_body(body: &Body) -> Result<Self> {
        body.decode(|fields| {
            let reason = fields.required("reason", text(REASON));
            let amount = fields.optional(
                "amount",
                money(CURRENCY).within_minor_units(MIN_AMOUNT..=MAX_AMOUNT),
            );
            Some(Self {
                reason: reason?,
                amount: amount?,
            })
        })
    }
}
