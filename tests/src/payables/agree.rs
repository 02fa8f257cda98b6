//! Recomputes from outside what must hold of a company's facturas, whatever happened to them: that each says what its round says, and that every
//! place that tells of them tells the same.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::time::Instant;
use serde_json::{Map, Value, json};

use super::{AUTOMATIZACION, ESTADOS, FACTURAS, Factura, OLGA};
use crate::client::Client;
use crate::company::Company;
use crate::payroll::text;
use crate::wait::eventually;

const DASHBOARD: &str = "/facturas/dashboard";

/// What a factura must say about its round: every field that follows from it, as answers show them.
pub fn synchronised(workflow: &Value) -> Value {
    let decisions = workflow["decisiones"].as_array().expect("decisions");
    let last = decisions.last().cloned().unwrap_or(Value::Null);
    let person = |of: &Value, field: &str| [of[field].clone(), of[format!("{field}_id")].clone()];
    let nobody = [Value::Null, Value::Null];
    let represented = person(&last, "a_nombre_de");
    let (estado, accion_por, fecha_accion, a_nombre_de) = match workflow["estado"].as_str() {
        Some("en_revision") => (
            "en_revision",
            person(&last, "por"),
            &last["fecha"],
            represented,
        ),
        Some("aprobada_manual") => (
            "aprobada",
            person(workflow, "aprobada_por"),
            &workflow["fecha_aprobacion"],
            represented,
        ),
        Some("aprobada_auto") => (
            "aprobada_auto",
            [json!(AUTOMATIZACION), json!("sistema")],
            &workflow["fecha_aprobacion"],
            nobody.clone(),
        ),
        Some("rechazada") => (
            "rechazada",
            person(workflow, "rechazada_por"),
            &workflow["fecha_rechazo"],
            represented,
        ),
        Some("recibida") if workflow["ronda"] != 1 => (
            "pendiente",
            person(workflow, "reabierta_por"),
            &workflow["inicio"],
            nobody.clone(),
        ),
        _ => ("pendiente", nobody.clone(), &Value::Null, nobody.clone()),
    };
    let approved = estado == "aprobada" || estado == "aprobada_auto";
    let rejected = estado == "rechazada";
    let when = |holds: bool, value: Value| if holds { value } else { Value::Null };
    let [aprobado_por, aprobado_por_id] =
        person(workflow, "aprobada_por").map(|v| when(approved, v));
    let [rechazado_por, rechazado_por_id] =
        person(workflow, "rechazada_por").map(|v| when(rejected, v));
    let [accion_por, accion_por_id] = accion_por;
    let [a_nombre_de, a_nombre_de_id] = a_nombre_de;
    json!({
        "estado": estado,
        "accion_por": accion_por,
        "accion_por_id": accion_por_id,
        "fecha_accion": fecha_accion,
        "a_nombre_de": a_nombre_de,
        "a_nombre_de_id": a_nombre_de_id,
        "aprobado_por": aprobado_por,
        "aprobado_por_id": aprobado_por_id,
        "fecha_aprobacion": when(approved, workflow["fecha_aprobacion"].clone()),
        "rechazado_por": rechazado_por,
        "rechazado_por_id": rechazado_por_id,
        "fecha_rechazo": when(rejected, workflow["fecha_rechazo"].clone()),
        "motivo_rechazo": when(rejected, workflow["detalle_rechazo"].clone()),
    })
}

