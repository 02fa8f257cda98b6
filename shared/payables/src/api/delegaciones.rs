//! Who stands in for whom.

use axum::extract::State;
use cierre_kernel::codes;
use cierre_kernel::id::DelegacionId;
use cierre_kernel::page::Limit;
use cierre_kernel::problem::Problem;
use cierre_kernel::time::{Date, Instant};
use cierre_platform::command::{Planned, run, today};
use cierre_platform::company;
use cierre_platform::db::{Changes, Condition, Db, Item, Key, Tx, number};
use cierre_platform::error::Doing;
use cierre_platform::http::{
    Answer, Body, Caller, Cursors, Fields, IfMatch, PageParameters, Query, Routes, Segment,
    allow_any_user, boolean, lines, not_found, text,
};
use cierre_platform::pages::{Shelf, page};
use cierre_platform::{Context, Failure, Result, random, route};
use futures::try_join;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ANY_LENGTH, Api, USUARIO};
use crate::entity::Change;
use crate::entity::delegacion::{Delegacion, DelegacionNueva, EstadoDelegacion, FOR_OTHERS, Tramo};
use crate::entity::refusal::{DelegacionRefusal, Invalid};
use crate::persona::Usuario;
use crate::repo::{self, VERSION, loaded_doc, put, read_doc, stamp, with};
use crate::roles::READ;
use crate::table::{self, PAYABLES};
use crate::usuarios::{judged, nombrado};

pub(super) fn router<R: Routes<Api>>() -> R {
    R::default()
        .route(
            allow_any_user()
                .refuses(&[
                    codes::WRONG_ROLE,
                    codes::DELEGACION_SOLAPADA,
                    codes::CONCURRENT_CHANGE,
                    codes::RATE_LIMITED,
                ])
                .invalid(&[
                    codes::USUARIO_NO_VALIDO,
                    codes::FECHA_INVALIDA,
                    codes::INVALID_DATE,
                    codes::INVALID_FORMAT,
                    codes::MOTIVO_REQUERIDO,
                    codes::TOO_MANY_ITEMS,
                ])
                .on(route!(post_delegacion)),
        )
        .route(allow_any_user().on(route!(get_delegaciones)))
        .route(
            allow_any_user()
                .refuses(&[
                    codes::WRONG_ROLE,
                    codes::NOT_FOUND,
                    codes::DELEGACION_TERMINADA,
                    codes::CONCURRENT_CHANGE,
                ])
                .versioned()
                .on(route!(delete_delegacion)),
        )
}

/// A delegation to be given.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the body; it is read field by field")]
#[schema(example = json!({ "a": "mgarcia", "desde": "2026-02-05", "hasta": "2026-02-20", "motivo": "Vacaciones" }))]
struct DelegacionBody {
    /// Whose right it passes on, by username: the caller's, unless a supervisor or an admin says otherwise.
    de: Option<String>,
    /// To whom, by username: an enabled user of the company who does not only audit.
    a: String,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    desde: String,
    /// The last day: not in the past, and at most 366 days with the first one.
    #[schema(value_type = String, format = Date)]
    hasta: String,
    #[schema(min_length = 3, max_length = 1000)]
    motivo: String,
}

/// A delegation.
#[derive(Debug, Serialize, ToSchema)]
struct DelegacionView {
    #[schema(value_type = String, example = "dlg_01JD8Z5W3N0000000000000000")]
    id: DelegacionId,
    /// The username.
    #[schema(example = "jperez")]
    de: String,
    de_nombre: String,
    de_id: String,
    /// The username.
    #[schema(example = "mgarcia")]
    a: String,
    a_nombre: String,
    a_id: String,
    #[schema(value_type = String, format = Date)]
    desde: Date,
    #[schema(value_type = String, format = Date)]
    hasta: Date,
    motivo: String,
    /// Today: `programada`, `vigente`, `vencida` or `revocada`.
    #[schema(example = "vigente")]
    estado: &'static str,
    #[schema(value_type = Option<String>, required = true)]
    revocada_en: Option<Instant>,
    creada_por: String,
    creada_por_id: String,
    #[schema(value_type = String, example = "2026-02-05T14:00:00.000Z")]
    creada_en: Instant,
    version: u64,
}

