//! Every quarter of an hour: what is due in each company's day begins, and jobs without progress are queued again.
//!
//! A company's day has a check at 06:00 and reminders at 08:00, in its own time zone. That a day's job was started is a mark of the same transaction
//! as the job, so that of two schedules at once one starts it, and one that comes late starts it late.

use std::time::Duration;

use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::time::{Instant, TimeZone};
use cierre_platform::company::{settings_key, zone};
use cierre_platform::db::{Changes, CommitError, Condition, Db, Item, Key, Query, Tx, text, with};
use cierre_platform::queue::Queue;
use cierre_platform::{Context, Failure, clock, random};

use crate::table;
use crate::trabajos::{self, Tarea, TrabajoRecord, announce};

/// Companies, and unfinished jobs, that are looked at together.
const AT_ONCE: u32 = 100;
/// The hour of the check.
const HORA_CONSISTENCIA: i8 = 6;
/// The hour of the reminders.
const HORA_RECORDATORIOS: i8 = 8;
/// Seconds for which a day's marks are kept: longer than any schedule comes late.
const MARK_SECONDS: i64 = 40 * 24 * 60 * 60;

/// What a schedule did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scheduled {
    /// Jobs that it started.
    pub started: u32,
    /// Jobs that were queued again.
    pub queued: u32,
}

/// Notes that a company has facturas, so that its days are looked at.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn enrol(db: &Db, company: &CompanyId) -> Result<(), Failure> {
    let noted = Changes::new().set("company", company.as_str());
    let key = table::empresa(company);
    // None of one that was noted before.
    db.change(&key, &noted, &Condition::absent()).await?;
    Ok(())
}

/// Starts what is due by now, and queues again what made no progress for so long.
///
/// # Errors
/// When DynamoDB or SQS does not answer.
pub async fn run(
    db: &Db,
    jobs: &Queue,
    now: Instant,
    quiet: Duration,
) -> Result<Scheduled, Failure> {
    let mut scheduled = Scheduled::default();
    start_due(db, jobs, now, &mut scheduled).await?;
    sweep(db, jobs, now, quiet, &mut scheduled).await?;
    Ok(scheduled)
}

async fn start_due(
    db: &Db,
    jobs: &Queue,
    now: Instant,
    scheduled: &mut Scheduled,
) -> Result<(), Failure> {
    let mut query = Query::partition(table::PAYABLES, table::EMPRESAS).limit(AT_ONCE);
    loop {
        let page = db.query(&query).await?;
        let named = |item: &Item| CompanyId::parse(text(item, "sk")?).ok();
        let companies: Vec<CompanyId> = page.items.iter().filter_map(named).collect();
        let settings = db.load(companies.iter().map(settings_key)).await?;
        let mut due = Vec::new();
        for company in companies {
            let zone = zone(&settings, &company)?;
            due.extend(due_now(&company, &zone, now));
        }
        let marks = db.load(due.iter().map(|(mark, _, _)| mark.clone())).await?;
        for (mark, company, tarea) in due {
            if marks.item(&mark).is_none() && start(db, jobs, (mark, company, tarea), now).await? {
                scheduled.started += 1;
            }
        }
        match page.last {
            Some(last) => query = query.start_after(last),
            None => return Ok(()),
        }
    }
}

/// A day's job with its mark.
type Due = (Key, CompanyId, Tarea);

/// What the company's day has begun by now.
fn due_now(company: &CompanyId, zone: &TimeZone, now: Instant) -> impl Iterator<Item = Due> {
    let hoy = now.date_in(zone);
    let begun = move |hour: i8, zone: &TimeZone| now >= zone.instant_at(hoy, hour);
    let check = begun(HORA_CONSISTENCIA, zone).then_some(Tarea::Consistencia);
    let remind = begun(HORA_RECORDATORIOS, zone).then_some(Tarea::Recordatorios { hoy });
    let company = company.clone();
    check.into_iter().chain(remind).map(move |tarea| {
        let mark = table::jornada(&company, hoy, tarea.tipo());
        (mark, company.clone(), tarea)
    })
}

