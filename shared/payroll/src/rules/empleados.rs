//! The employees of a closing, seen through its files in force.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::time::Date;
use serde::{Deserialize, Serialize};

use super::movimiento::Movimiento;
use crate::kind::Kind;
use crate::lre::{Code, wire_text};
use crate::registro::{Field, Registro, Value};
use crate::rut::Rut;

/// An employee as the files show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empleado {
    /// Who.
    pub rut: Rut,
    /// Name.
    pub nombre: Option<String>,
    /// Post.
    pub cargo: Option<String>,
    /// When the contract began.
    pub fecha_inicio_contrato: Option<Date>,
    /// When the contract ended.
    pub fecha_termino: Option<Date>,
    /// Why it ended, a code of column 1104.
    pub causal: Option<String>,
    /// Pension fund, a code of column 1141.
    pub afp: Option<String>,
    /// Health insurance, a code of column 1143.
    pub salud: Option<String>,
    /// The kinds of files that know them.
    pub origen: BTreeSet<Kind>,
}

/// What a row of novedades did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consolidado {
    /// No other file knew the employee.
    Creado,
    /// A creation cell tells something about an employee whom other files know.
    Actualizado,
    /// No creation cell tells anything.
    SinCambio,
}

/// Puts the employees together; holds one of them per RUT, about 400 bytes each, and no row.
///
/// Files may come in any order: who wins is a matter of kinds, and among rows of one kind of the row's number. Only [`Empleados::row`]'s answer for
/// novedades depends on what came before.
#[derive(Clone, Debug, Default)]
pub struct Empleados(BTreeMap<Rut, Facts>);

/// What is known, each with where it is from.
#[derive(Clone, Debug, Default)]
struct Facts {
    nombre: Fact<Box<str>>,
    nombres: Fact<Box<str>>,
    apellido_paterno: Fact<Box<str>>,
    apellido_materno: Fact<Box<str>>,
    cargo: Fact<Box<str>>,
    inicio: Fact<Date>,
    termino: Fact<Date>,
    causal: Fact<Box<str>>,
    afp: Fact<Box<str>>,
    salud: Fact<Box<str>>,
    origen: BTreeSet<Kind>,
}

/// A value and its rank, the least of which wins.
#[derive(Clone, Debug)]
struct Fact<T>(Option<((u8, u32), T)>);

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Fact<T> {
    /// An empty cell tells nothing, so it never erases.
    fn tell(&mut self, rank: (u8, u32), value: Option<T>) {
        let better = self.0.as_ref().is_none_or(|(known, _)| rank < *known);
        if let (Some(value), true) = (value, better) {
            self.0 = Some((rank, value));
        }
    }

    const fn get(&self) -> Option<&T> {
        match &self.0 {
            Some((_, value)) => Some(value),
            None => None,
        }
    }
}

/// Whose word counts. The book has no name and no post, so it can come first: it wins on what has a code, and novedades on the rest.
const fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::LibroRemuneraciones => 0,
        Kind::Novedades => 1,
        Kind::Ingresos => 2,
        Kind::Finiquitos => 3,
        Kind::MovimientosMes => 4,
        Kind::Ausentismos => 5,
        Kind::IncidenciasExternas => 6,
    }
}

/// Whether a field of a row tells something about the employee. A row without the others is all that [`Empleados::row`] reads.
pub fn describes(kind: Kind, field: Field) -> bool {
    match field {
        Field::Lre(code) => {
            kind == Kind::LibroRemuneraciones
                && [
                    Code::FECHA_INICIO,
                    Code::FECHA_TERMINO,
                    Code::CAUSAL,
                    Code::AFP,
                    Code::SALUD,
                ]
                .contains(&code)
        }
        Field::Named(_) => true,
    }
}