impl DelegacionView {
    fn of(delegacion: Delegacion, hoy: Date) -> Self {
        let estado = delegacion.estado(hoy).as_str();
        let Delegacion { de, a, .. } = delegacion;
        Self {
            id: delegacion.id,
            de: de.usuario,
            de_nombre: de.nombre,
            de_id: de.id,
            a: a.usuario,
            a_nombre: a.nombre,
            a_id: a.id,
            desde: delegacion.desde,
            hasta: delegacion.hasta,
            motivo: delegacion.motivo,
            estado,
            revocada_en: delegacion.revocada_en,
            creada_por: delegacion.creada_por.nombre,
            creada_por_id: delegacion.creada_por.id,
            creada_en: delegacion.creada_en,
            version: delegacion.version,
        }
    }
}

/// A page of delegations.
#[derive(Debug, Serialize, ToSchema)]
struct DelegacionPage {
    items: Vec<DelegacionView>,
    /// Cursor of the next page, null at the end.
    next: Option<String>,
}

/// What the body says; whoever is named is yet to be looked up.
struct Pedido {
    de: Option<String>,
    a: String,
    desde: String,
    hasta: String,
    motivo: String,
}

impl Pedido {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let de = fields.optional("de", text(1..=USUARIO));
        let a = fields.required("a", text(1..=USUARIO));
        // What a day or a reason has to be is the entity's matter.
        let desde = fields.required("desde", text(ANY_LENGTH));
        let hasta = fields.required("hasta", text(ANY_LENGTH));
        let motivo = fields.required("motivo", lines(ANY_LENGTH));
        Some(Self {
            de: de?,
            a: a?,
            desde: desde?,
            hasta: hasta?,
            motivo: motivo?,
        })
    }

    /// Looks up whoever is named, both at once. The caller is known.
    async fn named(
        &self,
        api: &Api,
        context: &Context,
    ) -> Result<std::result::Result<(Usuario, Usuario), Invalid>> {
        let by = stamp(context).by;
        let other = self.de.as_deref().filter(|de| *de != by.usuario);
        if other.is_some() && !context.roles.any(FOR_OTHERS) {
            return Err(Problem::from(DelegacionRefusal::DeOtro).into());
        }
        let (pool, company) = (&api.pool, &context.company);
        let de = async {
            match other {
                Some(de) => judged(nombrado(pool, company, "/de", de).await),
                None => Ok(Ok(by)),
            }
        };
        let a = async { judged(nombrado(pool, company, "/a", &self.a).await) };
        Ok(match try_join!(de, a)? {
            (Ok(de), Ok(a)) => Ok((de, a)),
            (de, a) => {
                let wrong = [de.err(), a.err()].into_iter().flatten();
                Err(Invalid(wrong.flat_map(|invalid| invalid.0).collect()))
            }
        })
    }
}

/// Give a delegation
///
/// It passes on the right of a responsable for some days, both included; not that of a role, and not further. Only a supervisor or an admin gives that of
/// somebody else.
#[utoipa::path(post, path = "/delegaciones", tag = "Payables: settings", request_body = DelegacionBody,
    responses((status = 201, description = "The delegation", body = DelegacionView)))]
