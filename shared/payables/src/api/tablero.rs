//! The dashboard: figures that follow the facturas within seconds, and what waits longest.

use std::collections::BTreeMap;

use axum::extract::State;
use cierre_kernel::company::CompanyId;
use cierre_kernel::money::{Currency, Money};
use cierre_kernel::page::Limit;
use cierre_kernel::time::Instant;
use cierre_platform::company;
use cierre_platform::db::{Db, Item, Query as Partition};
use cierre_platform::http::{
    Answer, Caller, CursorScope, Cursors, PageParameters, Paging, Query, Routes, allow,
};
use cierre_platform::listing::{self, Listed, Order, Rows};
use cierre_platform::{Context, Failure, Result, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use crate::calendario::dias_habiles;
use crate::contadores::{self, Cifras};
use crate::entity::factura::{Expediente, Factura};
use crate::persona::{Persona, Usuario};
use crate::repo::{self, read_doc};
use crate::roles::READ;
use crate::rules::sincronizacion::Estado;
use crate::rules::tablero::Cuenta;
use crate::table::{self, PAYABLES, WAITING_SORT};

/// Where the responsables are; their pages are bound to it.
const RESPONSABLES: &str = "/facturas/dashboard/responsables";
/// Where those are who acted last; their pages are bound to it.
const ACCIONES: &str = "/facturas/dashboard/acciones";

pub(super) fn router<R: Routes<Api>>() -> R {
    let reads = allow(READ);
    R::default()
        .route(reads.on(route!(get_dashboard)))
        .route(reads.on(route!(get_dashboard_responsables)))
        .route(reads.on(route!(get_dashboard_acciones)))
}

/// How many facturas, and what they come to in each currency.
#[derive(Debug, Serialize, ToSchema)]
struct CuentaView {
    #[schema(example = 4)]
    cantidad: i64,
    #[schema(value_type = BTreeMap<String, String>, example = json!({ "COP": "9200000.00", "USD": "310.00" }))]
    totales: BTreeMap<&'static str, Money>,
}

impl CuentaView {
    fn of(cuentas: &BTreeMap<Currency, Cuenta>) -> Self {
        let total = |(moneda, cuenta): (&Currency, &Cuenta)| {
            (moneda.code(), Money::from_minor(cuenta.minor, *moneda))
        };
        Self {
            cantidad: cuentas.values().map(|cuenta| cuenta.cantidad).sum(),
            totales: cuentas.iter().map(total).collect(),
        }
    }
}

/// Figures by state.
type PorEstado = BTreeMap<&'static str, CuentaView>;

/// Every state.
fn every(cifras: &Cifras) -> PorEstado {
    let view = |estado: Estado| {
        let cuentas = cifras.cuentas(Some(estado));
        (estado.as_str(), CuentaView::of(&cuentas))
    };
    Estado::ALL.into_iter().map(view).collect()
}

/// The states that have any; none where there is no such state.
fn found(cifras: &Cifras) -> Option<PorEstado> {
    let mut states = every(cifras);
    states.retain(|_, cuenta| cuenta.cantidad > 0);
    (!states.is_empty()).then_some(states)
}

/// The facturas of a responsable.
#[derive(Debug, Serialize, ToSchema)]
struct PorResponsableView {
    #[schema(example = "Juan Perez")]
    responsable: String,
    #[schema(example = "jperez")]
    responsable_usuario: String,
    responsable_id: String,
    /// The states that have any.
    #[schema(value_type = BTreeMap<String, CuentaView>)]
    por_estado: PorEstado,
}

impl PorResponsableView {
    fn of((usuario, cifras): (Usuario, Cifras)) -> Option<Self> {
        Some(Self {
            responsable: usuario.nombre,
            responsable_usuario: usuario.usuario,
            responsable_id: usuario.id,
            por_estado: found(&cifras)?,
        })
    }
}

/// The facturas on which somebody acted last, by the name as stored.
#[derive(Debug, Serialize, ToSchema)]
struct PorAccionView {
    #[schema(example = "Maria Garcia")]
    accion_por: String,
    accion_por_id: Option<String>,
    /// The states that have any.
    #[schema(value_type = BTreeMap<String, CuentaView>)]
    por_estado: PorEstado,
}

impl PorAccionView {
    fn of((persona, cifras): (Persona, Cifras)) -> Option<Self> {
        Some(Self {
            accion_por: persona.nombre,
            accion_por_id: persona.id,
            por_estado: found(&cifras)?,
        })
    }
}

/// A page of responsables.
#[derive(Debug, Serialize, ToSchema)]
struct ResponsablesPage {
    items: Vec<PorResponsableView>,
    /// Cursor of the next page of `/facturas/dashboard/responsables`, null at the end.
    next: Option<String>,
}

/// A page of those who acted last.
#[derive(Debug, Serialize, ToSchema)]
struct AccionesPage {
    items: Vec<PorAccionView>,
    /// Cursor of the next page of `/facturas/dashboard/acciones`, null at the end.
    next: Option<String>,
}

/// The undecided factura that was registered first.
#[derive(Debug, Serialize, ToSchema)]
struct MasAntiguaView {
    #[schema(value_type = String)]
    id: cierre_kernel::id::FacturaId,
    numero: String,
    proveedor: String,
    responsable: Option<String>,
    responsable_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    fecha_registro: Instant,
    /// Business days since then; the day itself does not count.
    dias_habiles: u32,
}

/// All figures.
#[derive(Debug, Serialize, ToSchema)]
struct DashboardView {
    /// The moment of the answer.
    #[schema(value_type = String, format = DateTime)]
    al: Instant,
    /// Every state.
    #[schema(value_type = BTreeMap<String, CuentaView>)]
    por_estado: PorEstado,
    /// Those for which nobody answers.
    sin_asignar: CuentaView,
    /// The first page.
    por_responsable: ResponsablesPage,
    /// The first page.
    por_accion_por: AccionesPage,
    /// From the beginning of a round to the decision of a person that ended it; null before the first one.
    #[schema(example = "4.44")]
    horas_promedio_decision: Option<String>,
    mas_antigua_pendiente: Option<MasAntiguaView>,
}

/// The dashboard
///
/// The figures follow the facturas within seconds, and are exact when nothing is being written.
#[utoipa::path(get, path = "/facturas/dashboard", tag = "Payables: dashboard",
    responses((status = 200, description = "All figures", body = DashboardView)))]