/// The facturas that `?accion_por=` finds, oldest first.
pub async fn accion_por_of(client: &Client, nombre: &str) -> Vec<String> {
    let query: String = nombre
        .bytes()
        .map(|byte| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    let found = client.list(&format!("{FACTURAS}?accion_por={query}")).await;
    let mut ids: Vec<String> = found.iter().map(|one| text(&one["id"])).collect();
    ids.sort();
    ids
}

/// Says the same as its round, its rounds, and its events; and never is decided by nobody.
async fn agrees(factura: &Factura) {
    let now = factura.now().await;
    let said: Map<String, Value> = synchronised(&now["workflow"])
        .as_object()
        .expect("fields")
        .clone();
    for (field, value) in &said {
        assert_eq!(now[field], *value, "{field} of {now:#}");
    }
    let decided = ["aprobada", "aprobada_auto", "rechazada"].contains(&&*text(&now["estado"]));
    assert!(
        !decided || now["accion_por"].is_string(),
        "decided by nobody: {now:#}"
    );
    let (rounds, events) = factura.historial().await;
    assert_eq!(
        rounds.last(),
        Some(&now["workflow"]),
        "the last round is the current one"
    );
    for (nth, round) in rounds.iter().enumerate() {
        assert_eq!(round["ronda"].as_u64(), Some(nth as u64 + 1), "{round}");
        legal(&now, round);
    }
    // An imported factura's state was not decided here.
    if now["origen"] != "historico" {
        let ronda = &now["workflow"]["ronda"];
        let shown = json!([now["estado"], now["accion_por"], now["responsable"], ronda]);
        assert_eq!(
            rebuild(&events),
            shown,
            "the events tell another story: {events:#?}"
        );
    }
    let made: usize = rounds
        .iter()
        .map(|round| round["decisiones"].as_array().map_or(0, Vec::len))
        .sum();
    let told = events
        .iter()
        .filter(|event| event["event_type"] == "resolve");
    assert_eq!(told.count(), made, "decisions and events of {}", factura.id);
}

/// A round has no more approvals than it needs, by people who are all different, none of whom registered the factura unless marked.
fn legal(factura: &Value, round: &Value) {
    let needed = round["aprobaciones_requeridas"].as_u64().expect("a number");
    let decisions = round["decisiones"].as_array().expect("decisions");
    let approvals: Vec<&Value> = decisions
        .iter()
        .filter(|one| one["accion"] == "aprobar")
        .collect();
    let given = approvals.len() as u64;
    let estado = text(&round["estado"]);
    let imported = factura["origen"] == "historico" && round["ronda"] == 1;
    match &*estado {
        "aprobada_manual" if !imported => assert_eq!(given, needed, "{round:#}"),
        "en_revision" => assert!((1..needed).contains(&given), "{round:#}"),
        "recibida" | "aprobada_auto" => assert_eq!(given, 0, "{round:#}"),
        "rechazada" => assert!(imported || given < needed, "{round:#}"),
        _ => assert!(imported, "{round:#}"),
    }
    let rejections = decisions
        .iter()
        .filter(|one| one["accion"] == "rechazar")
        .count();
    assert_eq!(
        rejections,
        usize::from(estado == "rechazada" && !imported),
        "{round:#}"
    );
    let mut people = BTreeSet::new();
    for approval in approvals {
        let behind = [&approval["por_id"], &approval["a_nombre_de_id"]];
        for person in behind.into_iter().filter(|person| !person.is_null()) {
            assert!(
                people.insert(person.to_string()),
                "{person} approved twice: {round:#}"
            );
            let registrar = *person == factura["registrada_por_id"];
            assert!(!registrar || approval["sod_excepcion"] == true, "{round:#}");
        }
    }
}

/// State, last actor, responsable and round, out of the events alone.
fn rebuild(events: &[Value]) -> Value {
    let mut now = json!([null, null, null, 0]);
    for event in events {
        let details = &event["details"];
        match event["action"].as_str().expect("an action") {
            "factura_registrada" => now = json!(["pendiente", null, details["responsable"], 1]),
            "responsable_asignado" => now[2] = details["responsable"].clone(),
            "factura_aprobada_parcial"
            | "factura_aprobada"
            | "factura_aprobada_auto"
            | "factura_rechazada" => {
                assert_eq!(now[0], details["estado_anterior"], "{event}");
                now[0] = details["estado_nuevo"].clone();
                now[1] = details["accion_por"].clone();
            }
            "factura_reabierta" => {
                assert_eq!(now[0], details["estado_anterior"], "{event}");
                now[0] = json!("pendiente");
                now[1] = json!(name_of(&text(&event["user"])));
                now[3] = details["ronda"].clone();
            }
            _ => {}
        }
    }
    now
}

/// The name of one of the people of these tests, by the username.
fn name_of(username: &str) -> &str {
    let word = username.split('-').next().unwrap_or(username);
    let person = super::ALL.iter().find(|who| who.word == word);
    person.map_or(username, |who| who.name)
}

/// How many, and the sums by currency in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cuenta {
    cantidad: i64,
    totales: BTreeMap<String, i128>,
}

