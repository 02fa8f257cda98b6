//! What happens to a factura after its intake.

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::FacturaId;
use cierre_platform::command::today;
use cierre_platform::company;
use cierre_platform::db::{Condition, Db, Key, Loaded, Tx};
use cierre_platform::{Context, Failure};
use futures::future::try_join;

use super::{Mandato, Planeado};
use crate::entity::Change;
use crate::entity::delegacion::{Delegacion, is_delegate};
use crate::entity::factura::{Decisor, Expediente, Factura, Voto};
use crate::entity::refusal::FacturaRefusal;
use crate::persona::{Usuario, only_looks_on};
use crate::repo::{self, decisor, stamp};
use crate::table;

/// What is to happen to a factura.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acto {
    /// Somebody decides.
    Decidir(Voto),
    /// It gets somebody who answers for it.
    Asignar(Usuario),
    /// Another round begins, for a reason.
    Reabrir(String),
    /// It is deleted.
    Eliminar,
}

/// A command on a factura. Who gives it, when, and with which roles the context says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gestion {
    /// The factura.
    pub id: FacturaId,
    /// What is to happen to it.
    pub acto: Acto,
}

impl Mandato for Gestion {
    type Negativa = FacturaRefusal;

    fn keys(&self, company: &CompanyId) -> Vec<Key> {
        let factura = table::factura(company, self.id);
        match self.acto {
            Acto::Reabrir(_) => vec![factura, table::politica(company)],
            Acto::Decidir(_) | Acto::Asignar(_) | Acto::Eliminar => vec![factura],
        }
    }

    async fn planear(
        &self,
        db: &Db,
        context: &Context,
        loaded: &Loaded,
    ) -> Result<Result<Planeado, FacturaRefusal>, Failure> {
        let company = &context.company;
        let Some(before) = repo::loaded_expediente(loaded, company, self.id)? else {
            return Ok(Err(FacturaRefusal::NoEncontrada));
        };
        let mut tx = Tx::new();
        let decided = match &self.acto {
            Acto::Decidir(voto) => {
                let caller = right(db, context, &before, &mut tx).await?;
                before.decidir(voto, &caller)
            }
            Acto::Asignar(responsable) => {
                let assigned = before.factura.asignar(responsable, &stamp(context));
                assigned.map(|change| in_round(&before, change))
            }
            Acto::Reabrir(motivo) => {
                let politica = repo::loaded_politica(loaded, company)?;
                before.reabrir(motivo, &politica, &stamp(context))
            }
            Acto::Eliminar => {
                let deleted = before.factura.eliminar(&stamp(context));
                deleted.map(|change| in_round(&before, change))
            }
        };
        let change = match decided {
            Ok(change) => change,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let expediente = repo::put_expediente(&mut tx, context, Some(&before), change)?;
        Ok(Ok(Planeado { tx, expediente }))
    }
}

/// A change of the factura alone.
fn in_round(before: &Expediente, change: Change<Factura>) -> Change<Expediente> {
    change.map(|factura| Expediente {
        factura,
        workflow: before.workflow.clone(),
    })
}

/// The caller with what a delegation adds, which is looked for only where nothing else gives the right. One that is used has to stand when the
/// decision is committed.
async fn right(
    db: &Db,
    context: &Context,
    before: &Expediente,
    tx: &mut Tx,
) -> Result<Decisor, Failure> {
    let caller = decisor(context, false);
    let denied = before.derecho(&caller) == Err(FacturaRefusal::NoAutorizado);
    let Some(responsable) = before
        .factura
        .responsable()
        .filter(|_| denied && !before.factura.eliminada && !only_looks_on(context.roles))
    else {
        return Ok(caller);
    };
    let Some(used) = suplencia(db, context, responsable).await? else {
        return Ok(caller);
    };
    let key = table::delegacion(&context.company, &used.de.id, used.id);
    tx.check(key, Condition::version(used.version));
    Ok(Decisor {
        delegado: true,
        ..caller
    })
}

/// The delegation by which the caller stands in for a responsable today.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn suplencia(
    db: &Db,
    context: &Context,
    responsable: &Usuario,
) -> Result<Option<Delegacion>, Failure> {
    let company = &context.company;
    let given = repo::delegaciones_de(db, company, &responsable.id);
    let settings = db.load([company::settings_key(company)]);
    let (given, settings) = try_join(given, settings).await?;
    let hoy = today(&settings, context)?;
    let user = stamp(context).by;
    let by = |one: &Delegacion| is_delegate(std::slice::from_ref(one), responsable, &user, hoy);
    Ok(given.into_iter().find(by))
}

/// Records that a decision was denied to the caller, in a transaction of its own. Other refusals deny nothing, and leave no trace.
///
/// # Errors
/// When DynamoDB does not answer, or others move the chain at every try.
pub async fn denegar(
    db: &Db,
    context: &Context,
    read: Expediente,
    voto: &Voto,
    refusal: &FacturaRefusal,
) -> Result<(), Failure> {
    if !refusal.is_denial() {
        return Ok(());
    }
    let (accion, code, stamp) = (voto.accion(), refusal.code(), stamp(context));
    repo::note(db, context, read, |factura| {
        factura.denegada(accion, code, &stamp)
    })
    .await
}
