//! The figures of the dashboard, which follow the table's stream.
//!
//! A factura adds to some rows ([`Tablero::of`]); a change of it moves these rows by the difference. So each row is, at rest, the sum over the
//! facturas that are there. Counting each change once is [`cierre_platform::counters`]'s part: every change that moves a figure is a version of its
//! factura, and versions have no gaps, so that the factura's own version says which of its changes were counted, whatever order the shards of the
//! stream are read in. Changes that leave the version alone (views, denials, reminders) move no figure.
//!
//! | row | label | columns |
//! | --- | --- | --- |
//! | `total` | | each state, facturas without responsable, decided rounds and their milliseconds |
//! | `resp#…` | the responsable | each state |
//! | `accion#…` | whoever acted last | each state |
//!
//! A state is two columns for each currency: how many, and their sum in minor units. A responsable is a user and has one row, under the name that the
//! factura counted last knows them by. Whoever acted last is a name as stored, which `?accion_por=` asks for, with its id: somebody who was renamed
//! has a row for each name. Rows sort by username and by name, case and accents ignored.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::canonical::sha256_hex;
use cierre_kernel::company::CompanyId;
use cierre_kernel::money::Currency;
use cierre_platform::Failure;
use cierre_platform::counters::{self, Delta, LABEL, Labels, Mark, Recorded};
use cierre_platform::db::{Db, Item, Key, Query, number, text};
use cierre_platform::error::Doing;
use cierre_platform::stream::Change;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::entity::factura::{Expediente, Factura};
use crate::persona::{Persona, Usuario};
use crate::repo::read_doc;
use crate::rules::sincronizacion::Estado;
use crate::rules::tablero::{Casilla, Cuenta, Tablero, horas_promedio_decision};
use crate::table::{self, PAYABLES};
use crate::texto::{cut, folded};
use crate::worker::enrol;

/// Characters of a name by which its row sorts.
const SORTED_BY: usize = 100;

const RONDAS: &str = "rondas";
const MILISEGUNDOS: &str = "milisegundos";

/// What the sort keys of the rows of responsables begin with.
const RESPONSABLES: &str = "resp#";
/// What the sort keys of the rows of those who acted last begin with.
const ACCIONES: &str = "accion#";

/// What changes come to: what they count, and what the rows are called that they move.
#[derive(Clone, Debug, Default)]
pub struct Conteo {
    /// The changes that may move figures.
    pub records: Vec<Recorded>,
    /// The people of the rows.
    pub labels: Labels,
}

/// Counts what changed, and notes companies whose facturas come.
///
/// # Errors
/// When DynamoDB does not answer; the stream then delivers the changes again.
pub async fn follow(db: &Db, changes: &[Change]) -> Result<(), Failure> {
    let registered = changes.iter().filter(|change| change.old.is_none());
    for company in registered.filter_map(company_of).collect::<BTreeSet<_>>() {
        enrol(db, &company).await?;
    }
    let Conteo { records, labels } = conteo(changes);
    counters::apply_labelled(db, PAYABLES, &records, |_, _, _| Vec::new(), &labels).await
}

/// What the changes mean. A change that cannot be read is logged and counts nothing: it must not stop those behind it.
#[must_use]
pub fn conteo(changes: &[Change]) -> Conteo {
    let mut conteo = Conteo::default();
    for change in changes {
        if let Err(failure) = conteo.take(change) {
            tracing::error!(
                pk = change.pk,
                error = failure.chain(),
                "a change cannot be read and is not counted"
            );
        }
    }
    conteo
}

impl Conteo {
    fn take(&mut self, change: &Change) -> Result<(), Failure> {
        let Some(company) = company_of(change) else {
            return Ok(());
        };
        let read = |image: &Option<Item>| image.as_ref().map(read_factura).transpose();
        let (old, new) = (read(&change.old)?, read(&change.new)?);
        let version = match (&old, &new) {
            (_, Some(new)) => new.version,
            (Some(old), None) => old.version + 1,
            (None, None) => return Ok(()),
        };
        let delta = Tablero::delta(old.as_ref(), new.as_ref());
        let mut deltas = Vec::new();
        for (casilla, moneda, cuenta) in delta.casillas() {
            let key = self.row(&company, casilla)?;
            let columnas = columnas(estado_of(casilla), moneda);
            deltas.extend(moved(&key, columnas.cantidad, cuenta.cantidad));
            deltas.extend(moved(&key, columnas.minor, cuenta.minor));
        }
        let (rondas, milisegundos) = delta.tiempos();
        let total = total_row(&company);
        deltas.extend(moved(&total, RONDAS, rondas));
        deltas.extend(moved(&total, MILISEGUNDOS, milisegundos));
        self.records.push(Recorded {
            source: change.pk.clone(),
            mark: Mark::Place(version),
            deltas,
        });
        Ok(())
    }

