//! Many facturas in one request, and what a dry run says about them.

use std::collections::BTreeMap;

use cierre_kernel::id::FacturaId;
use cierre_kernel::time::Date;

use super::Change;
use super::Stamp;
use super::asignacion::Asignacion;
use super::decisiones::refused;
use super::factura::{Contexto, Expediente, FacturaNueva, Origen};
use super::politica::Politica;
use super::refusal::FacturaRefusal;
use super::trabajo::Outcome;
use crate::rules::clave::Clave;
use crate::rules::comparacion::Antecedente;
use crate::rules::concepto::Grupo;

/// What stands in the tables about an item of a request.
#[derive(Clone, Copy, Debug)]
pub struct Hallado<'a> {
    /// Who answers for the supplier's facturas.
    pub asignacion: Option<&'a Asignacion>,
    /// The policy in force.
    pub politica: &'a Politica,
    /// The live factura with the same duplicate key.
    pub duplicada: Option<FacturaId>,
    /// The live facturas of the same NIT and concept.
    pub grupo: &'a [Antecedente],
}

/// What the items before would have left in the tables, so that a dry run says what the run would: the second of two that are the same is
/// refused, and one that is near another in time is not approved by rule.
#[derive(Clone, Debug, Default)]
pub struct Ensayo {
    claves: BTreeMap<Clave, FacturaId>,
    grupos: BTreeMap<Grupo, Vec<Antecedente>>,
}

impl Ensayo {
    /// The outcome of the next item, and what is to be written with it unless it is a dry run.
    ///
    /// A run takes a fresh `Ensayo` for every item, or the same one for all: what the items before left is in the tables then, and counts once.
    #[must_use]
    pub fn item(
        &mut self,
        indice: u32,
        id: FacturaId,
        nueva: &FacturaNueva,
        hallado: &Hallado<'_>,
        (hoy, dry_run): (Date, bool),
        stamp: &Stamp,
    ) -> (Outcome, Option<Change<Expediente>>) {
        match self.judge(id, nueva, hallado, hoy, stamp) {
            Ok(change) => {
                let factura = &change.state.factura;
                // A dry run leaves no factura that the id could name.
                let named = (!dry_run).then_some(id);
                let outcome = Outcome::applied(indice, named, factura.estado(), dry_run);
                if let Some(clave) = factura.datos.clave() {
                    self.claves.insert(clave, id);
                }
                let grupo = self.grupos.entry(factura.datos.grupo()).or_default();
                grupo.push(factura.antecedente());
                (outcome, (!dry_run).then_some(change))
            }
            Err(refusal) => {
                // Of an item before in a dry run there is no factura that the outcome could name.
                let known = refusal.duplicada().and(hallado.duplicada);
                (refused(indice, known, refusal, dry_run), None)
            }
        }
    }

