//! The list of facturas, and who sees which of them.

use std::collections::BTreeSet;

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::time::Date;
use cierre_platform::command::today;
use cierre_platform::company;
use cierre_platform::db::{self, Db, Item};
use cierre_platform::error::Doing;
use cierre_platform::http::{
    Answer, Caller, Cursors, Fields, PageParameters, Query, Routes, allow_any_user, boolean, date,
    lines, parsed,
};
use cierre_platform::listing::{self, AFTER_ALL, Listed, Order, Rows};
use cierre_platform::{Context, Failure, Result, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::views::FacturaView;
use super::{Api, USUARIO};
use crate::entity::delegacion::{Delegacion, EstadoDelegacion, is_delegate};
use crate::entity::factura::{Decisor, Expediente, Factura};
use crate::nit::{Nit, NotANit};
use crate::persona::NOMBRE;
use crate::repo::{self, decisor, read_doc};
use crate::roles::{READ, sees};
use crate::rules::sincronizacion::Estado;
use crate::table::{self, LIST_SORT, PAYABLES};

/// Bytes of the facturas of one answer at most: Lambda hands on six mebibytes, and a factura may have 500 lines.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default().route(
        allow_any_user()
            .invalid(&[
                codes::VALOR_NO_ADMITIDO,
                codes::NIT_FORMATO,
                codes::NIT_DIGITO_INVALIDO,
            ])
            .on(route!(get_facturas)),
    )
}

/// A page of facturas.
#[derive(Debug, Serialize, ToSchema)]
struct FacturaPage {
    items: Vec<FacturaView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// Somebody as what they are today: themselves, and whoever they stand in for.
pub(super) struct Lector {
    decisor: Decisor,
    delegaciones: Vec<Delegacion>,
    hoy: Date,
}

impl Lector {
    /// The caller of today.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub(super) async fn of(db: &Db, context: &Context) -> Result<Self, Failure> {
        let company = &context.company;
        let settings = [company::settings_key(company)];
        let (loaded, delegaciones) = futures::try_join!(
            db.load(settings),
            repo::delegaciones_a(db, company, &context.actor.user_id),
        )?;
        Ok(Self {
            decisor: decisor(context, false),
            delegaciones,
            hoy: today(&loaded, context)?,
        })
    }

    /// The usernames and ids of those whose facturas are theirs today: their own, and of whoever they stand in for.
    pub(super) fn responsables(&self) -> BTreeSet<(&str, &str)> {
        let given = self.delegaciones.iter();
        given
            .filter(|one| one.estado(self.hoy) == EstadoDelegacion::Vigente)
            .map(|one| &one.de)
            .chain([&self.decisor.stamp.by])
            .map(|one| (one.usuario.as_str(), one.id.as_str()))
            .collect()
    }

    /// The same as somebody who gives a command on this factura.
    pub(super) fn decisor(&self, factura: &Factura) -> Decisor {
        let user = &self.decisor.stamp.by;
        let stands_in = |one| is_delegate(&self.delegaciones, one, user, self.hoy);
        Decisor {
            delegado: factura.responsable().is_some_and(stands_in),
            ..self.decisor.clone()
        }
    }
}

/// Which facturas are wanted: those that all of it fits.
struct Filtro {
    estado: Option<Estado>,
    responsable: Option<String>,
    accion_por: Option<String>,
    nit: Option<Nit>,
    desde: Option<Date>,
    hasta: Option<Date>,
    sin_asignar: bool,
}