async fn get_dashboard(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    query.decode(|_| Some(()))?;
    let company = &caller.context.company;
    let first = Paging {
        limit: Limit::default(),
        cursor: None,
    };
    let (total, por_responsable, por_accion_por, mas_antigua_pendiente) = futures::try_join!(
        async { Ok(contadores::total(&db, company).await?) },
        responsables(&db, &cursors, company, &first),
        acciones(&db, &cursors, company, &first),
        async { Ok(mas_antigua(&db, &caller.context).await?) },
    )?;
    Ok(Answer::ok(&DashboardView {
        al: caller.context.now,
        por_estado: every(&total),
        sin_asignar: CuentaView::of(&total.cuentas(None)),
        por_responsable,
        por_accion_por,
        horas_promedio_decision: total.horas_promedio_decision(),
        mas_antigua_pendiente,
    })?)
}

/// The dashboard by responsable
///
/// In order of the usernames.
#[utoipa::path(get, path = "/facturas/dashboard/responsables", tag = "Payables: dashboard", params(PageParameters),
    responses((status = 200, description = "A page", body = ResponsablesPage)))]
async fn get_dashboard_responsables(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let page = responsables(&db, &cursors, &caller.context.company, &paging).await?;
    Ok(Answer::ok(&page)?)
}

/// The dashboard by who acted last
///
/// In order of the names, as facturas store them.
#[utoipa::path(get, path = "/facturas/dashboard/acciones", tag = "Payables: dashboard", params(PageParameters),
    responses((status = 200, description = "A page", body = AccionesPage)))]