    fn judge(
        &self,
        id: FacturaId,
        nueva: &FacturaNueva,
        hallado: &Hallado<'_>,
        hoy: Date,
        stamp: &Stamp,
    ) -> Result<Change<Expediente>, FacturaRefusal> {
        let datos = nueva.judge(hallado.asignacion, hoy)?;
        let before = datos.clave().and_then(|clave| self.claves.get(&clave));
        if let Some(known) = hallado.duplicada.or_else(|| before.copied()) {
            return Err(FacturaRefusal::Duplicada(known));
        }
        let mut grupo = hallado.grupo.to_vec();
        let before = self.grupos.get(&datos.grupo()).into_iter().flatten();
        for one in before {
            if !grupo.iter().any(|known| known.id == one.id) {
                grupo.push(one.clone());
            }
        }
        let contexto = Contexto {
            asignacion: hallado.asignacion,
            politica: hallado.politica,
            grupo: &grupo,
        };
        let change = Expediente::registrar(id, datos, Origen::Lote, &contexto, stamp);
        Ok(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::fixtures::*;
    use crate::entity::politica::Politica;
    use crate::rules::sincronizacion::Estado;
    use cierre_kernel::money::{Currency, Money};
    use proptest::prelude::*;
    use serde_json::json;

    /// Tables as a run leaves them.
    #[derive(Default)]
    struct Tables {
        born: Vec<Expediente>,
    }

    fn run(items: &[FacturaNueva], dry_run: bool) -> Vec<(Option<Estado>, Option<&'static str>)> {
        let asignacion = asignacion(JUAN);
        let politica = politica_of_batches();
        let reference = Antecedente {
            id: factura_id(1),
            estado: Estado::Aprobada,
            fecha_emision: day("2025-06-01"),
            importe: crate::importe::Importe(Money::from_minor(100_000_000, Currency::Cop)),
        };
        let mut tables = Tables::default();
        let mut ensayo = Ensayo::default();
        let mut found = Vec::new();
        for (nueva, n) in items.iter().zip(0..) {
            let datos = nueva.judge(Some(&asignacion), hoy()).ok();
            let same = |one: &&Expediente| {
                datos
                    .as_ref()
                    .is_some_and(|datos| one.factura.datos.clave() == datos.clave())
            };
            let duplicada = tables.born.iter().find(same).map(|one| one.factura.id);
            let mut grupo = vec![reference.clone()];
            let near = tables.born.iter().filter(|one| {
                datos
                    .as_ref()
                    .is_some_and(|datos| one.factura.datos.grupo() == datos.grupo())
            });
            grupo.extend(near.map(|one| one.factura.antecedente()));
            let hallado = Hallado {
                asignacion: Some(&asignacion),
                politica: &politica,
                duplicada,
                grupo: &grupo,
            };
            let id = factura_id(u128::from(n) + 2);
            let (outcome, change) =
                ensayo.item(n, id, nueva, &hallado, (hoy(), dry_run), &stamp(PEDRO, 0));
            assert_eq!(change.is_some(), !dry_run && outcome.estado.is_some());
            let named = !dry_run && (outcome.estado.is_some() || duplicada.is_some());
            assert_eq!(outcome.factura_id.is_some(), named);
            tables.born.extend(change.map(|change| change.state));
            found.push((outcome.estado, outcome.code.map(|code| code.as_str())));
        }
        found
    }

    fn politica_of_batches() -> Politica {
        let nueva = politica_nueva(|body| body["automatica"]["origenes"] = json!(["lote"]));
        Politica::judge(1, &nueva).unwrap()
    }

    fn item(numero: &str, fecha: &str, total: &str) -> FacturaNueva {
        FacturaNueva {
            numero: numero.into(),
            fecha_emision: fecha.into(),
            fecha_vencimiento: None,
            total: json!(total),
            ..nueva()
        }
    }

    #[test]
    fn the_second_of_two_that_are_the_same_is_refused() {
        let items = [
            item("FE-1", "2026-01-05", "1000000.00"),
            item("fe 1", "2026-01-05", "1000000.00"),
            item("FE-2", "2026-01-10", "1000000.00"),
            item("FE-3", "2026-01-10", "0"),
        ];
        let expected = [
            (Some(Estado::AprobadaAuto), None),
            (None, Some("factura_duplicada")),
            (Some(Estado::Pendiente), None),
            (None, Some("total_no_positivo")),
        ];
        assert_eq!(run(&items, false), expected);
        assert_eq!(run(&items, true), expected);
    }

    proptest! {
        #[test]
        fn a_dry_run_says_what_the_run_would(items in prop::collection::vec((0..6_u8, 1..28_u8, 90..110_u8), 0..12)) {
            let items: Vec<_> = items.iter().map(|(numero, on, total)| {
                item(&format!("FE-{numero}"), &format!("2026-01-{on:02}"), &format!("{total}0000.00"))
            }).collect();
            prop_assert_eq!(run(&items, true), run(&items, false));
        }
    }
}