impl Filtro {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let unknown = "is not one of pendiente, en_revision, aprobada, aprobada_auto, rechazada";
        let estado = parsed(codes::VALOR_NO_ADMITIDO, unknown, |text| text.parse().ok());
        let estado = fields.optional("estado", estado);
        let responsable = fields.optional("responsable", lines(1..=USUARIO));
        let accion_por = fields.optional("accion_por", lines(1..=NOMBRE));
        let nit = read_nit(fields);
        let desde = fields.optional("desde", date());
        let hasta = fields.optional("hasta", date());
        let dates = fields.in_order("desde", &desde, "hasta", &hasta);
        let sin_asignar = fields.optional_or("sin_asignar", boolean(), false);
        dates?;
        Some(Self {
            estado: estado?,
            responsable: responsable?,
            accion_por: accion_por?,
            nit: nit?,
            desde: desde?,
            hasta: hasta?,
            sin_asignar: sin_asignar?,
        })
    }

    /// Judged on the factura as it is now: an index may still know it as it was.
    fn admits(&self, factura: &Factura) -> bool {
        let emision = factura.datos.fecha_emision;
        let responsable = factura.responsable().map(|one| one.usuario.as_str());
        let accion_por = factura.sincronizado().accion_por();
        let accion_por = accion_por.map(|one| one.nombre.as_str());
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        !factura.eliminada
            && self.estado.is_none_or(|estado| estado == factura.estado())
            && is(&self.responsable, responsable)
            && is(&self.accion_por, accion_por)
            && self.nit.is_none_or(|nit| nit == factura.datos.nit)
            && self.desde.is_none_or(|desde| desde <= emision)
            && self.hasta.is_none_or(|hasta| emision <= hasta)
            && (!self.sin_asignar || responsable.is_none())
    }

    /// The index partitions in which everything wanted stands. `lector` is somebody who sees no more than what is theirs.
    fn partitions(&self, company: &CompanyId, lector: Option<&Lector>) -> Vec<db::Query> {
        let Some(lector) = lector else {
            return vec![self.partition(company)];
        };
        if self.sin_asignar {
            return Vec::new();
        }
        let wanted = |usuario: &str| self.responsable.as_deref().is_none_or(|one| one == usuario);
        let theirs = lector.responsables().into_iter();
        theirs
            .filter(|(usuario, _)| wanted(usuario))
            .map(|(usuario, _)| of_responsable(company, Some(usuario)))
            .collect()
    }

    /// The smallest of the partitions in which everything wanted stands: a supplier sends some facturas a month, and what is unassigned or undecided
    /// is worked off, while those of a person and those that are decided become more and more.
    fn partition(&self, company: &CompanyId) -> db::Query {
        let of_estado = |estado| {
            let partition = table::facturas_of_estado(company, estado);
            index(table::ESTADO_INDEX, table::ESTADO_PK, partition)
        };
        if let Some(nit) = self.nit {
            let partition = table::facturas_of_nit(company, nit);
            index(table::NIT_INDEX, table::NIT_PK, partition)
        } else if self.sin_asignar {
            of_responsable(company, None)
        } else if let Some(undecided) = self.estado.filter(|estado| !estado.is_decided()) {
            of_estado(undecided)
        } else if let Some(usuario) = self.responsable.as_deref() {
            of_responsable(company, Some(usuario))
        } else if let Some(nombre) = self.accion_por.as_deref() {
            let partition = table::facturas_of_accion(company, nombre);
            index(table::ACCION_INDEX, table::ACCION_PK, partition)
        } else if let Some(decided) = self.estado {
            of_estado(decided)
        } else {
            index(
                table::LISTED_INDEX,
                table::LIST_PK,
                table::facturas(company),
            )
        }
    }

    fn order(&self, company: &CompanyId, lector: Option<&Lector>) -> Order {
        let last = |desde| format!("{}#{AFTER_ALL}", table::emision_sort(desde));
        Order {
            table: PAYABLES,
            partitions: self.partitions(company, lector),
            sort: LIST_SORT,
            group: usize::MAX,
            // The newest day stands first.
            low: self.hasta.map(table::emision_sort),
            high: self.desde.map(last),
        }
    }
}

/// The facturas of a responsable, or of nobody.
fn of_responsable(company: &CompanyId, usuario: Option<&str>) -> db::Query {
    let partition = table::facturas_of_responsable(company, usuario);
    index(table::RESPONSABLE_INDEX, table::RESPONSABLE_PK, partition)
}

fn index(index: &'static str, attribute: &'static str, partition: String) -> db::Query {
    db::Query::index(PAYABLES, index, attribute, partition, LIST_SORT)
}

/// A NIT; what is wrong with it says its code.
fn read_nit(fields: &mut Fields<'_>) -> Option<Option<Nit>> {
    let judged = parsed(codes::NIT_FORMATO, "is no NIT", |text| {
        Some(Nit::parse(text))
    });
    let nit: Option<std::result::Result<Nit, NotANit>> = fields.optional("nit", judged)?;
    match nit.transpose() {
        Ok(nit) => Some(nit),
        Err(error) => fields.refuse("nit", error.code(), error.to_string()),
    }
}