impl Empleados {
    /// A row of a file in force. For novedades the answer tells what the row did to what the other files know: these come first.
    pub fn row(&mut self, kind: Kind, row: &Registro) -> Consolidado {
        let known = self.0.contains_key(&row.rut);
        let facts = self.0.entry(row.rut).or_default();
        facts.origen.insert(kind);
        facts.read(kind, row);
        let mut told = row.values.iter().map(|(field, _)| *field);
        let tells = told.any(|field| describes(kind, field) && field != Field::Named("rut"));
        match (known, tells) {
            (false, _) => Consolidado::Creado,
            (true, true) => Consolidado::Actualizado,
            (true, false) => Consolidado::SinCambio,
        }
    }

    /// An employee.
    pub fn get(&self, rut: Rut) -> Option<Empleado> {
        self.0.get(&rut).map(|facts| facts.view(rut))
    }

    /// Every employee, in the order of their RUTs.
    pub fn iter(&self) -> impl Iterator<Item = Empleado> {
        self.0.iter().map(|(rut, facts)| facts.view(*rut))
    }

    /// How many employees there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many employees a kind of file knows.
    pub fn known_to(&self, kind: Kind) -> usize {
        let known = self.0.values();
        known.filter(|facts| facts.origen.contains(&kind)).count()
    }
}

impl Facts {
    fn read(&mut self, kind: Kind, row: &Registro) {
        let rank = (rank(kind), row.row);
        let cell = |field| {
            row.value(field)
                .map(|value| wire_text(value).into_boxed_str())
        };
        let named = |name| cell(Field::Named(name));
        let code = |code| cell(Field::Lre(code));
        let day = |field| row.value(field).and_then(date);
        let named_day = |name| day(Field::Named(name));
        match kind {
            Kind::LibroRemuneraciones => {
                self.inicio.tell(rank, day(Field::Lre(Code::FECHA_INICIO)));
                self.termino
                    .tell(rank, day(Field::Lre(Code::FECHA_TERMINO)));
                self.causal.tell(rank, code(Code::CAUSAL));
                self.afp.tell(rank, code(Code::AFP));
                self.salud.tell(rank, code(Code::SALUD));
            }
            Kind::Novedades => {
                self.nombres.tell(rank, named("nombres"));
                self.apellido_paterno.tell(rank, named("apellido_paterno"));
                self.apellido_materno.tell(rank, named("apellido_materno"));
                self.cargo.tell(rank, named("cargo"));
                self.inicio.tell(rank, named_day("fecha_ingreso"));
                self.afp.tell(rank, named("afp"));
                self.salud.tell(rank, named("salud"));
            }
            Kind::Ingresos => {
                self.nombre.tell(rank, named("nombre"));
                self.cargo.tell(rank, named("cargo"));
                self.inicio.tell(rank, named_day("fecha_ingreso"));
                self.afp.tell(rank, named("afp"));
                self.salud.tell(rank, named("salud"));
            }
            Kind::Finiquitos => {
                self.nombre.tell(rank, named("nombre"));
                self.termino.tell(rank, named_day("fecha_termino"));
                self.causal.tell(rank, named("causal_termino"));
            }
            Kind::MovimientosMes => {
                self.nombre.tell(rank, named("nombre"));
                self.cargo.tell(rank, named("cargo"));
                match Movimiento::of(row) {
                    Movimiento::Alta => self.inicio.tell(rank, named_day("fecha")),
                    Movimiento::Baja => {
                        self.termino.tell(rank, named_day("fecha"));
                        self.causal.tell(rank, named("causal_termino"));
                    }
                    Movimiento::Ausencia | Movimiento::Vacacion => {}
                }
            }
            Kind::Ausentismos | Kind::IncidenciasExternas => {
                self.nombre.tell(rank, named("nombre"));
            }
        }
    }