/// Starts a day's job. False when another schedule was faster.
async fn start(
    db: &Db,
    jobs: &Queue,
    (mark, company, tarea): Due,
    now: Instant,
) -> Result<bool, Failure> {
    let correlation = CorrelationId::from_ulid(random::ulid(now)?);
    let context = Context::system(company, correlation, now);
    let job = TrabajoRecord::queued(&context, tarea, 0, false)?;
    let mut tx = Tx::new();
    // A day of long ago, which an event made by hand may name, has its mark as long as any other.
    let expires = now.max(clock::now()).as_millis() / 1000 + MARK_SECONDS;
    let marked = with(Item::new(), table::EXPIRES_AT, expires);
    tx.put_item(mark, marked, Condition::absent());
    trabajos::start(&mut tx, &context, &job)?;
    match db.commit(&tx).await {
        Ok(()) => {
            announce(jobs, &context.company, &job.trabajo).await;
            Ok(true)
        }
        Err(CommitError::Refused(_) | CommitError::Contended) => Ok(false),
        Err(CommitError::Failed(failure)) => Err(failure),
    }
}

async fn sweep(
    db: &Db,
    jobs: &Queue,
    now: Instant,
    quiet: Duration,
    scheduled: &mut Scheduled,
) -> Result<(), Failure> {
    let quiet = i64::try_from(quiet.as_millis()).unwrap_or(i64::MAX);
    let since = Instant::from_millis(now.as_millis().saturating_sub(quiet));
    let query = Query::index(
        table::PAYABLES,
        table::LISTED_INDEX,
        table::LIST_PK,
        table::WORK_LIST,
        table::LIST_SORT,
    );
    let mut query = query.before(table::millis_sort(since)).limit(AT_ONCE);
    loop {
        let page = db.query(&query).await?;
        for listed in &page.items {
            let pk = text(listed, "pk").unwrap_or_default();
            let Some((company, id)) = table::read_trabajo_partition(pk) else {
                continue;
            };
            // The list follows the table by a moment.
            let known = trabajos::read(db, &company, id).await?;
            let Some(job) = known.filter(|job| !job.trabajo.estado.is_over()) else {
                continue;
            };
            if job.marcha.visto_en < since {
                let message = trabajos::message(&company, &job.trabajo);
                jobs.send(&message).await?;
                scheduled.queued += 1;
            }
        }
        match page.last {
            Some(last) => query = query.start_after(last),
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::trabajo::TipoTrabajo;
    use cierre_kernel::time::parse_date;

    #[test]
    fn a_day_begins_where_the_company_is() {
        let company = CompanyId::parse("demo").unwrap();
        let due = |zone: &str, now: &str| -> Vec<(String, TipoTrabajo)> {
            let zone = TimeZone::parse(zone).unwrap();
            let now = Instant::parse(now).unwrap();
            due_now(&company, &zone, now)
                .map(|(mark, _, tarea)| (mark.sk, tarea.tipo()))
                .collect()
        };
        let check = ("2026-04-08#consistencia".into(), TipoTrabajo::Consistencia);
        let remind = (
            "2026-04-08#recordatorios".into(),
            TipoTrabajo::Recordatorios,
        );
        let bogota = |now| due("America/Bogota", now);
        assert_eq!(bogota("2026-04-08T10:59:59.999Z"), []);
        assert_eq!(bogota("2026-04-08T11:00:00Z"), std::slice::from_ref(&check));
        assert_eq!(
            bogota("2026-04-08T13:00:00Z"),
            [check.clone(), remind.clone()]
        );
        assert_eq!(bogota("2026-04-09T04:59:59Z"), [check.clone(), remind]);
        assert_eq!(due("UTC", "2026-04-08T06:00:00Z"), [check]);
        let zone = TimeZone::parse("America/Bogota").unwrap();
        let now = Instant::parse("2026-04-09T04:00:00Z").unwrap();
        let hoy = parse_date("2026-04-08").unwrap();
        assert!(
            due_now(&company, &zone, now)
                .any(|(_, _, tarea)| tarea == Tarea::Recordatorios { hoy })
        );
    }
}