async fn post_delegacion(State(api): State<Api>, caller: Caller, body: Body) -> Result<Answer> {
    let pedido = body.decode(Pedido::read)?;
    let context = &caller.context;
    let company = &context.company;
    // A name that is refused is told below: a repeat answers as the first request did, whatever became of the user since.
    let named = pedido.named(&api, context).await?;
    let id = DelegacionId::new(random::ulid(context.now)?);
    let mut keys = vec![company::settings_key(company)];
    if let Ok((de, _)) = &named {
        keys.push(table::delegaciones_cabeza(company, &de.id));
    }
    let command = caller.command(&body);
    let db = &api.payables.db;
    run(db, context, command.as_ref(), &keys, |loaded| {
        let (de, a) = named.clone().map_err(Problem::from)?;
        let hoy = today(loaded, context)?;
        let cabeza_key = table::delegaciones_cabeza(company, &de.id);
        let cabeza = Cabeza::read(loaded.item(&cabeza_key))?;
        let nueva = DelegacionNueva {
            de,
            a,
            desde: pedido.desde.clone(),
            hasta: pedido.hasta.clone(),
            motivo: pedido.motivo.clone(),
        };
        let others = cabeza.in_reach(hoy);
        let stamp = stamp(context);
        let change = Delegacion::create(id, nueva, &others, context.roles, hoy, &stamp);
        let mut tx = Tx::new();
        let given = written(&mut tx, context, None, change.map_err(Problem::from)?)?;
        cabeza.admit(&mut tx, cabeza_key, &given, hoy);
        let version = given.version;
        let view = DelegacionView::of(given, hoy);
        let answer = Answer::created(format!("/delegaciones/{id}"), &view)?;
        Ok(Planned {
            tx,
            answer: answer.versioned(version),
        })
    })
    .await
}

/// Take a delegation back
///
/// At once: no decision that is committed from then on is made under it.
#[utoipa::path(delete, path = "/delegaciones/{id}", tag = "Payables: settings", params(("id" = String, Path)),
    responses((status = 204, description = "Taken back")))]
async fn delete_delegacion(
    State(db): State<Db>,
    caller: Caller,
    Segment(id): Segment<DelegacionId>,
    if_match: IfMatch,
) -> Result<Answer> {
    let context = &caller.context;
    let company = &context.company;
    let by_id = table::delegacion_by_id(company, id);
    let keys = [company::settings_key(company), by_id.clone()];
    run(&db, context, None, &keys, |loaded| {
        let before: Delegacion = loaded_doc(loaded, &by_id)?.ok_or_else(not_found)?;
        if_match.check(Some(before.version))?;
        let hoy = today(loaded, context)?;
        let change = before.revoke(context.roles, hoy, &stamp(context));
        let change = change.map_err(Problem::from)?;
        let mut tx = Tx::new();
        let revoked = written(&mut tx, context, Some(&before), change)?;
        // Others that are being given need not decide again: they find fewer days taken, never more.
        let free = Changes::new().remove(&id.to_string());
        let cabeza = table::delegaciones_cabeza(company, &revoked.de.id);
        tx.update(cabeza, free, Condition::present());
        let answer = Answer::no_content();
        Ok(Planned { tx, answer })
    })
    .await
}

/// Adds a delegation with its events to the transaction: twice, since it is found by whoever gave it and by its id alone. Both are always written
/// together, so either may be decided on.
fn written(
    tx: &mut Tx,
    context: &Context,
    before: Option<&Delegacion>,
    change: Change<Delegacion>,
) -> Result<Delegacion, Failure> {
    let company = &context.company;
    let by_id = table::delegacion_by_id(company, change.state.id);
    let next = put(tx, context, by_id, before, change, |item, _| item)?;
    let key = table::delegacion(company, &next.de.id, next.id);
    let place = [
        (table::INBOX_PK, table::delegaciones_a(company, &next.a.id)),
        (
            table::WAITING_SORT,
            table::waiting_sort(next.creada_en, next.id),
        ),
    ];
    let item = repo::guarded(repo::doc(&next)?, next.version, &next.head);
    let item = place
        .into_iter()
        .fold(item, |item, (name, value)| with(item, name, value));
    let unmoved = repo::unmoved(before.map(|before| (before.version, &before.head)));
    tx.put_item(key, item, unmoved);
    Ok(next)
}

/// The days that a user's unrevoked delegations take: one item, an attribute for each of them, so that one read and one condition decide whether
/// another one fits.
///
/// ```text
/// t0  A  reads version 4: nothing in February      B  reads version 4: nothing in February
/// t1  A  commits the 1st to the 10th: version 5
/// t2                                               B  commits the 5th to the 8th on condition of version 4: refused
/// t3                                               B  reads version 5: overlaps
/// ```
struct Cabeza {
    version: Option<u64>,
    tramos: Vec<(String, Tramo)>,
}

