//! An item of a job: what it reads, what it writes, and what becomes of it.

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::FacturaId;
use cierre_platform::db::{Db, Key, Loaded, Tx, loaded_doc};
use cierre_platform::{Context, Failure};

use crate::comandos::{Acto, Gestion, Mandato, Negativa, Planeado, Registro};
use crate::entity::Change;
use crate::entity::decisiones::refused;
use crate::entity::delegacion::{Delegacion, delegates};
use crate::entity::factura::{Expediente, Factura};
use crate::entity::refusal::FacturaRefusal;
use crate::entity::trabajo::Outcome;
use crate::entity::workflow::Workflow;
use crate::persona::Usuario;
use crate::repo::{loaded_expediente, put_expediente, read_doc, stamp};
use crate::rules::consistencia::reparar;
use crate::rules::recordatorios::{Jornada, due};
use crate::table;

/// What is to be done.
pub(super) enum Pieza<'a> {
    /// A factura comes.
    Registrar(Box<Registro>),
    /// Something happens to a factura.
    Gestionar(Gestion),
    /// Something was to happen to a factura whose id is none.
    SinNombre,
    /// A factura is to say what its round says.
    Reparar(FacturaId),
    /// People are told that a factura waits.
    Recordar {
        /// The factura.
        id: FacturaId,
        /// The day.
        jornada: &'a Jornada<'a>,
        /// What its responsable delegated.
        delegaciones: &'a [Delegacion],
    },
}

/// The place of an item, and whether it is only said what it would do.
#[derive(Clone, Copy)]
pub(super) struct Puesto {
    /// From 0.
    pub(super) indice: u32,
    /// Nothing is done.
    pub(super) dry_run: bool,
}

/// What an item writes beside its outcome, and its outcome.
pub(super) type Planeada = (Tx, Outcome);

impl Puesto {
    fn applied(self, factura: &Factura) -> Outcome {
        Outcome::applied(
            self.indice,
            Some(factura.id),
            factura.estado(),
            self.dry_run,
        )
    }

    fn refused(self, id: Option<FacturaId>, refusal: FacturaRefusal) -> Outcome {
        refused(self.indice, id, refusal, self.dry_run)
    }
}

impl Pieza<'_> {
    /// What it decides on.
    pub(super) fn keys(&self, company: &CompanyId) -> Vec<Key> {
        match self {
            Self::Registrar(registro) => registro.keys(company),
            Self::Gestionar(gestion) => gestion.keys(company),
            Self::SinNombre => Vec::new(),
            Self::Reparar(id) | Self::Recordar { id, .. } => vec![table::factura(company, *id)],
        }
    }

    /// Decides on what was loaded. None where there is nothing to do any more: then it is no item of the job.
    pub(super) async fn plan(
        &self,
        db: &Db,
        context: &Context,
        loaded: &Loaded,
        puesto: Puesto,
    ) -> Result<Option<Planeada>, Failure> {
        match self {
            Self::Registrar(registro) => {
                let context = Context {
                    now: registro.stamp.at,
                    ..context.clone()
                };
                let planned = registro.planear(db, &context, loaded).await?;
                Ok(Some(registered(planned, puesto)))
            }
            Self::Gestionar(gestion) => {
                let planned = gestion.planear(db, context, loaded).await?;
                match planned {
                    Ok(planned) => Ok(Some(done(planned, puesto))),
                    Err(refusal) => {
                        let tx = denial(context, loaded, gestion, &refusal)?;
                        Ok(Some((tx, puesto.refused(Some(gestion.id), refusal))))
                    }
                }
            }
            Self::SinNombre => {
                let refusal = FacturaRefusal::NoEncontrada;
                Ok(Some((Tx::new(), puesto.refused(None, refusal))))
            }
            Self::Reparar(id) => {
                let Some(before) = loaded_expediente(loaded, &context.company, *id)? else {
                    return Ok(None);
                };
                // Read after the factura: a decision in between moves the factura, which refuses the transaction.
                let ronda = ronda(db, &context.company, &before.factura).await?;
                let repaired = reparar(&before.factura, ronda.as_ref(), &stamp(context));
                let (Some(change), Some(workflow)) = (repaired, ronda) else {
                    return Ok(None);
                };
                let change = change.map(|factura| Expediente { factura, workflow });
                written(context, &before, change, puesto).map(Some)
            }
            Self::Recordar {
                id,
                jornada,
                delegaciones,
            } => {
                let Some(before) = loaded_expediente(loaded, &context.company, *id)? else {
                    return Ok(None);
                };
                let responsable = before.factura.responsable();
                let delegados: Vec<&Usuario> = responsable
                    .map(|responsable| delegates(delegaciones, responsable, jornada.hoy).collect())
                    .unwrap_or_default();
                let Some(change) = due(&before, &delegados, jornada) else {
                    return Ok(None);
                };
                // The mark is the round's; the factura says nothing else than before, so it keeps its version.
                let change = change.map(|workflow| Expediente {
                    factura: before.factura.clone(),
                    workflow,
                });
                written(context, &before, change, puesto).map(Some)
            }
        }
    }
}

