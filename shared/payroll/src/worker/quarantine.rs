//! Objects that have no place: copied, compared, written down, and only then taken away from where they were.
//!
//! ```text
//! t0  copies the object and compares the copy
//! t1  writes down where it is and why, with the event; the worker dies
//! t2  the event comes again: the object is copied over the same copy, what was written down is found, the object is taken away
//! t3  the event comes a third time: there is no such object any more, nothing is to be done
//! ```

use cierre_kernel::event::ChainHead;
use cierre_platform::db::{CommitError, Condition, Item, Tx, text};
use cierre_platform::telemetry::{self, Unit};
use cierre_platform::{Context, Failure};

use super::Payroll;
use crate::entity::drop::{ObjectEvent, QUARANTINE, Quarantine, UNKNOWN};
use crate::repo::{CierreRecord, HEAD, chain, doc, put_cierre, with};
use crate::table;

impl Payroll {
    /// Puts an object aside that belongs to no company: nobody's timeline tells of it.
    pub(super) async fn put_aside_unknown(&self, object: &ObjectEvent) -> Result<(), Failure> {
        let to = format!("{QUARANTINE}/{UNKNOWN}/{}", object.clave);
        self.move_away(object, &to).await?;
        tracing::warn!("an object that belongs to no company is in quarantine");
        telemetry::metrics(&[], &[("ObjectsOfNobody", 1, Unit::Count)]);
        self.take_away(object).await
    }

    /// Puts an object aside. False when the chain moved meanwhile, and the decision has to be made again.
    pub(super) async fn put_aside(
        &self,
        context: &Context,
        object: &ObjectEvent,
        aside: Quarantine,
        record: Option<&CierreRecord>,
    ) -> Result<bool, Failure> {
        let (Some(listed), Some(entry)) = (aside.record, aside.entry) else {
            self.put_aside_unknown(object).await?;
            return Ok(true);
        };
        self.move_away(object, &aside.destino).await?;
        let company = &context.company;
        let key = table::en_cuarentena(company, object.ocurrido_en, &object.identity());
        let mut tx = Tx::new();
        let end = (object.ocurrido_en.as_millis() + table::CUARENTENA_MILLIS) / 1000;
        let item = with(doc(&listed)?, table::EXPIRES_AT, end);
        let marked = tx.put_item(key, item, Condition::absent());
        match record.filter(|record| Some(record.cierre.id) == entry.scope.cierre) {
            Some(record) => {
                let before = record.cierre.clone();
                put_cierre(&mut tx, context, Some(&before), record.clone(), &[entry])?;
            }
            None => {
                let key = table::cuarentena_chain(company);
                let stored = self.db.get_item(&key).await?;
                let stored = stored.as_ref().and_then(|item| text(item, HEAD));
                let unmoved = match stored {
                    Some(head) => Condition::default().eq(HEAD, head),
                    None => Condition::absent(),
                };
                let mut head: ChainHead = stored
                    .and_then(|head| head.parse().ok())
                    .unwrap_or_default();
                chain(&mut tx, context, &[entry], &mut head)?;
                let item = with(Item::new(), HEAD, head.to_string());
                tx.put_item(key, item, unmoved);
            }
        }
        match self.db.commit(&tx).await {
            Ok(()) => {}
            // It was written down before.
            Err(error) if error.refused_at(marked).is_some() => {}
            Err(CommitError::Refused(_) | CommitError::Contended) => return Ok(false),
            Err(CommitError::Failed(failure)) => return Err(failure),
        }
        self.take_away(object).await?;
        Ok(true)
    }

    async fn move_away(&self, object: &ObjectEvent, to: &str) -> Result<(), Failure> {
        let version = object.version_id.as_deref();
        let copied = self.objects.copy(&object.clave, version, to).await?;
        let copy = self.objects.head(to, None).await?;
        let is_whole = copy.is_some_and(|copy| copy.bytes == object.tamano);
        if copied && is_whole {
            Ok(())
        } else {
            Err(Failure::message("the copy of an object is not whole"))
        }
    }

    async fn take_away(&self, object: &ObjectEvent) -> Result<(), Failure> {
        let version = object.version_id.as_deref();
        self.objects.remove(&object.clave, version).await
    }
}