impl Cuenta {
    fn add(&mut self, factura: &Value) {
        self.cantidad += 1;
        let currency = text(&factura["moneda"]);
        *self.totales.entry(currency).or_default() += minor(&factura["total"]);
    }

    fn read(value: &Value) -> Self {
        let totals = value["totales"].as_object().expect("totals").iter();
        Self {
            cantidad: value["cantidad"].as_i64().expect("a count"),
            totales: totals
                .map(|(currency, sum)| (currency.clone(), minor(sum)))
                .filter(|(_, sum)| *sum != 0)
                .collect(),
        }
    }
}

/// An amount in its smallest unit: answers write every amount with the scale of its currency.
fn minor(amount: &Value) -> i128 {
    let digits: String = text(amount).chars().filter(|c| *c != '.').collect();
    digits
        .parse()
        .unwrap_or_else(|_| panic!("not an amount: {amount}"))
}

type PorEstado = BTreeMap<String, Cuenta>;

/// The figures of a row, those that come to nothing left out.
fn read_row(row: &Value) -> PorEstado {
    let states = row["por_estado"].as_object().expect("states").iter();
    states
        .map(|(estado, cuenta)| (estado.clone(), Cuenta::read(cuenta)))
        .filter(|(_, cuenta)| *cuenta != Cuenta::default())
        .collect()
}

/// What the dashboard shows, in a form that can be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Figures {
    por_estado: PorEstado,
    sin_asignar: Cuenta,
    responsables: BTreeMap<String, PorEstado>,
    acciones: BTreeMap<String, PorEstado>,
    horas: Option<String>,
    mas_antigua: Option<String>,
}

impl Figures {
    /// Counted from the facturas themselves.
    fn recount(facturas: &[Value], rounds: &[Value]) -> Self {
        let mut all = Self::default();
        for factura in facturas {
            let estado = text(&factura["estado"]);
            all.por_estado
                .entry(estado.clone())
                .or_default()
                .add(factura);
            match factura["responsable_usuario"].as_str() {
                Some(usuario) => {
                    let row = all.responsables.entry(usuario.to_owned()).or_default();
                    row.entry(estado.clone()).or_default().add(factura);
                }
                None => all.sin_asignar.add(factura),
            }
            if let Some(nombre) = factura["accion_por"].as_str() {
                let row = all
                    .acciones
                    .entry(format!("{nombre} {}", factura["accion_por_id"]));
                row.or_default().entry(estado).or_default().add(factura);
            }
        }
        let undecided = facturas
            .iter()
            .filter(|one| one["estado"] == "pendiente" || one["estado"] == "en_revision");
        let oldest = undecided.min_by_key(|one| (text(&one["fecha_registro"]), text(&one["id"])));
        all.mas_antigua = oldest.map(|one| text(&one["id"]));
        all.horas = mean_hours(rounds);
        all
    }