/// List facturas
///
/// The newest `fecha_emision` first, then the largest `id`. Readers see those of the company, others those for which they answer or stand in today.
/// `accion_por` is the exact name as stored.
#[utoipa::path(get, path = "/facturas", tag = "Payables: facturas",
    params(PageParameters, ("estado" = Option<String>, Query), ("responsable" = Option<String>, Query, description = "A username"),
        ("accion_por" = Option<String>, Query), ("nit" = Option<String>, Query),
        ("desde" = Option<String>, Query, description = "The first `fecha_emision`"),
        ("hasta" = Option<String>, Query, description = "The last `fecha_emision`"),
        ("sin_asignar" = Option<bool>, Query, description = "`true`: those for which nobody answers")),
    responses((status = 200, description = "A page", body = FacturaPage)))]
async fn get_facturas(
    State(db): State<Db>,
    State(cursors): State<Cursors>,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let (filtro, paging) = query.decode(|fields| {
        let filtro = Filtro::read(fields);
        let paging = fields.paging();
        Some((filtro?, paging?))
    })?;
    let scope = caller.cursor_scope(&query);
    let after: Option<String> = cursors.start(&scope, &paging)?;
    let context = &caller.context;
    let lector = if context.roles.any(READ) {
        None
    } else {
        Some(Lector::of(&db, context).await?)
    };
    let order = filtro.order(&context.company, lector.as_ref());
    let read = |listed: &Listed, item: Item| {
        row(listed, &item, |expediente| {
            let factura = &expediente.factura;
            let seen = lector
                .as_ref()
                .is_none_or(|lector| sees(&lector.decisor(factura), factura));
            (seen && filtro.admits(factura)).then(|| FacturaView::of(expediente))
        })
    };
    let rows = listing::page(&db, &order, paging.limit, after.as_deref(), read).await?;
    let (items, next) = fitting(rows);
    let next = cursors.next(&scope, next)?;
    Ok(Answer::ok(&FacturaPage { items, next })?)
}

/// A row of a list of facturas.
pub(super) struct Fila<T> {
    place: String,
    bytes: usize,
    view: T,
}

/// The row of a listed factura; none where `view` leaves it out.
///
/// # Errors
/// When the item holds no factura.
pub(super) fn row<T: Serialize>(
    listed: &Listed,
    item: &Item,
    view: impl FnOnce(&Expediente) -> Option<T>,
) -> Result<Option<(String, Fila<T>)>, Failure> {
    let Some(view) = view(&read_doc(item)?) else {
        return Ok(None);
    };
    let json = serde_json::to_vec(&view).doing("writing a factura")?;
    let place = listed.sort.clone();
    let fila = Fila {
        place: place.clone(),
        bytes: json.len(),
        view,
    };
    Ok(Some((place, fila)))
}

/// The rows that fit into an answer, at least one, and the place behind which the next page begins.
pub(super) fn fitting<T>(rows: Rows<Fila<T>>) -> (Vec<T>, Option<String>) {
    let Rows { rows, mut next } = rows;
    let mut views = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    let mut last = None;
    for fila in rows {
        bytes += fila.bytes;
        if bytes > ANSWER_BYTES && last.is_some() {
            next = last;
            break;
        }
        views.push(fila.view);
        last = Some(fila.place);
    }
    (views, next)
}

#[cfg(test)]
mod tests {
    use cierre_kernel::time::parse_date;
    use serde_json::json;

    use super::*;
    use crate::entity::fixtures::*;

    fn fila(place: &str, bytes: usize) -> Fila<String> {
        Fila {
            place: place.to_owned(),
            bytes,
            view: place.to_owned(),
        }
    }

    #[test]
    fn an_answer_ends_before_it_is_too_large() {
        let page = |sizes: [usize; 3]| {
            let rows = ["a", "b", "c"].into_iter().zip(sizes);
            let rows = rows.map(|(place, bytes)| fila(place, bytes)).collect();
            let next = Some("z".to_owned());
            fitting(Rows { rows, next })
        };
        let (views, next) = page([1, 2, 3]);
        assert_eq!((views.len(), next.as_deref()), (3, Some("z")));
        let (views, next) = page([ANSWER_BYTES, 1, 1]);
        assert_eq!((views.len(), next.as_deref()), (1, Some("a")));
        let (views, next) = page([ANSWER_BYTES + 1, 1, 1]);
        assert_eq!((views.len(), next.as_deref()), (1, Some("a")));
    }

