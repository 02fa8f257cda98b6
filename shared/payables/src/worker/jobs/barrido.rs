//! Jobs over all facturas of an index: they find their items as they go, and remember how far they have come.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use cierre_kernel::time::Date;
use cierre_platform::Failure;
use cierre_platform::company::{settings_key, zone};
use cierre_platform::db::{Key, Loaded, Query, text};

use super::pieza::{Pieza, loaded_ronda};
use super::{Stop, Turn};
use crate::comandos::{Acto, Gestion};
use crate::entity::delegacion::Delegacion;
use crate::entity::factura::Expediente;
use crate::nit::Nit;
use crate::persona::Usuario;
use crate::repo::{self, loaded_doc};
use crate::rules::consistencia::divergencias;
use crate::rules::recordatorios::{Jornada, due};
use crate::table;
use crate::trabajos::Marcha;

/// Facturas that are looked at together.
const AT_ONCE: u32 = 100;

/// Facturas of an index, with their places in it.
pub(super) struct Pagina {
    /// The facturas that are still there.
    pub(super) facturas: Vec<(String, Expediente)>,
    /// What they were read from.
    pub(super) loaded: Loaded,
    /// The place of the last one, still there or not.
    pub(super) hasta: Option<String>,
    /// The index ends here.
    pub(super) ultima: bool,
}

impl Pagina {
    /// The rows of the facturas' current rounds.
    pub(super) async fn rondas(&self, turn: &Turn<'_>) -> Result<Loaded, Failure> {
        let company = &turn.context.company;
        let key = |(_, one): &(String, Expediente)| {
            table::ronda(company, one.factura.id, one.factura.ronda)
        };
        turn.payables.db.load(self.facturas.iter().map(key)).await
    }
}

/// An index that is walked through.
pub(super) struct Indice {
    query: Query,
    sort: &'static str,
}

impl Indice {
    /// One with the order of lists.
    pub(super) fn listed(index: &'static str, pk: &'static str, partition: String) -> Self {
        let sort = table::LIST_SORT;
        let query = Query::index(table::PAYABLES, index, pk, partition, sort).limit(AT_ONCE);
        Self { query, sort }
    }

    /// The one with what waits.
    fn waiting(partition: String) -> Self {
        let sort = table::WAITING_SORT;
        let (index, pk) = (table::WAITING_INDEX, table::WAITING_PK);
        let query = Query::index(table::PAYABLES, index, pk, partition, sort).limit(AT_ONCE);
        Self { query, sort }
    }
}