impl Cabeza {
    fn read(item: Option<&Item>) -> Result<Self, Failure> {
        let version = item.and_then(|item| number(item, VERSION));
        let version = version.map(u64::try_from).transpose();
        let version = version.doing("reading the version of a user's delegations")?;
        let mut tramos = Vec::new();
        for (name, value) in item.into_iter().flatten() {
            if name.starts_with(table::DELEGACIONES)
                && let Ok(days) = value.as_s()
            {
                let tramo = days.parse().doing("reading the days of a delegation")?;
                tramos.push((name.clone(), tramo));
            }
        }
        Ok(Self { version, tramos })
    }

    /// The days that a delegation given today may overlap.
    fn in_reach(&self, hoy: Date) -> Vec<Tramo> {
        let days = self.tramos.iter().map(|(_, tramo)| *tramo);
        days.filter(|tramo| !tramo.is_out_of_reach(hoy)).collect()
    }

    /// Adds the days of a new delegation to the transaction, unless others came in between, and drops those that are out of reach.
    fn admit(&self, tx: &mut Tx, key: Key, given: &Delegacion, hoy: Date) {
        let unmoved = self
            .version
            .map_or_else(Condition::absent, Condition::version);
        let changes = Changes::new()
            .set(&given.id.to_string(), given.tramo().to_string())
            .set(VERSION, self.version.unwrap_or_default() + 1);
        let gone = self
            .tramos
            .iter()
            .filter(|(_, tramo)| tramo.is_out_of_reach(hoy));
        let changes = gone.fold(changes, |changes, (name, _)| changes.remove(name));
        tx.update(key, changes, unmoved);
    }
}

/// Which delegations are wanted: those that all of it fits.
struct Filtro {
    de: Option<String>,
    a: Option<String>,
    vigentes: bool,
}

impl Filtro {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let de = fields.optional("de", text(1..=USUARIO));
        let a = fields.optional("a", text(1..=USUARIO));
        let vigentes = fields.optional_or("vigentes", boolean(), false);
        Some(Self {
            de: de?,
            a: a?,
            vigentes: vigentes?,
        })
    }

    fn fits(&self, delegacion: &Delegacion, hoy: Date) -> bool {
        let is = |wanted: &Option<String>, user: &Usuario| {
            wanted.as_ref().is_none_or(|wanted| *wanted == user.usuario)
        };
        let in_force = || delegacion.estado(hoy) == EstadoDelegacion::Vigente;
        is(&self.de, &delegacion.de) && is(&self.a, &delegacion.a) && (!self.vigentes || in_force())
    }
}

/// List delegations
///
/// The newest first. Readers see those of the company, others those that they gave and those that were given to them.
#[utoipa::path(get, path = "/delegaciones", tag = "Payables: settings",
    params(PageParameters, ("de" = Option<String>, Query, description = "A username"), ("a" = Option<String>, Query, description = "A username"),
        ("vigentes" = Option<bool>, Query, description = "`true`: those in force today")),
    responses((status = 200, description = "A page", body = DelegacionPage)))]
async fn get_delegaciones(
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
    let start: Option<String> = cursors.start(&scope, &paging)?;
    let context = &caller.context;
    let company = &context.company;
    let settings = [company::settings_key(company)];
    let (found, next, hoy) = if context.roles.any(READ) {
        let hoy = today(&db.load(settings).await?, context)?;
        let shelf = Shelf {
            descending: true,
            ..Shelf::of(PAYABLES, table::delegaciones(company), table::DELEGACIONES)
        };
        let (found, next) = page(&db, &shelf, paging.limit, start, |item| {
            let delegacion: Delegacion = read_doc(item)?;
            Ok(Some(delegacion).filter(|one| filtro.fits(one, hoy)))
        })
        .await?;
        (found, next, hoy)
    } else {
        let sub = &context.actor.user_id;
        let (loaded, given, received) = try_join!(
            db.load(settings),
            repo::delegaciones_de(&db, company, sub),
            repo::delegaciones_a(&db, company, sub),
        )?;
        let hoy = today(&loaded, context)?;
        let mut own = given;
        own.extend(received);
        own.retain(|one| filtro.fits(one, hoy));
        let (found, next) = newest(own, paging.limit, start.as_deref());
        (found, next, hoy)
    };
    let items = found
        .into_iter()
        .map(|one| DelegacionView::of(one, hoy))
        .collect();
    let next = cursors.next(&scope, next)?;
    Ok(Answer::ok(&DelegacionPage { items, next })?)
}