    /// As the dashboard shows them.
    async fn read(client: &Client) -> Self {
        let board = client.get(DASHBOARD).await.expect(200);
        let states = board["por_estado"].as_object().expect("states");
        let mut shown: Vec<&str> = states.keys().map(String::as_str).collect();
        let mut known = ESTADOS.to_vec();
        shown.sort_unstable();
        known.sort_unstable();
        assert_eq!(shown, known, "every state is always there");
        let rows = async |list: &str, key: fn(&Value) -> String| {
            let rows = client.list(&format!("{DASHBOARD}/{list}")).await;
            let read = rows.iter().map(|row| (key(row), read_row(row)));
            read.filter(|(_, row)| !row.is_empty()).collect()
        };
        Self {
            por_estado: read_row(&board),
            sin_asignar: Cuenta::read(&board["sin_asignar"]),
            responsables: rows("responsables", |row| text(&row["responsable_usuario"])).await,
            acciones: rows("acciones", |row| {
                format!("{} {}", text(&row["accion_por"]), row["accion_por_id"])
            })
            .await,
            horas: board["horas_promedio_decision"].as_str().map(str::to_owned),
            mas_antigua: board["mas_antigua_pendiente"]["id"]
                .as_str()
                .map(str::to_owned),
        }
    }
}

/// Mean hours of the rounds that people ended here, rounded half-up to two decimals.
fn mean_hours(rounds: &[Value]) -> Option<String> {
    let ends = rounds.iter().filter_map(|round| {
        let decisions = round["decisiones"].as_array().expect("decisions");
        let end = match round["estado"].as_str() {
            Some("aprobada_manual") => &round["fecha_aprobacion"],
            Some("rechazada") => &round["fecha_rechazo"],
            _ => return None,
        };
        // An imported decision was not taken here.
        let instant = |value: &Value| Instant::parse(&text(value)).unwrap();
        (!decisions.is_empty()).then(|| instant(end).millis_since(instant(&round["inicio"])))
    });
    let ends: Vec<i64> = ends.collect();
    let count = i64::try_from(ends.len()).unwrap();
    if count == 0 {
        return None;
    }
    let hour = 3_600_000 * count;
    let hundredths = (2 * 100 * ends.iter().sum::<i64>() + hour) / (2 * hour);
    Some(format!("{}.{:02}", hundredths / 100, hundredths % 100))
}

impl Company {
    /// Checks all of it, when nothing is being decided: every factura against its round, its events and its chain, the list against the single
    /// answers, `?accion_por=` against both, and the dashboard against a recount. Answers the facturas.
    ///
    /// An imported factura of which nobody knows who approved it is for the caller: it is to be repaired first.
    pub async fn payables_agree(&self) -> Vec<Value> {
        let auditor = self.person(OLGA).await;
        let facturas = eventually("the list follows", || async {
            let listed = auditor.list(FACTURAS).await;
            for one in &listed {
                let now = auditor
                    .get(&format!("{FACTURAS}/{}", text(&one["id"])))
                    .await;
                let now = now.expect(200);
                for field in [
                    "estado",
                    "accion_por",
                    "accion_por_id",
                    "responsable",
                    "a_nombre_de",
                ] {
                    if now[field] != one[field] {
                        return None;
                    }
                }
            }
            Some(listed)
        })
        .await;
        let mut rounds = Vec::new();
        for one in &facturas {
            let factura = self.factura(&text(&one["id"]));
            agrees(&factura).await;
            factura.verify().await;
            rounds.extend(factura.historial().await.0);
        }
        let mut by_actor: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for one in &facturas {
            if let Some(nombre) = one["accion_por"].as_str() {
                by_actor
                    .entry(nombre.to_owned())
                    .or_default()
                    .push(text(&one["id"]));
            }
        }
        for (nombre, mut ids) in by_actor {
            ids.sort();
            eventually(&format!("?accion_por={nombre} finds {ids:?}"), || async {
                (accion_por_of(&auditor, &nombre).await == ids).then_some(())
            })
            .await;
        }
        let expected = Figures::recount(&facturas, &rounds);
        eventually(
            &format!("the dashboard is this recount: {expected:#?}"),
            || async { (Figures::read(&auditor).await == expected).then_some(()) },
        )
        .await;
        facturas
    }
}