    /// The row of a figure; a row of somebody gets its label.
    fn row(&mut self, company: &CompanyId, casilla: &Casilla) -> Result<Key, Failure> {
        let (sort, label) = match casilla {
            Casilla::Estado(_) | Casilla::SinAsignar => return Ok(total_row(company)),
            Casilla::Responsable(usuario, _) => {
                let sort = format!(
                    "{RESPONSABLES}{}#{}",
                    sorted_by(&usuario.usuario),
                    usuario.id
                );
                (sort, label(usuario)?)
            }
            Casilla::AccionPor(persona, _) => {
                let label = label(persona)?;
                // The id alone would not do: an imported person has none.
                let digest = sha256_hex(label.as_bytes());
                let sort = format!("{ACCIONES}{}#{digest}", sorted_by(&persona.nombre));
                (sort, label)
            }
        };
        let key = table::tablero_row(company, sort);
        self.labels.insert(key.clone(), label);
        Ok(key)
    }
}

fn total_row(company: &CompanyId) -> Key {
    table::tablero_row(company, "total")
}

/// Whose factura it is that changed; none of everything else that the table holds.
fn company_of(change: &Change) -> Option<CompanyId> {
    let (company, _) = table::read_factura_partition(&change.pk)?;
    (change.sk == table::FACTURA).then_some(company)
}

fn read_factura(item: &Item) -> Result<Factura, Failure> {
    read_doc::<Expediente>(item).map(|expediente| expediente.factura)
}

fn label(whom: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(whom).doing("writing a label")
}

/// What a row sorts by; cut, so that what follows fits into the key too.
fn sorted_by(name: &str) -> String {
    cut(&folded(name), SORTED_BY).to_owned()
}

fn moved(key: &Key, column: &'static str, by: i64) -> Option<Delta> {
    (by != 0).then(|| Delta {
        key: key.clone(),
        column,
        by,
    })
}

/// The state of a figure; none of what is counted whatever the state.
const fn estado_of(casilla: &Casilla) -> Option<Estado> {
    match casilla {
        Casilla::Estado(estado)
        | Casilla::Responsable(_, estado)
        | Casilla::AccionPor(_, estado) => Some(*estado),
        Casilla::SinAsignar => None,
    }
}

/// The columns of a figure in a currency.
#[derive(Clone, Copy)]
struct Columnas {
    cantidad: &'static str,
    minor: &'static str,
}

macro_rules! columnas {
    ($figure:literal, $moneda:expr) => {
        match $moneda {
            Currency::Ars => columnas!(@ $figure, "ARS"),
            Currency::Cop => columnas!(@ $figure, "COP"),
            Currency::Usd => columnas!(@ $figure, "USD"),
            Currency::Eur => columnas!(@ $figure, "EUR"),
            Currency::Clp => columnas!(@ $figure, "CLP"),
        }
    };
    (@ $figure:literal, $moneda:literal) => {
        Columnas {
            cantidad: concat!($figure, "#", $moneda),
            minor: concat!($figure, "#", $moneda, "#minor"),
        }
    };
}

/// The columns of a state in a currency; without a state, those of the facturas for which nobody answers.
const fn columnas(estado: Option<Estado>, moneda: Currency) -> Columnas {
    match estado {
        Some(Estado::Pendiente) => columnas!("pendiente", moneda),
        Some(Estado::EnRevision) => columnas!("en_revision", moneda),
        Some(Estado::Aprobada) => columnas!("aprobada", moneda),
        Some(Estado::AprobadaAuto) => columnas!("aprobada_auto", moneda),
        Some(Estado::Rechazada) => columnas!("rechazada", moneda),
        None => columnas!("sin_asignar", moneda),
    }
}

/// The figures of a row.
#[derive(Clone, Debug, Default)]
pub struct Cifras(Item);

