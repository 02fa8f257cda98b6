//! Jobs that were asked for with a list of their items.

use cierre_kernel::id::FacturaId;
use cierre_platform::{Failure, random};
use ulid::Ulid;

use super::pieza::Pieza;
use super::{Stop, Turn};
use crate::comandos::{Acto, Documento, Gestion, Registro};
use crate::entity::decisiones::Orden;
use crate::entity::factura::Origen;
use crate::entity::refusal::Invalid;
use crate::repo::stamp;
use crate::trabajos::{self, Entrada};

/// Items whose reading goes on ahead. What changes meanwhile refuses the item's transaction, and the item is read again.
const AHEAD: usize = 25;
/// Items of a dry run whose outcomes are written together.
pub(super) const REHEARSED: usize = 50;

impl Turn<'_> {
    /// Does the items that have no outcome yet, in order.
    pub(super) async fn listed(&mut self) -> Result<(), Stop> {
        let (company, id) = (&self.context.company, self.record.trabajo.id);
        let entrada = trabajos::kept(&self.payables.objects, company, id).await?;
        let dry_run = self.record.trabajo.dry_run;
        let done = self.done();
        match entrada {
            Entrada::Lote(facturas) if dry_run => self.rehearse_intake(&facturas).await,
            Entrada::Lote(facturas) => {
                let documents = facturas.into_iter().skip(done);
                let documents = documents.map(|nueva| Documento::Nueva(nueva, Origen::Lote));
                self.register(documents.collect()).await
            }
            Entrada::Historico(facturas) => {
                let documents = facturas.into_iter().skip(done).map(|factura| {
                    let (nueva, historico) = factura.parts();
                    Documento::Historica(nueva, historico)
                });
                self.register(documents.collect()).await
            }
            Entrada::Decisiones {
                accion,
                ids,
                motivo,
            } => {
                let orden = Orden::judge(&accion, &ids, motivo.as_deref());
                let orden = orden.map_err(|Invalid(_)| {
                    Failure::message("a job's decision does not hold, though it was judged")
                })?;
                let piezas = orden.ids.into_iter().skip(done).map(|id| match id {
                    Some(id) => Pieza::Gestionar(Gestion {
                        id,
                        acto: Acto::Decidir(orden.voto.clone()),
                    }),
                    None => Pieza::SinNombre,
                });
                let piezas: Vec<_> = piezas.collect();
                if dry_run {
                    self.rehearse(&piezas).await
                } else {
                    self.each(&piezas).await
                }
            }
        }
    }

    async fn register(&mut self, documents: Vec<Documento>) -> Result<(), Stop> {
        let mut documents = documents.into_iter().peekable();
        while documents.peek().is_some() {
            let context = self.now();
            // One after the other, as the request names them.
            let first = random::ulid(context.now)?;
            let registro = |(documento, nth)| {
                let registro = Registro {
                    id: FacturaId::new(Ulid(first.0.wrapping_add(nth))),
                    stamp: stamp(&context),
                    documento,
                };
                Ok(Pieza::Registrar(Box::new(registro)))
            };
            let piezas = documents.by_ref().take(AHEAD).zip(0..).map(registro);
            let piezas: Result<Vec<_>, Failure> = piezas.collect();
            self.each(&piezas?).await?;
        }
        Ok(())
    }

    /// Does items one after the other, with one reading for several of them.
    async fn each(&mut self, piezas: &[Pieza<'_>]) -> Result<(), Stop> {
        let marcha = self.record.marcha.clone();
        for ahead in piezas.chunks(AHEAD) {
            self.check_time()?;
            let company = &self.context.company;
            let keys = ahead.iter().flat_map(|pieza| pieza.keys(company));
            let loaded = self.payables.db.load(keys).await?;
            for pieza in ahead {
                self.check_time()?;
                self.item(pieza, Some(&loaded), &marcha).await?;
            }
        }
        Ok(())
    }

    /// Says of items what they would do. They are different facturas, so none of them changes what another one finds.
    async fn rehearse(&mut self, piezas: &[Pieza<'_>]) -> Result<(), Stop> {
        let marcha = self.record.marcha.clone();
        for ahead in piezas.chunks(REHEARSED) {
            self.check_time()?;
            let context = self.now();
            let keys = ahead.iter().flat_map(|pieza| pieza.keys(&context.company));
            let loaded = self.payables.db.load(keys).await?;
            let mut outcomes = Vec::with_capacity(ahead.len());
            for (pieza, indice) in ahead.iter().zip(self.next_index()..) {
                let puesto = self.place(indice);
                let planned = pieza.plan(&self.payables.db, &context, &loaded, puesto);
                outcomes.extend(planned.await?.map(|(_, outcome)| outcome));
            }
            self.note(&outcomes, &marcha).await?;
        }
        Ok(())
    }
}
