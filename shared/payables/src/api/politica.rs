//! How the company approves.

use std::collections::BTreeMap;

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::event::ChainHead;
use cierre_kernel::money::Currency;
use cierre_kernel::problem::Problem;
use cierre_platform::command::{Planned, run};
use cierre_platform::db::{Condition, Db, Item, Tx, text as attribute};
use cierre_platform::error::Doing;
use cierre_platform::http::{
    Answer, Body, Caller, Fields, IfMatch, Query, Routes, Rule, allow, any_amount, boolean,
    integer, list, map, not_found, object, text,
};
use cierre_platform::{Failure, Result, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ANY_LENGTH, Api};
use crate::entity::Change;
use crate::entity::politica::{AutomaticaNueva, BandaNueva, Politica, PoliticaNueva, Recordatorio};
use crate::repo::{self, HEAD, chain, doc, guarded, read_doc, stamp};
use crate::roles::{ADMINISTER, READ};
use crate::table;

/// Bands of a currency at most: every version of the policy is one item, and so is the event that shows two of them.
const MAX_BANDAS: usize = 100;
/// Origins for which there may be approval by rule.
const MAX_ORIGENES: usize = 3;

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default()
        .route(
            allow(READ)
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_politica)),
        )
        .route(
            allow(ADMINISTER)
                .refuses(&[codes::CONCURRENT_CHANGE])
                .invalid(&[
                    codes::BANDAS_INVALIDAS,
                    codes::VALOR_NO_ADMITIDO,
                    codes::INVALID_AMOUNT,
                    codes::INVALID_DATE,
                    codes::INVALID_FORMAT,
                    codes::NIT_FORMATO,
                    codes::NIT_DIGITO_INVALIDO,
                    codes::TOO_MANY_ITEMS,
                ])
                .versioned()
                .on(route!(put_politica)),
        )
}

/// Totals up to a limit, and the approvals that they need.
#[derive(Debug, Serialize, ToSchema)]
struct BandaBody {
    /// The highest total of the band; null in the last one.
    #[schema(required = true, example = "5000000.00")]
    hasta: Option<String>,
    #[schema(minimum = 1, maximum = 5)]
    aprobaciones: u32,
}

/// Approval by rule.
#[derive(Debug, Serialize, ToSchema)]
struct AutomaticaBody {
    activa: bool,
    /// 0 to 100, at most two decimals.
    #[schema(example = "5")]
    tolerancia_pct: String,
    #[schema(minimum = 1, maximum = 12)]
    historial_minimo: u32,
    /// By currency; one without a limit is never approved by rule.
    #[schema(value_type = Object, example = json!({ "COP": "3000000.00" }))]
    total_maximo: BTreeMap<String, String>,
    #[schema(maximum = 366)]
    dias_minimos: u32,
    /// Of `json`, `lote`, `xml`.
    #[schema(max_items = 3, example = json!(["xml"]))]
    origenes: Vec<String>,
}

/// When people are told that a round waits.
#[derive(Debug, Serialize, ToSchema)]
struct RecordatorioBody {
    /// Business days until the responsable is reminded.
    #[schema(maximum = 60)]
    dias_habiles: u32,
    /// Business days until the supervisors are told; more than the others.
    #[schema(maximum = 60)]
    escalar_dias_habiles: u32,
}

/// A whole policy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "bandas": { "COP": [{ "hasta": "5000000.00", "aprobaciones": 1 }, { "hasta": null, "aprobaciones": 2 }] },
    "automatica": { "activa": true, "tolerancia_pct": "5", "historial_minimo": 1, "total_maximo": { "COP": "3000000.00" },
        "dias_minimos": 20, "origenes": ["xml"] },
    "permitir_autoaprobacion": false, "nit_empresa": null, "recordatorio": { "dias_habiles": 3, "escalar_dias_habiles": 5 },
    "festivos_extra": []
}))]
struct PoliticaBody {
    /// By currency, ascending; the last band of each is without limit.
    #[schema(value_type = Object)]
    bandas: BTreeMap<String, Vec<BandaBody>>,
    automatica: AutomaticaBody,
    /// Whether the registrar of a factura may decide on it.
    permitir_autoaprobacion: bool,
    /// When set, an electronic invoice to another NIT is refused.
    #[schema(example = "900123456-8")]
    nit_empresa: Option<String>,
    recordatorio: RecordatorioBody,
    /// Days of its own without work, beside the holidays.
    #[schema(max_items = 100, example = json!(["2026-12-24"]))]
    festivos_extra: Vec<String>,
}

