//! Commands on facturas: what each of them loads, decides and writes, the same for a request, a job and an electronic invoice.
//!
//! A command is planned on what was loaded and committed with whatever its caller adds: a request its idempotency record
//! ([`cierre_platform::command`]), a worker the outcome of the item or what it remembers of the object ([`aplicar`]).

mod gestion;
mod ingreso;

use std::future::Future;

use cierre_kernel::company::CompanyId;
use cierre_platform::db::{CommitError, Db, Key, Loaded, Tx, back_off};
use cierre_platform::{Context, Failure};

use crate::entity::factura::Expediente;

pub use gestion::{Acto, Gestion, denegar, suplencia};
pub use ingreso::{Documento, Negativa, Registro};

/// How often a worker decides before it gives up against others that change the same thing.
const TRIES: u32 = 12;

/// What a command writes, not committed.
#[derive(Debug)]
pub struct Planeado {
    /// The transaction.
    pub tx: Tx,
    /// The factura as it is written.
    pub expediente: Expediente,
}

/// A command on one factura.
pub trait Mandato: Sync {
    /// Why it is refused.
    type Negativa: Send;

    /// What it decides on, as far as that can be named beforehand.
    fn keys(&self, company: &CompanyId) -> Vec<Key>;

    /// Decides on what was loaded. What it reads beside that it reads afterwards, and the transaction is refused where that has changed.
    ///
    /// # Errors
    /// When DynamoDB does not answer; a refusal is a value.
    fn planear(
        &self,
        db: &Db,
        context: &Context,
        loaded: &Loaded,
    ) -> impl Future<Output = Result<Result<Planeado, Self::Negativa>, Failure>> + Send;
}

/// What became of a command.
#[derive(Debug)]
pub enum Resultado<N> {
    /// It was applied; the factura as it stands then.
    Aplicado(Box<Expediente>),
    /// It was refused, and nothing is written.
    Negado(N),
    /// Its mark was there: it had its outcome before.
    Hecho,
}

/// Runs a command of a worker: it is decided anew whenever somebody was faster.
///
/// `marca` is the item whose presence says that the command had its outcome; `extra` writes it, on condition of its absence, in the same
/// transaction, with whatever else belongs to the outcome. `otras` are loaded for `extra` at every try.
///
/// # Errors
/// When DynamoDB does not answer, `extra` fails, or others were faster at every try.
pub async fn aplicar<M: Mandato>(
    db: &Db,
    context: &Context,
    mandato: &M,
    marca: Option<&Key>,
    otras: &[Key],
    extra: impl Fn(&Loaded, &mut Tx, &Expediente) -> Result<(), Failure> + Send + Sync,
) -> Result<Resultado<M::Negativa>, Failure> {
    let mut keys = mandato.keys(&context.company);
    keys.extend(marca.into_iter().chain(otras).cloned());
    for attempt in 0..TRIES {
        let loaded = db.load(keys.iter().cloned()).await?;
        if marca.is_some_and(|marca| loaded.item(marca).is_some()) {
            return Ok(Resultado::Hecho);
        }
        let Planeado { mut tx, expediente } = match mandato.planear(db, context, &loaded).await? {
            Ok(planeado) => planeado,
            Err(negativa) => return Ok(Resultado::Negado(negativa)),
        };
        extra(&loaded, &mut tx, &expediente)?;
        match db.commit(&tx).await {
            Ok(()) => return Ok(Resultado::Aplicado(Box::new(expediente))),
            Err(CommitError::Refused(_) | CommitError::Contended) => back_off(attempt).await,
            Err(CommitError::Failed(failure)) => return Err(failure),
        }
    }
    Err(Failure::message("others changed a factura at every try"))
}
