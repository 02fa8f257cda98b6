//! What waits for a decision of the caller.

use axum::extract::State;
use cierre_platform::db::{self, Db, Item};
use cierre_platform::http::{
    Answer, Caller, Cursors, PageParameters, Query, Routes, allow_any_user,
};
use cierre_platform::listing::{self, Listed, Order};
use cierre_platform::{Result, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::lista::{Lector, fitting, row};
use super::views::FacturaView;
use crate::entity::factura::Expediente;
use crate::table::{self, PAYABLES, WAITING_SORT};

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default().route(allow_any_user().on(route!(get_bandeja)))
}

/// A factura that the caller may decide. `a_nombre_de` is whom they would decide for, not whom the last decision was for: that one stands in the
/// workflow.
#[derive(Debug, Serialize, ToSchema)]
struct PorDecidirView {
    #[serde(flatten)]
    factura: FacturaView,
    /// By which right the caller would decide.
    #[schema(example = "delegado")]
    calidad: &'static str,
}

/// A page of what waits.
#[derive(Debug, Serialize, ToSchema)]
struct BandejaPage {
    items: Vec<PorDecidirView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// What the caller may decide
///
/// As responsable, or in the place of whoever delegated to them today; without what they approved in this round, and what segregation of duties
/// keeps from them. The oldest first.
#[utoipa::path(get, path = "/facturas/bandeja", tag = "Payables: facturas", params(PageParameters),
    responses((status = 200, description = "A page", body = BandejaPage)))]
async fn get_bandeja(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let paging = query.decode(|fields| fields.paging())?;
    let scope = caller.cursor_scope(&query);
    let after: Option<String> = cursors.start(&scope, &paging)?;
    let context = &caller.context;
    let lector = Lector::of(&db, context).await?;
    let inbox = |sub: &str| {
        let partition = table::bandeja(&context.company, sub);
        let (index, attribute) = (table::INBOX_INDEX, table::INBOX_PK);
        db::Query::index(PAYABLES, index, attribute, partition, WAITING_SORT)
    };
    let order = Order {
        table: PAYABLES,
        partitions: lector
            .responsables()
            .iter()
            .map(|(_, sub)| inbox(sub))
            .collect(),
        sort: WAITING_SORT,
        group: usize::MAX,
        low: None,
        high: None,
    };
    let read = |listed: &Listed, item: Item| {
        row(listed, &item, |expediente| por_decidir(&lector, expediente))
    };
    let rows = listing::page(&db, &order, paging.limit, after.as_deref(), read).await?;
    let (items, next) = fitting(rows);
    let next = cursors.next(&scope, next)?;
    Ok(Answer::ok(&BandejaPage { items, next })?)
}

/// Judged as a decision is, on the factura as it is now.
fn por_decidir(lector: &Lector, expediente: &Expediente) -> Option<PorDecidirView> {
    let derecho = expediente.turno(&lector.decisor(&expediente.factura))?;
    Some(PorDecidirView {
        factura: FacturaView::of(expediente).in_place_of(derecho.a_nombre_de.as_ref()),
        calidad: derecho.calidad.as_str(),
    })
}