impl Cifras {
    /// A figure by its currency, without the currencies that have none. Without a state it is that of the facturas for which nobody answers.
    ///
    /// Two shards of the stream may bring a factura's later change first; what is below zero until the earlier one comes is left out.
    #[must_use]
    pub fn cuentas(&self, estado: Option<Estado>) -> BTreeMap<Currency, Cuenta> {
        let cuenta = |moneda| {
            let columnas = columnas(estado, moneda);
            let cantidad = number(&self.0, columnas.cantidad).filter(|count| *count > 0)?;
            let minor = number(&self.0, columnas.minor).unwrap_or_default();
            Some((moneda, Cuenta { cantidad, minor }))
        };
        Currency::ALL.into_iter().filter_map(cuenta).collect()
    }

    /// Mean hours that people took to decide.
    #[must_use]
    pub fn horas_promedio_decision(&self) -> Option<String> {
        let column = |name| number(&self.0, name).unwrap_or_default();
        horas_promedio_decision(column(RONDAS), column(MILISEGUNDOS))
    }
}

/// The row over all facturas.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn total(db: &Db, company: &CompanyId) -> Result<Cifras, Failure> {
    let item = db.get_item(&total_row(company)).await?;
    Ok(Cifras(item.unwrap_or_default()))
}

/// A page of the responsables and their figures, by username, and DynamoDB's own key to go on from.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn responsables(
    db: &Db,
    company: &CompanyId,
    start: Option<Item>,
    limit: u32,
) -> Result<(Vec<(Usuario, Cifras)>, Option<Item>), Failure> {
    rows(db, company, RESPONSABLES, start, limit).await
}

/// A page of those who acted last and their figures, by name, and DynamoDB's own key to go on from.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn acciones(
    db: &Db,
    company: &CompanyId,
    start: Option<Item>,
    limit: u32,
) -> Result<(Vec<(Persona, Cifras)>, Option<Item>), Failure> {
    rows(db, company, ACCIONES, start, limit).await
}

async fn rows<T: DeserializeOwned>(
    db: &Db,
    company: &CompanyId,
    prefix: &str,
    start: Option<Item>,
    limit: u32,
) -> Result<(Vec<(T, Cifras)>, Option<Item>), Failure> {
    let query = Query::partition(PAYABLES, table::tablero(company))
        .prefix(prefix)
        .limit(limit);
    let query = match start {
        Some(start) => query.start_after(start),
        None => query,
    };
    let page = db.query(&query).await?;
    let row = |item: Item| {
        let label = text(&item, LABEL)
            .ok_or_else(|| Failure::message("a row of the dashboard says nobody's name"))?;
        let whom = serde_json::from_str(label).doing("reading a label")?;
        Ok((whom, Cifras(item)))
    };
    let rows: Result<_, Failure> = page.items.into_iter().map(row).collect();
    Ok((rows?, page.last))
}

#[cfg(test)]
mod tests {
    use cierre_platform::counters::InMemory;
    use proptest::prelude::*;

    use super::*;
    use crate::entity::fixtures::*;
    use crate::repo::doc;

    #[test]
    fn columns_are_named_after_states_and_currencies() {
        for moneda in Currency::ALL {
            for estado in Estado::ALL {
                let columnas = columnas(Some(estado), moneda);
                assert_eq!(columnas.cantidad, format!("{estado}#{moneda}"));
                assert_eq!(columnas.minor, format!("{estado}#{moneda}#minor"));
            }
            assert_eq!(
                columnas(None, moneda).cantidad,
                format!("sin_asignar#{moneda}")
            );
        }
    }