    fn view(&self, rut: Rut) -> Empleado {
        let text = |fact: &Fact<Box<str>>| fact.get().map(|text| text.to_string());
        Empleado {
            rut,
            nombre: self.name(),
            cargo: text(&self.cargo),
            fecha_inicio_contrato: self.inicio.get().copied(),
            fecha_termino: self.termino.get().copied(),
            causal: text(&self.causal),
            afp: text(&self.afp),
            salud: text(&self.salud),
            origen: self.origen.clone(),
        }
    }

    /// Novedades has the name in parts. With given name and surname it is a name; with less, another file's whole name tells more.
    fn name(&self) -> Option<String> {
        let parts: Vec<&str> = [
            &self.nombres,
            &self.apellido_paterno,
            &self.apellido_materno,
        ]
        .into_iter()
        .filter_map(|part| part.get().map(AsRef::as_ref))
        .collect();
        let complete = self.nombres.get().is_some() && self.apellido_paterno.get().is_some();
        match self.nombre.get() {
            Some(whole) if !complete => Some(whole.to_string()),
            Some(_) | None => (!parts.is_empty()).then(|| parts.join(" ")),
        }
    }
}

fn date(value: &Value) -> Option<Date> {
    match value {
        Value::Date(day) => Some(*day),
        Value::Amount(_) | Value::Hundredths(_) | Value::Rut(_) | Value::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lre::testing::{employee, golden, named, rut};

    const PERSON: &str = "12345678-5";

    fn day(text: &str) -> Option<Date> {
        cierre_kernel::time::parse_date(text).ok()
    }

    #[test]
    fn the_book_wins_on_what_has_a_code_and_novedades_on_the_rest() {
        let mut people = Empleados::default();
        people.row(
            Kind::Ingresos,
            &named(
                PERSON,
                2,
                &[
                    ("nombre", "J. Pérez"),
                    ("cargo", "Ayudante"),
                    ("afp", "6"),
                    ("fecha_ingreso", "2015-01-01"),
                ],
            ),
        );
        people.row(
            Kind::Novedades,
            &named(
                PERSON,
                2,
                &[
                    ("nombres", "Juan"),
                    ("apellido_paterno", "Pérez"),
                    ("apellido_materno", "Soto"),
                    ("cargo", "Jefe"),
                    ("afp", "11"),
                    ("salud", "102"),
                    ("fecha_ingreso", "2015-02-01"),
                ],
            ),
        );
        people.row(Kind::LibroRemuneraciones, &golden()[0]);
        let person = people.get(rut(PERSON)).unwrap();
        let wanted = Empleado {
            rut: rut(PERSON),
            nombre: Some("Juan Pérez Soto".to_owned()),
            cargo: Some("Jefe".to_owned()),
            fecha_inicio_contrato: day("2015-03-01"),
            fecha_termino: None,
            causal: None,
            afp: Some("31".to_owned()),
            salud: Some("9".to_owned()),
            origen: BTreeSet::from([Kind::LibroRemuneraciones, Kind::Ingresos, Kind::Novedades]),
        };
        assert_eq!(person, wanted);
        let json = serde_json::to_value(&person).unwrap();
        assert_eq!(json["fecha_inicio_contrato"], "2015-03-01");
        assert_eq!(json["rut"], PERSON);
    }

    #[test]
    fn an_empty_cell_never_erases() {
        let mut people = Empleados::default();
        people.row(
            Kind::Ingresos,
            &named(PERSON, 2, &[("nombre", "Juan Pérez"), ("cargo", "Jefe")]),
        );
        let before = people.get(rut(PERSON)).unwrap();
        let empty = named(PERSON, 2, &[]);
        assert_eq!(people.row(Kind::Novedades, &empty), Consolidado::SinCambio);
        let after = people.get(rut(PERSON)).unwrap();
        assert_eq!((after.nombre, after.cargo), (before.nombre, before.cargo));
        let half = named(PERSON, 2, &[("apellido_paterno", "Pérez")]);
        assert_eq!(people.row(Kind::Novedades, &half), Consolidado::Actualizado);
        let whole = people.get(rut(PERSON)).unwrap().nombre;
        assert_eq!(whole.as_deref(), Some("Juan Pérez"));
        let post = named(PERSON, 2, &[("cargo", "Gerente")]);
        assert_eq!(people.row(Kind::Novedades, &post), Consolidado::Actualizado);
        let stranger = named("11111111-1", 3, &[("nombres", "Ana")]);
        assert_eq!(people.row(Kind::Novedades, &stranger), Consolidado::Creado);
        assert_eq!(
            people.get(rut("11111111-1")).unwrap().nombre.as_deref(),
            Some("Ana")
        );
    }

    #[test]
    fn movements_tell_beginning_and_end() {
        let mut people = Empleados::default();
        people.row(
            Kind::MovimientosMes,
            &named(PERSON, 2, &[("tipo", "ALTA"), ("fecha", "2025-10-01")]),
        );
        people.row(
            Kind::MovimientosMes,
            &named(
                PERSON,
                3,
                &[
                    ("tipo", "BAJA"),
                    ("fecha", "2025-10-15"),
                    ("causal_termino", "4"),
                ],
            ),
        );
        people.row(
            Kind::MovimientosMes,
            &named(
                PERSON,
                2,
                &[("tipo", "OTRO"), ("fecha_inicio", "2025-10-03")],
            ),
        );
        let person = people.get(rut(PERSON)).unwrap();
        assert_eq!(person.fecha_inicio_contrato, day("2025-10-01"));
        assert_eq!(person.fecha_termino, day("2025-10-15"));
        assert_eq!(person.causal.as_deref(), Some("4"));
        people.row(
            Kind::Finiquitos,
            &named(
                PERSON,
                2,
                &[("fecha_termino", "2025-10-14"), ("causal_termino", "5")],
            ),
        );
        let person = people.get(rut(PERSON)).unwrap();
        assert_eq!(
            (person.fecha_termino, person.causal.as_deref()),
            (day("2025-10-14"), Some("5"))
        );
    }

    #[test]
    fn employees_are_counted_once() {
        let mut people = Empleados::default();
        assert!(people.is_empty());
        for row in golden() {
            people.row(Kind::LibroRemuneraciones, &row);
        }
        people.row(Kind::LibroRemuneraciones, &employee(PERSON, 9));
        people.row(Kind::Novedades, &named("11111111-1", 2, &[]));
        assert_eq!(people.len(), 4);
        assert_eq!(people.known_to(Kind::LibroRemuneraciones), 3);
        assert_eq!(people.known_to(Kind::Novedades), 1);
        assert_eq!(people.iter().count(), 4);
    }

    /// Rows of any kind: who, what stands in every cell, and at which row.
    fn rows() -> impl Strategy<Value = Vec<((Kind, usize, String), u32)>> {
        let cells = (prop::sample::select(&Kind::ALL), 0_usize..3, "[ab]{0,2}");
        prop::collection::vec(cells, 0..8).prop_map(|rows| rows.into_iter().zip(2..).collect())
    }

    proptest! {
        #[test]
        fn the_order_of_files_and_rows_is_no_matter(
            (told, shuffled) in rows().prop_flat_map(|told| (Just(told.clone()), Just(told).prop_shuffle())),
        ) {
            let view = |told: &[((Kind, usize, String), u32)]| {
                let mut people = Empleados::default();
                for ((kind, who, text), at) in told {
                    let person = ["17317684-8", "11111111-1", "12345678-5"][*who];
                    let cells = [("nombre", text.as_str()), ("nombres", text), ("apellido_paterno", text), ("cargo", text)];
                    let cells = if text.is_empty() { &cells[..0] } else { &cells[..] };
                    people.row(*kind, &named(person, *at, cells));
                }
                people.iter().collect::<Vec<_>>()
            };
            prop_assert_eq!(view(&told), view(&shuffled));
        }
    }
}