impl Turn<'_> {
    /// The next facturas of an index.
    pub(super) async fn page(&self, indice: &Indice, marcha: &Marcha) -> Result<Pagina, Stop> {
        let db = &self.payables.db;
        let query = indice.query.clone();
        let query = match &marcha.despues {
            Some(last) => query.after(last),
            None => query,
        };
        let page = db.query(&query).await?;
        let listed: Vec<(String, Key)> = page
            .items
            .iter()
            .filter_map(|item| {
                let place = text(item, indice.sort)?.to_owned();
                Some((place, Key::of(table::PAYABLES, item)?))
            })
            .collect();
        let loaded = db.load(listed.iter().map(|(_, key)| key.clone())).await?;
        let hasta = listed.last().map(|(place, _)| place.clone());
        let mut facturas = Vec::with_capacity(listed.len());
        for (place, key) in listed {
            let found: Option<Expediente> = loaded_doc(&loaded, &key)?;
            facturas.extend(found.map(|expediente| (place, expediente)));
        }
        Ok(Pagina {
            facturas,
            loaded,
            hasta: hasta.or_else(|| marcha.despues.clone()),
            ultima: page.last.is_none(),
        })
    }

    /// Shows now and then that it lives, and leaves the job where it stands when time is nearly up.
    async fn pause(&mut self, marcha: &Marcha) -> Result<(), Stop> {
        if self.deadline.is_near() || self.seen() != self.record.marcha.visto_en {
            self.note(&[], marcha).await?;
        }
        self.check_time()
    }

    /// Gives the supplier's facturas, for which nobody answers, somebody who does.
    pub(super) async fn apply_assignment(
        &mut self,
        nit: Nit,
        responsable: &Usuario,
    ) -> Result<(), Stop> {
        let partition = table::facturas_of_nit(&self.context.company, nit);
        let indice = Indice::listed(table::NIT_INDEX, table::NIT_PK, partition);
        let mut marcha = self.record.marcha.clone();
        loop {
            let page = self.page(&indice, &marcha).await?;
            for (place, one) in &page.facturas {
                if one.factura.eliminada || one.factura.responsable().is_some() {
                    continue;
                }
                self.check_time()?;
                marcha.despues = Some(place.clone());
                let pieza = Pieza::Gestionar(Gestion {
                    id: one.factura.id,
                    acto: Acto::Asignar(responsable.clone()),
                });
                self.item(&pieza, Some(&page.loaded), &marcha).await?;
            }
            marcha.despues = page.hasta;
            if page.ultima {
                return Ok(());
            }
            self.pause(&marcha).await?;
        }
    }

    /// Makes facturas that differ from their rounds say what these say. One without a round is left alone.
    pub(super) async fn repair(&mut self) -> Result<(), Stop> {
        let partition = table::facturas(&self.context.company);
        let indice = Indice::listed(table::LISTED_INDEX, table::LIST_PK, partition);
        let mut marcha = self.record.marcha.clone();
        loop {
            let page = self.page(&indice, &marcha).await?;
            let rondas = page.rondas(self).await?;
            for (place, Expediente { factura, .. }) in &page.facturas {
                let ronda = loaded_ronda(&rondas, &self.context.company, factura)?;
                if ronda.is_none() || divergencias(factura, ronda.as_ref()).is_empty() {
                    continue;
                }
                self.check_time()?;
                marcha.despues = Some(place.clone());
                // Checked again, on what stands there now.
                let pieza = Pieza::Reparar(factura.id);
                self.item(&pieza, None, &marcha).await?;
            }
            marcha.despues = page.hasta;
            if page.ultima {
                return Ok(());
            }
            self.pause(&marcha).await?;
        }
    }

    /// Tells people of the facturas that have waited too long.
    pub(super) async fn remind(&mut self, hoy: Date) -> Result<(), Stop> {
        let company = self.context.company.clone();
        let (settings, policy) = (settings_key(&company), table::politica(&company));
        let loaded = self.payables.db.load([settings, policy]).await?;
        let (zona, politica) = (
            zone(&loaded, &company)?,
            repo::loaded_politica(&loaded, &company)?,
        );
        let jornada = Jornada {
            hoy,
            zona: &zona,
            plazos: politica.recordatorio,
            festivos_extra: &politica.festivos_extra,
        };
        let indice = Indice::waiting(table::espera(&company));
        let mut marcha = self.record.marcha.clone();
        let mut known = BTreeMap::new();
        loop {
            let page = self.page(&indice, &marcha).await?;
            for (place, one) in &page.facturas {
                if due(one, &[], &jornada).is_none() {
                    continue;
                }
                self.check_time()?;
                marcha.despues = Some(place.clone());
                let pieza = Pieza::Recordar {
                    id: one.factura.id,
                    jornada: &jornada,
                    delegaciones: self.delegated(one, &mut known).await?,
                };
                self.item(&pieza, Some(&page.loaded), &marcha).await?;
            }
            marcha.despues = page.hasta;
            if page.ultima {
                return Ok(());
            }
            self.pause(&marcha).await?;
        }
    }

    /// What the responsable of a factura delegated, read once for all of theirs.
    async fn delegated<'k>(
        &self,
        one: &Expediente,
        known: &'k mut BTreeMap<String, Vec<Delegacion>>,
    ) -> Result<&'k [Delegacion], Failure> {
        let Some(responsable) = one.factura.responsable() else {
            return Ok(&[]);
        };
        match known.entry(responsable.id.clone()) {
            Entry::Occupied(read) => Ok(read.into_mut()),
            Entry::Vacant(unread) => {
                let (db, company) = (&self.payables.db, &self.context.company);
                let given = repo::delegaciones_de(db, company, &responsable.id).await?;
                Ok(unread.insert(given))
            }
        }
    }
}