    /// Everything that happens to a few facturas, one version after the other.
    fn lives() -> Vec<Vec<Expediente>> {
        let approved = |one: &Expediente, who, second| {
            let decided = one.decidir(&approve(), &caller(who, second));
            decided.unwrap().state
        };
        let with_id = |mut one: Expediente, n| {
            one.factura.id = factura_id(n);
            one
        };
        let first = with_id(small(), 1);
        let decided = approved(&first, JUAN, 7200);
        let reopened = decided.reabrir(WHY, &politica(), &stamp(ADMIN, 7300));
        let reopened = reopened.unwrap().state;
        let rejected = reopened.decidir(&reject(), &caller(LUIS, 9000)).unwrap();
        let second = with_id(large(), 2);
        let in_review = approved(&second, LUIS, 60);
        let done = approved(&in_review, JUAN, 120);
        let third = with_id(registered("1.00", None), 3);
        let assigned = third.factura.asignar(&user(MARIA), &stamp(ADMIN, 10));
        let assigned = Expediente {
            factura: assigned.unwrap().state,
            ..third.clone()
        };
        let deleted = Expediente {
            factura: assigned.factura.eliminar(&stamp(ADMIN, 20)).unwrap().state,
            ..third.clone()
        };
        vec![
            vec![first, decided, reopened, rejected.state],
            vec![second, in_review, done],
            vec![third, assigned, deleted],
        ]
    }

    fn change(old: Option<&Expediente>, new: &Expediente) -> Change {
        let image = |one: &Expediente| {
            let mut item = doc(one).unwrap();
            item.extend(table::factura(&company(), one.factura.id).attributes());
            item
        };
        Change::of(old.map(image), Some(image(new)), "1").unwrap()
    }

    fn changes() -> Vec<Change> {
        let lives = lives();
        let of_one = |life: &Vec<Expediente>| -> Vec<Change> {
            let before = std::iter::once(None).chain(life.iter().map(Some));
            before
                .zip(life)
                .map(|(old, new)| change(old, new))
                .collect()
        };
        lives.iter().flat_map(of_one).collect()
    }

    fn counted(board: &mut InMemory, changes: &[Change]) {
        let nothing = |_: &Key, _: &counters::Row, _: &counters::Row| Vec::new();
        board
            .apply(PAYABLES, &conteo(changes).records, nothing)
            .unwrap();
    }

    fn recount() -> InMemory {
        let mut board = InMemory::default();
        for life in &lives() {
            counted(&mut board, &[change(None, life.last().unwrap())]);
        }
        board
    }

    #[test]
    fn a_row_of_somebody_says_who_it_is() {
        let Conteo { records, labels } = conteo(&changes());
        let people = records.iter().flat_map(|record| &record.deltas);
        let people: Vec<&Key> = people.map(|delta| &delta.key).collect();
        for key in people.into_iter().filter(|key| key.sk != "total") {
            let label = &labels[key];
            if key.sk.starts_with(RESPONSABLES) {
                let usuario: Usuario = serde_json::from_str(label).unwrap();
                assert!(key.sk.ends_with(&usuario.id));
            } else {
                let persona: Persona = serde_json::from_str(label).unwrap();
                assert!(
                    key.sk
                        .starts_with(&format!("{ACCIONES}{}", folded(&persona.nombre)))
                );
            }
        }
    }

    #[test]
    fn what_is_no_factura_counts_nothing() {
        let other = Change::of(
            None,
            Some(table::ronda(&company(), factura_id(1), 1).attributes()),
            "1",
        );
        assert!(conteo(&[other.unwrap()]).records.is_empty());
    }

    #[test]
    fn the_longest_names_fit_into_a_key() {
        let usuario = Usuario::new(
            &"\u{10400}".repeat(128),
            &"s".repeat(36),
            Some(&"\u{10400}".repeat(255)),
        );
        let persona = usuario.persona();
        let mut conteo = Conteo::default();
        for casilla in [
            Casilla::Responsable(usuario, Estado::Pendiente),
            Casilla::AccionPor(persona, Estado::Pendiente),
        ] {
            assert!(conteo.row(&company(), &casilla).unwrap().sk.len() <= 1024);
        }
    }

    proptest! {
        /// Whatever the order in which the changes come, and however often: at rest the rows are those of the facturas as they are.
        #[test]
        fn every_delivery_comes_to_a_recount(
            order in Just(changes()).prop_shuffle(),
            again in prop::collection::vec(0_usize..10, 0..10),
            cut in 0_usize..10,
        ) {
            let mut board = InMemory::default();
            let (first, rest) = order.split_at(cut.min(order.len()));
            counted(&mut board, first);
            let repeated: Vec<Change> = again.iter().filter_map(|n| order.get(*n).cloned()).collect();
            counted(&mut board, &repeated);
            counted(&mut board, rest);
            counted(&mut board, &order);
            let expected = recount();
            prop_assert_eq!(board.rows(), expected.rows());
        }
    }
}
