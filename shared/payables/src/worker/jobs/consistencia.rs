//! The check of every factura against its round, and its report.

use cierre_platform::Failure;
use cierre_platform::db::{Condition, Tx, doc};
use cierre_platform::telemetry::{self, Unit};

use super::barrido::Indice;
use super::pieza::{loaded_ronda, ronda};
use super::{Stop, TRIES, Turn};
use crate::entity::factura::Factura;
use crate::entity::trabajo::Outcome;
use crate::entity::workflow::Workflow;
use crate::repo;
use crate::rules::consistencia::{Divergencia, LISTED, divergencias};
use crate::table;
use crate::trabajos::Informe;

impl Turn<'_> {
    /// Compares every factura with its round. An item of the job is a factura that was compared; what differs stands in the report.
    pub(super) async fn check(&mut self) -> Result<(), Stop> {
        let company = self.context.company.clone();
        let partition = table::facturas(&company);
        let indice = Indice::listed(table::LISTED_INDEX, table::LIST_PK, partition);
        loop {
            self.check_time()?;
            let mut marcha = self.record.marcha.clone();
            let page = self.page(&indice, &marcha).await?;
            let rondas = page.rondas(self).await?;
            let (mut compared, mut found) = (Vec::new(), Vec::new());
            for (_, one) in &page.facturas {
                let factura = &one.factura;
                if factura.eliminada {
                    continue;
                }
                let ronda = loaded_ronda(&rondas, &company, factura)?;
                let differing = self.verified(factura, ronda).await?;
                marcha.divergentes += u64::from(!differing.is_empty());
                found.extend(differing);
                let (id, estado) = (Some(factura.id), factura.estado());
                compared.push(Outcome::applied(0, id, estado, false));
            }
            marcha.despues = page.hasta;
            let mut tx = Tx::new();
            for fields in found.chunks(LISTED) {
                marcha.paginas += 1;
                let key = table::informe_pagina(&company, self.record.trabajo.id, marcha.paginas);
                tx.put_item(key, doc(&fields)?, Condition::always());
            }
            let trabajo = self.record.trabajo.recorded(&compared, 0)?;
            let next = self.moved(&mut tx, trabajo, &marcha)?;
            self.commit(&tx, next).await?;
            if page.ultima {
                return self.report().await;
            }
        }
    }

    /// In what a factura differs from its round. The two were read one after the other, so what looks different is different only if the factura
    /// still stands as it was read: every command writes both.
    async fn verified(
        &self,
        factura: &Factura,
        read: Option<Workflow>,
    ) -> Result<Vec<Divergencia>, Failure> {
        let found = divergencias(factura, read.as_ref());
        if found.is_empty() {
            return Ok(found);
        }
        let (db, company) = (&self.payables.db, &self.context.company);
        let (mut found, mut version) = (found, factura.version);
        for _ in 0..TRIES {
            let Some(again) = repo::expediente(db, company, factura.id).await? else {
                return Ok(Vec::new());
            };
            let again = again.factura;
            if again.version == version {
                return Ok(found);
            }
            let read = ronda(db, company, &again).await?;
            (found, version) = (divergencias(&again, read.as_ref()), again.version);
            if found.is_empty() {
                return Ok(found);
            }
        }
        Err(Failure::message(
            "a factura moved at every try to compare it",
        ))
    }

    /// Ends the check with its report, which is the company's last one from now on.
    async fn report(&mut self) -> Result<(), Stop> {
        let mut tx = Tx::new();
        let next = self.finished(&mut tx)?;
        let (trabajo, marcha) = (&next.trabajo, &next.marcha);
        let informe = Informe {
            trabajo_id: trabajo.id,
            fecha: trabajo.terminado_en.unwrap_or(marcha.visto_en),
            revisadas: trabajo.total,
            divergentes: marcha.divergentes,
            paginas: marcha.paginas,
        };
        let company = &self.context.company;
        let places = [
            table::informe(company, trabajo.id),
            table::consistencia(company),
        ];
        for key in places {
            tx.put_item(key, doc(&informe)?, Condition::always());
        }
        self.commit(&tx, next).await?;
        let figure = ("facturas_divergentes", informe.divergentes, Unit::Count);
        telemetry::metrics(&[], &[figure]);
        Ok(())
    }
}
