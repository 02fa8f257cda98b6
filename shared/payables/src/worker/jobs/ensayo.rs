//! What a batch of facturas would come to.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use cierre_kernel::id::FacturaId;
use cierre_platform::command::today;
use cierre_platform::db::Loaded;
use cierre_platform::{Context, Failure, random};

use super::lista::REHEARSED;
use super::{Stop, Turn};
use crate::comandos::{Documento, Mandato, Registro};
use crate::entity::factura::{FacturaNueva, Origen};
use crate::entity::lote::{Ensayo, Hallado};
use crate::entity::politica::Politica;
use crate::entity::trabajo::Outcome;
use crate::repo::{self, stamp};
use crate::rules::clave::Clave;
use crate::rules::comparacion::Antecedente;
use crate::rules::concepto::Grupo;

/// The groups that were read, by their names.
type Grupos = BTreeMap<String, Vec<Antecedente>>;

impl Turn<'_> {
    /// Says of facturas whether they would be registered. Each is judged as if those before it stood in the table, so a worker that goes on where
    /// another one left judges those before once more, and writes nothing about them.
    pub(super) async fn rehearse_intake(&mut self, facturas: &[FacturaNueva]) -> Result<(), Stop> {
        let marcha = self.record.marcha.clone();
        let (mut ensayo, mut grupos) = (Ensayo::default(), Grupos::new());
        let mut indice = 0;
        for ahead in facturas.chunks(REHEARSED) {
            self.check_time()?;
            let context = self.now();
            let mut registros = Vec::with_capacity(ahead.len());
            for nueva in ahead {
                registros.push(Registro {
                    id: FacturaId::new(random::ulid(context.now)?),
                    stamp: stamp(&context),
                    documento: Documento::Nueva(nueva.clone(), Origen::Lote),
                });
            }
            let keys = registros.iter().flat_map(|one| one.keys(&context.company));
            let loaded = self.payables.db.load(keys).await?;
            let politica = repo::loaded_politica(&loaded, &context.company)?;
            let mut outcomes = Vec::with_capacity(ahead.len());
            for (nueva, registro) in ahead.iter().zip(&registros) {
                self.read_group(&context, &politica, nueva, &mut grupos)
                    .await?;
                let seen = Visto {
                    loaded: &loaded,
                    politica: &politica,
                    grupos: &grupos,
                };
                let place = (indice, registro.id);
                let outcome = judged(&mut ensayo, &context, &seen, place, nueva)?;
                if indice >= self.next_index() {
                    outcomes.push(outcome);
                }
                indice += 1;
            }
            if !outcomes.is_empty() {
                self.note(&outcomes, &marcha).await?;
            }
        }
        Ok(())
    }

    /// Reads the group of a factura, once, where approval by rule may look at it.
    async fn read_group(
        &self,
        context: &Context,
        politica: &Politica,
        nueva: &FacturaNueva,
        grupos: &mut Grupos,
    ) -> Result<(), Failure> {
        let looked_at =
            politica.automatica.activa && politica.automatica.origenes.contains(&Origen::Lote);
        let Some(grupo) = grupo_of(nueva).filter(|_| looked_at) else {
            return Ok(());
        };
        if let Entry::Vacant(unread) = grupos.entry(grupo.to_string()) {
            unread.insert(repo::grupo(&self.payables.db, &context.company, &grupo).await?);
        }
        Ok(())
    }
}

/// What was read for several facturas.
struct Visto<'a> {
    loaded: &'a Loaded,
    politica: &'a Politica,
    grupos: &'a Grupos,
}

fn grupo_of(nueva: &FacturaNueva) -> Option<Grupo> {
    Some(Grupo::of(nueva.nit()?, &nueva.concepto))
}

fn judged(
    ensayo: &mut Ensayo,
    context: &Context,
    seen: &Visto<'_>,
    (indice, id): (u32, FacturaId),
    nueva: &FacturaNueva,
) -> Result<Outcome, Failure> {
    let (company, loaded) = (&context.company, seen.loaded);
    let nit = nueva.nit();
    let asignacion = match nit {
        Some(nit) => repo::loaded_asignacion(loaded, company, nit)?,
        None => None,
    };
    let clave = nit.and_then(|nit| Clave::of(nit, &nueva.numero));
    let grupo = grupo_of(nueva).and_then(|grupo| seen.grupos.get(&grupo.to_string()));
    let hallado = Hallado {
        asignacion: asignacion.as_ref(),
        politica: seen.politica,
        duplicada: clave.and_then(|clave| repo::loaded_duplicada(loaded, company, &clave)),
        grupo: grupo.map(Vec::as_slice).unwrap_or_default(),
    };
    let day = (today(loaded, context)?, true);
    let (outcome, _) = ensayo.item(indice, id, nueva, &hallado, day, &stamp(context));
    Ok(outcome)
}