/// A page of delegations in memory, the newest first: those behind the one with this id. Ids sort as their texts do.
fn newest(
    mut all: Vec<Delegacion>,
    limit: Limit,
    after: Option<&str>,
) -> (Vec<Delegacion>, Option<String>) {
    all.retain(|one| after.is_none_or(|after| one.id.to_string().as_str() < after));
    all.sort_by_key(|one| std::cmp::Reverse(one.id));
    let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let more = all.len() > limit;
    all.truncate(limit);
    let next = all.last().filter(|_| more).map(|last| last.id.to_string());
    (all, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::fixtures::{
        JUAN, MARIA, WHY, day, delegacion_id, hoy, roles_of, stamp, user,
    };

    fn given(n: u128, desde: &str, hasta: &str) -> Delegacion {
        let nueva = DelegacionNueva {
            de: user(JUAN),
            a: user(MARIA),
            desde: desde.into(),
            hasta: hasta.into(),
            motivo: WHY.into(),
        };
        let roles = roles_of(JUAN);
        Delegacion::create(delegacion_id(n), nueva, &[], roles, hoy(), &stamp(JUAN, 1))
            .unwrap()
            .state
    }

    #[test]
    fn pages_are_the_list_from_the_newest_on() {
        let all: Vec<_> = (1..=5)
            .map(|n| given(n, "2026-02-05", "2026-02-06"))
            .collect();
        let limit = Limit::new(2).unwrap();
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        loop {
            let (page, next) = newest(all.clone(), limit, after.as_deref());
            seen.extend(page.into_iter().map(|one| one.id));
            if next.is_none() {
                break;
            }
            after = next;
        }
        let ids: Vec<_> = (1..=5).rev().map(delegacion_id).collect();
        assert_eq!(seen, ids);
    }

    #[test]
    fn the_days_that_are_taken_are_read_back() {
        let one = given(1, "2026-02-05", "2026-02-06");
        let item = with(Item::new(), VERSION, 3_u64);
        let item = with(item, &one.id.to_string(), one.tramo().to_string());
        let item = with(item, "pk", "demo#dlg#1");
        let cabeza = Cabeza::read(Some(&item)).unwrap();
        assert_eq!(cabeza.version, Some(3));
        assert_eq!(cabeza.in_reach(hoy()), [one.tramo()]);
        assert_eq!(cabeza.in_reach(day("2027-06-01")), []);
        assert_eq!(Cabeza::read(None).unwrap().version, None);
    }

    #[test]
    fn a_filter_asks_for_usernames_and_the_day() {
        let one = given(1, "2026-02-06", "2026-02-07");
        let filtro = |de: Option<&str>, a: Option<&str>, vigentes| Filtro {
            de: de.map(str::to_owned),
            a: a.map(str::to_owned),
            vigentes,
        };
        let (de, a) = (one.de.usuario.as_str(), one.a.usuario.as_str());
        assert!(filtro(None, None, false).fits(&one, hoy()));
        assert!(filtro(Some(de), Some(a), true).fits(&one, day("2026-02-06")));
        assert!(!filtro(Some(a), None, false).fits(&one, hoy()));
        assert!(!filtro(None, Some(de), false).fits(&one, hoy()));
        assert!(!filtro(None, None, true).fits(&one, hoy()));
    }
}