/// A version of the policy.
#[derive(Debug, Serialize, ToSchema)]
struct PoliticaView {
    /// 0 of the default that holds until somebody sets one.
    version: u64,
    #[serde(flatten)]
    politica: PoliticaBody,
}

/// The policy
///
/// The one in force, or an older version.
#[utoipa::path(get, path = "/facturas/politica", tag = "Payables: settings",
    params(("version" = Option<u64>, Query, description = "A version; the one in force without it")),
    responses((status = 200, description = "The policy", body = PoliticaView)))]
async fn get_politica(State(db): State<Db>, caller: Caller, query: Query) -> Result<Answer> {
    let version = query.decode(|fields| {
        fields.optional(
            "version",
            integer(0..=i64::MAX).try_map(|version| u64::try_from(version).ok()),
        )
    })?;
    let company = &caller.context.company;
    let politica = match version {
        None => repo::politica(&db, company).await?,
        Some(0) => Politica::default(),
        Some(version) => {
            let key = table::politica_version(company, version);
            read_doc(&db.get_item(&key).await?.ok_or_else(not_found)?)?
        }
    };
    Ok(Answer::ok(&politica)?.versioned(politica.version))
}

/// Set the policy
///
/// The whole of it, as a new version. Rounds that run keep the version under which they began.
#[utoipa::path(put, path = "/facturas/politica", tag = "Payables: settings", request_body = PoliticaBody,
    responses((status = 200, description = "The policy", body = PoliticaView)))]
async fn put_politica(
    State(db): State<Db>,
    caller: Caller,
    if_match: IfMatch,
    body: Body,
) -> Result<Answer> {
    let nueva = body.decode(read_politica)?;
    let context = &caller.context;
    let company = &context.company;
    let key = table::politica(company);
    run(&db, context, None, std::slice::from_ref(&key), |loaded| {
        let before = repo::loaded_politica(loaded, company)?;
        if_match.check(Some(before.version))?;
        let change = before.replace(&nueva, &stamp(context));
        let Change { state, events } = change.map_err(Problem::from)?;
        let known = loaded.item(&key).map(read_head).transpose()?;
        let unmoved = repo::unmoved(known.as_ref().map(|head| (before.version, head)));
        let mut head = known.unwrap_or_default();
        let mut tx = Tx::new();
        chain(&mut tx, context, &events, &mut head)?;
        let item = doc(&state)?;
        let kept = table::politica_version(company, state.version);
        tx.put_item(kept, item.clone(), Condition::absent());
        tx.put_item(key.clone(), guarded(item, state.version, &head), unmoved);
        let answer = Answer::ok(&state)?.versioned(state.version);
        Ok(Planned { tx, answer })
    })
    .await
}

/// The head of the policy's chain, which is no part of the policy.
fn read_head(item: &Item) -> Result<ChainHead, Failure> {
    let head = attribute(item, HEAD).unwrap_or_default();
    head.parse().doing("reading the head of the policy's chain")
}

/// How many of something: what is too many is the policy's matter.
fn count() -> impl Rule<Output = u32> {
    integer(0..=i64::from(u32::MAX)).try_map(|count| u32::try_from(count).ok())
}

/// Text of any length: what it has to be is the policy's matter.
fn word() -> impl Rule<Output = String> {
    text(ANY_LENGTH)
}

fn read_politica(fields: &mut Fields<'_>) -> Option<PoliticaNueva> {
    let bandas = list(object(read_banda), 0..=MAX_BANDAS);
    let bandas = fields.required("bandas", map(bandas, Currency::ALL.len()));
    let automatica = fields.required("automatica", object(read_automatica));
    let permitir_autoaprobacion = fields.required("permitir_autoaprobacion", boolean());
    let nit_empresa = fields.optional("nit_empresa", word());
    let recordatorio = fields.required("recordatorio", object(read_recordatorio));
    let festivos_extra = fields.required("festivos_extra", list(word(), ANY_LENGTH));
    Some(PoliticaNueva {
        bandas: bandas?,
        automatica: automatica?,
        permitir_autoaprobacion: permitir_autoaprobacion?,
        nit_empresa: nit_empresa?,
        recordatorio: recordatorio?,
        festivos_extra: festivos_extra?,
    })
}