/// Reads the row of a factura's current round.
pub(super) async fn ronda(
    db: &Db,
    company: &CompanyId,
    factura: &Factura,
) -> Result<Option<Workflow>, Failure> {
    let key = table::ronda(company, factura.id, factura.ronda);
    let item = db.get_item(&key).await?;
    item.as_ref().map(read_doc).transpose()
}

/// The row of a factura's current round among what was loaded.
pub(super) fn loaded_ronda(
    loaded: &Loaded,
    company: &CompanyId,
    factura: &Factura,
) -> Result<Option<Workflow>, Failure> {
    loaded_doc(loaded, &table::ronda(company, factura.id, factura.ronda))
}

fn done(planned: Planeado, puesto: Puesto) -> Planeada {
    let Planeado { tx, expediente } = planned;
    (tx, puesto.applied(&expediente.factura))
}

fn registered(planned: Result<Planeado, Negativa>, puesto: Puesto) -> Planeada {
    match planned {
        Ok(planned) => done(planned, puesto),
        Err(Negativa::Factura(refusal)) => {
            let known = refusal.duplicada();
            (Tx::new(), puesto.refused(known, refusal))
        }
        Err(Negativa::Documento(fallo)) => {
            let code = fallo.code;
            let problem = Negativa::Documento(fallo).into();
            let outcome = Outcome::refused(puesto.indice, None, code, problem, puesto.dry_run);
            (Tx::new(), outcome)
        }
    }
}

/// That a decision was denied is told in the transaction of its outcome; other refusals leave no trace but that.
fn denial(
    context: &Context,
    loaded: &Loaded,
    gestion: &Gestion,
    refusal: &FacturaRefusal,
) -> Result<Tx, Failure> {
    let mut tx = Tx::new();
    let voto = match &gestion.acto {
        Acto::Decidir(voto) if refusal.is_denial() => voto,
        Acto::Decidir(_) | Acto::Asignar(_) | Acto::Reabrir(_) | Acto::Eliminar => return Ok(tx),
    };
    if let Some(before) = loaded_expediente(loaded, &context.company, gestion.id)? {
        let (accion, code) = (voto.accion(), refusal.code());
        let denied = before.factura.denegada(accion, code, &stamp(context));
        let change = Change::new(before.clone(), vec![denied]);
        put_expediente(&mut tx, context, Some(&before), change)?;
    }
    Ok(tx)
}

fn written(
    context: &Context,
    before: &Expediente,
    change: Change<Expediente>,
    puesto: Puesto,
) -> Result<Planeada, Failure> {
    let mut tx = Tx::new();
    let expediente = put_expediente(&mut tx, context, Some(before), change)?;
    Ok((tx, puesto.applied(&expediente.factura)))
}