async fn get_dashboard_acciones(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let page = acciones(&db, &cursors, &caller.context.company, &paging).await?;
    Ok(Answer::ok(&page)?)
}

async fn responsables(
    db: &Db,
    cursors: &Cursors,
    company: &CompanyId,
    paging: &Paging,
) -> Result<ResponsablesPage> {
    // The cursor of the dashboard's first page is good for the list.
    let scope = CursorScope::new(company, RESPONSABLES, []);
    let start = cursors.decode_key(&scope, paging.cursor.as_deref())?;
    let (rows, last) = contadores::responsables(db, company, start, paging.limit.get()).await?;
    Ok(ResponsablesPage {
        items: rows
            .into_iter()
            .filter_map(PorResponsableView::of)
            .collect(),
        next: cursors.encode_key(&scope, last.as_ref())?,
    })
}

async fn acciones(
    db: &Db,
    cursors: &Cursors,
    company: &CompanyId,
    paging: &Paging,
) -> Result<AccionesPage> {
    let scope = CursorScope::new(company, ACCIONES, []);
    let start = cursors.decode_key(&scope, paging.cursor.as_deref())?;
    let (rows, last) = contadores::acciones(db, company, start, paging.limit.get()).await?;
    Ok(AccionesPage {
        items: rows.into_iter().filter_map(PorAccionView::of).collect(),
        next: cursors.encode_key(&scope, last.as_ref())?,
    })
}

async fn mas_antigua(db: &Db, context: &Context) -> Result<Option<MasAntiguaView>, Failure> {
    let company = &context.company;
    let keys = [company::settings_key(company), table::politica(company)];
    let (factura, loaded) = futures::try_join!(first_waiting(db, company), db.load(keys))?;
    let Some(factura) = factura else {
        return Ok(None);
    };
    let politica = repo::loaded_politica(&loaded, company)?;
    let zona = company::zone(&loaded, company)?;
    let (desde, hoy) = (
        factura.fecha_registro.date_in(&zona),
        context.now.date_in(&zona),
    );
    let responsable = factura.responsable();
    Ok(Some(MasAntiguaView {
        id: factura.id,
        numero: factura.datos.numero.clone(),
        proveedor: factura.datos.proveedor.clone(),
        responsable: responsable.map(|one| one.nombre.clone()),
        responsable_id: responsable.map(|one| one.id.clone()),
        fecha_registro: factura.fecha_registro,
        dias_habiles: dias_habiles(desde, hoy, &politica.festivos_extra),
    }))
}

/// The undecided factura that was registered first. What the index still holds of decided ones is passed over.
async fn first_waiting(db: &Db, company: &CompanyId) -> Result<Option<Factura>, Failure> {
    let partition = table::espera(company);
    let (index, attribute) = (table::WAITING_INDEX, table::WAITING_PK);
    let waiting = Partition::index(PAYABLES, index, attribute, partition, WAITING_SORT);
    let order = Order {
        table: PAYABLES,
        partitions: vec![waiting],
        sort: WAITING_SORT,
        group: usize::MAX,
        low: None,
        high: None,
    };
    let read = |listed: &Listed, item: Item| {
        let Expediente { factura, .. } = read_doc(&item)?;
        let waits = !factura.eliminada && !factura.estado().is_decided();
        Ok(waits.then(|| (listed.sort.clone(), factura)))
    };
    let one = Limit::new(1).map_err(|error| Failure::new("asking for one factura", error))?;
    let mut after: Option<String> = None;
    loop {
        let Rows { rows, next } = listing::page(db, &order, one, after.as_deref(), read).await?;
        match (rows.into_iter().next(), next) {
            (Some(factura), _) => return Ok(Some(factura)),
            (None, Some(next)) => after = Some(next),
            (None, None) => return Ok(None),
        }
    }
}
