//! The tax authority behind an interface: authorise, and look up by number.
//!
//! Authorising is idempotent per number. An answer can be lost after the authority has recorded the document; the law of such services is
//! then: look the number up, compare every field, adopt its CAE; never ask for a second number.

use std::future::Future;

use cierre_kernel::company::CompanyId;
use cierre_kernel::cuit::Cuit;
use cierre_kernel::time::Date;
use cierre_platform::Failure;
use cierre_platform::db::{CommitError, Condition, Db, Key, Tx};
use serde::{Deserialize, Serialize};

use crate::entity::Grant;
use crate::rules::{InvoiceNumber, answer_is_lost, cae_due_date, simulated_cae};
use crate::table;

/// What the authority is told of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Voucher {
    /// Book and number.
    pub number: InvoiceNumber,
    /// Date of issue.
    pub issue_date: Date,
    /// Total in minor units of ARS.
    pub amount: i64,
    /// The receiver's CUIT, none for an unidentified consumer.
    pub receiver: Option<Cuit>,
}

/// What came back of an attempt to authorise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Granted.
    Granted(Grant),
    /// Nothing came back; the document may be authorised or not.
    Lost,
}

/// The tax authority.
pub trait Authority: Send + Sync {
    /// Asks for authorisation. Asking again for the same number gives the same grant.
    fn authorise(&self, voucher: &Voucher) -> impl Future<Output = Result<Answer, Failure>> + Send;

    /// What the authority has recorded under a number.
    fn look_up(
        &self,
        number: &InvoiceNumber,
    ) -> impl Future<Output = Result<Option<(Voucher, Grant)>, Failure>> + Send;
}

/// Authorises a document and settles a lost answer by looking it up.
///
/// # Errors
/// When the authority does not answer, or has recorded another document under this number, which nobody but a person can settle.
pub async fn settle(authority: &impl Authority, voucher: &Voucher) -> Result<Grant, Failure> {
    if let Answer::Granted(grant) = authority.authorise(voucher).await? {
        return Ok(grant);
    }
    match authority.look_up(&voucher.number).await? {
        Some((recorded, grant)) if recorded == *voucher => Ok(grant),
        Some(_) => Err(Failure::message(format!(
            "the authority has another document under number {}",
            voucher.number
        ))),
        None => Err(Failure::message(
            "the authority's answer is lost and nothing is recorded; the next attempt asks again",
        )),
    }
}

/// A simulator with the authority's manners, for every stage until the real service is connected. Its codes are built from the number, so
/// they are distinct within a company by construction; it loses the first answer of a given share of numbers, chosen by a hash of the number.
///
/// It keeps a record only of documents whose answer it lost: nothing else is ever looked up.
#[derive(Clone, Debug)]
pub struct SimulatedAuthority<'a> {
    /// Where its records stand.
    pub db: &'a Db,
    /// The tenant.
    pub company: &'a CompanyId,
    /// Share of first answers lost, in percent.
    pub lost_answer_rate: u8,
}

impl SimulatedAuthority<'_> {
    fn record(&self, number: &InvoiceNumber) -> Key {
        Key::new(
            table::BILLING,
            format!("{}#authority", self.company),
            number.to_string(),
        )
    }
}

fn grant(voucher: &Voucher) -> Result<Grant, Failure> {
    let due_date = cae_due_date(voucher.issue_date)
        .map_err(|e| Failure::new("computing a CAE's due date", e))?;
    Ok(Grant {
        cae: simulated_cae(&voucher.number),
        due_date,
    })
}

impl Authority for SimulatedAuthority<'_> {
    async fn authorise(&self, voucher: &Voucher) -> Result<Answer, Failure> {
        if !answer_is_lost(&voucher.number, self.lost_answer_rate) {
            return Ok(Answer::Granted(grant(voucher)?));
        }
        let mut tx = Tx::new();
        tx.put(self.record(&voucher.number), voucher, Condition::absent())?;
        match self.db.commit(&tx).await {
            Ok(()) => Ok(Answer::Lost),
            // Recorded before: only the first answer is ever lost.
            Err(CommitError::Refused(_)) => match self.look_up(&voucher.number).await? {
                Some((recorded, grant)) if recorded == *voucher => Ok(Answer::Granted(grant)),
                Some(_) | None => Ok(Answer::Lost),
            },
            Err(error @ (CommitError::Contended | CommitError::Failed(_))) => Err(error.into()),
        }
    }

    async fn look_up(&self, number: &InvoiceNumber) -> Result<Option<(Voucher, Grant)>, Failure> {
        let Some(voucher) = self.db.get::<Voucher>(&self.record(number)).await? else {
            return Ok(None);
        };
        let grant = grant(&voucher)?;
        Ok(Some((voucher, grant)))
    }
}