    fn filtro(query: serde_json::Value) -> Filtro {
        cierre_platform::http::decode(&query, Filtro::read).unwrap()
    }

    #[test]
    fn every_filter_has_to_fit() {
        let factura = small().factura;
        let fits = json!({
            "estado": "pendiente", "responsable": JUAN, "nit": NIT, "desde": "2026-02-05", "hasta": "2026-02-05",
        });
        assert!(filtro(fits.clone()).admits(&factura));
        for (name, other) in [
            ("estado", json!("aprobada")),
            ("responsable", json!(LUIS)),
            ("nit", json!("860069804-2")),
            ("desde", json!("2026-02-06")),
            ("hasta", json!("2026-02-04")),
            ("accion_por", json!("Juan Perez")),
            ("sin_asignar", json!(true)),
        ] {
            let mut query = fits.clone();
            if name == "desde" {
                query["hasta"] = json!("2026-02-07");
            }
            if name == "hasta" {
                query["desde"] = json!("2026-02-01");
            }
            query[name] = other;
            assert!(!filtro(query).admits(&factura), "{name}");
        }
        let approved = small().decidir(&approve(), &caller(JUAN, 60)).unwrap();
        let by_name = |name: &str| filtro(json!({ "accion_por": name }));
        assert!(by_name("Juan Perez").admits(&approved.state.factura));
        assert!(!by_name("juan perez").admits(&approved.state.factura));
        let free = registered("1.00", None).factura;
        assert!(filtro(json!({ "sin_asignar": true })).admits(&free));
    }

    #[test]
    fn bad_filters_are_refused_each_under_its_name() {
        let bad = json!({
            "estado": "abierta", "nit": "860069804-3", "desde": "2026-02-05", "hasta": "2026-02-04", "otro": "x",
        });
        let Err(cierre_platform::Error::Refused(problem)) =
            cierre_platform::http::decode(&bad, Filtro::read)
        else {
            panic!("it was read");
        };
        let found = problem
            .errors
            .iter()
            .map(|error| (error.pointer.as_str(), error.code));
        let expected = [
            ("/estado", codes::VALOR_NO_ADMITIDO),
            ("/nit", codes::NIT_DIGITO_INVALIDO),
            ("/desde", codes::INVALID_RANGE),
            ("/otro", codes::UNKNOWN_FIELD),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_range_of_days_is_a_range_of_places() {
        let company = company();
        let order =
            filtro(json!({ "desde": "2026-01-31", "hasta": "2026-02-01" })).order(&company, None);
        let inside = |date: &str| {
            let place = table::factura_sort(parse_date(date).unwrap(), factura_id(u128::MAX));
            order.low.as_ref().unwrap() <= &place && &place <= order.high.as_ref().unwrap()
        };
        let days = ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"];
        assert_eq!(days.map(inside), [false, true, true, false]);
    }

    #[test]
    fn who_is_no_reader_looks_at_what_is_theirs() {
        let delegacion = |n, de, desde: &str, hasta: &str| {
            let nueva = crate::entity::delegacion::DelegacionNueva {
                de: user(de),
                a: user(MARIA),
                desde: desde.into(),
                hasta: hasta.into(),
                motivo: WHY.into(),
            };
            let created = Delegacion::create(
                delegacion_id(n),
                nueva,
                &[],
                roles_of(ADMIN),
                hoy(),
                &stamp(ADMIN, 0),
            );
            created.unwrap().state
        };
        let maria = Lector {
            decisor: caller(MARIA, 60),
            delegaciones: vec![
                delegacion(1, JUAN, "2026-02-05", "2026-02-05"),
                delegacion(2, LUIS, "2026-02-06", "2026-02-07"),
            ],
            hoy: hoy(),
        };
        let names: Vec<_> = maria
            .responsables()
            .into_iter()
            .map(|(one, _)| one)
            .collect();
        assert_eq!(names, [JUAN, MARIA]);
        let factura = small().factura;
        assert!(sees(&maria.decisor(&factura), &factura));
        let partitions = |query| filtro(query).partitions(&company(), Some(&maria)).len();
        assert_eq!(partitions(json!({})), 2);
        assert_eq!(partitions(json!({ "responsable": JUAN })), 1);
        assert_eq!(partitions(json!({ "responsable": LUIS })), 0);
        assert_eq!(partitions(json!({ "sin_asignar": true })), 0);
    }
}