fn read_banda(fields: &mut Fields<'_>) -> Option<BandaNueva> {
    let hasta = fields.optional("hasta", any_amount());
    let aprobaciones = fields.required("aprobaciones", count());
    Some(BandaNueva {
        hasta: hasta?,
        aprobaciones: aprobaciones?,
    })
}

fn read_automatica(fields: &mut Fields<'_>) -> Option<AutomaticaNueva> {
    let activa = fields.required("activa", boolean());
    let tolerancia_pct = fields.required("tolerancia_pct", word());
    let historial_minimo = fields.required("historial_minimo", count());
    let total_maximo = fields.required("total_maximo", map(any_amount(), Currency::ALL.len()));
    let dias_minimos = fields.required("dias_minimos", count());
    let origenes = fields.required("origenes", list(word(), 0..=MAX_ORIGENES));
    Some(AutomaticaNueva {
        activa: activa?,
        tolerancia_pct: tolerancia_pct?,
        historial_minimo: historial_minimo?,
        total_maximo: total_maximo?,
        dias_minimos: dias_minimos?,
        origenes: origenes?,
    })
}

fn read_recordatorio(fields: &mut Fields<'_>) -> Option<Recordatorio> {
    let dias_habiles = fields.required("dias_habiles", count());
    let escalar_dias_habiles = fields.required("escalar_dias_habiles", count());
    Some(Recordatorio {
        dias_habiles: dias_habiles?,
        escalar_dias_habiles: escalar_dias_habiles?,
    })
}

#[cfg(test)]
mod tests {
    use cierre_platform::Error;
    use cierre_platform::http::decode;
    use serde_json::{Value, json};

    use super::*;

    fn body(change: impl FnOnce(&mut Value)) -> Value {
        // As a client sends it: the digits of numbers are kept.
        let text = r#"{
            "bandas": { "COP": [{ "hasta": 5000000.00, "aprobaciones": 1 }, { "hasta": null, "aprobaciones": 2 }] },
            "automatica": { "activa": true, "tolerancia_pct": "5", "historial_minimo": 1, "total_maximo": { "COP": "3000000.00" },
                "dias_minimos": 20, "origenes": ["xml"] },
            "permitir_autoaprobacion": false, "nit_empresa": null,
            "recordatorio": { "dias_habiles": 3, "escalar_dias_habiles": 5 }, "festivos_extra": ["2026-12-24"]
        }"#;
        let mut body = serde_json::from_str(text).unwrap();
        change(&mut body);
        body
    }

    #[test]
    fn an_answer_without_its_version_is_a_body() {
        let nueva = decode(&body(|_| ()), read_politica).unwrap();
        let politica = Politica::judge(1, &nueva).unwrap();
        let mut answer = serde_json::to_value(&politica).unwrap();
        assert_eq!(answer["bandas"]["COP"][0]["hasta"], "5000000.00");
        answer.as_object_mut().unwrap().remove("version");
        let again = decode(&answer, read_politica).unwrap();
        assert_eq!(Politica::judge(1, &again).unwrap(), politica);
    }

    #[test]
    fn what_has_not_the_form_is_refused_where_it_stands() {
        for (change, pointer, code) in [
            (json!({ "version": 3 }), "/version", "unknown_field"),
            (json!({ "bandas": null }), "/bandas", "required"),
            (
                json!({ "bandas": { "COP": [{ "hasta": true, "aprobaciones": 1 }] } }),
                "/bandas/COP/0/hasta",
                "invalid_type",
            ),
            (
                json!({ "recordatorio": { "dias_habiles": -1, "escalar_dias_habiles": 5 } }),
                "/recordatorio/dias_habiles",
                "out_of_range",
            ),
            (
                json!({ "bandas": { "a": [], "b": [], "c": [], "d": [], "e": [], "f": [] } }),
                "/bandas",
                "too_many_items",
            ),
        ] {
            let wrong = body(|body| {
                let members = change.as_object().unwrap().clone();
                body.as_object_mut().unwrap().extend(members);
            });
            let Err(Error::Refused(problem)) = decode(&wrong, read_politica) else {
                panic!("{wrong} was read")
            };
            let found: Vec<_> = problem
                .errors
                .iter()
                .map(|error| (error.pointer.as_str(), error.code.as_str()))
                .collect();
            assert_eq!(found, [(pointer, code)]);
        }
    }
}
