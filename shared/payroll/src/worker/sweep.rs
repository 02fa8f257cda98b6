//! Every few minutes: files and jobs without progress are queued again, and addresses that nobody used are marked. A lost message costs time,
//! never a file.

use std::time::Duration;

use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::decision::Decision;
use cierre_kernel::id::CierreId;
use cierre_kernel::time::Instant;
use cierre_platform::db::{CommitError, Db, Item, Key, Query, Tx, text};
use cierre_platform::queue::Queue;
use cierre_platform::{Context, Failure, random};

use super::message::{FileMessage, JobMessage};
use crate::entity::archivo::{Archivo, EstadoArchivo};
use crate::entity::trabajo::Trabajo;
use crate::repo::{put_archivo, read_doc};
use crate::table;

/// Unfinished things that are looked at together.
const AT_ONCE: u32 = 100;

/// Where forgotten work goes.
#[derive(Clone, Debug)]
pub struct Queues {
    /// Files.
    pub files: Queue,
    /// Jobs.
    pub jobs: Queue,
}

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files and jobs that were queued again.
    pub queued: u32,
    /// Addresses that nobody used in time.
    pub expired: u32,
}

/// Queues again what made no progress for so long.
///
/// # Errors
/// When DynamoDB or SQS does not answer.
pub async fn sweep(
    db: &Db,
    queues: &Queues,
    now: Instant,
    quiet: Duration,
) -> Result<Swept, Failure> {
    let quiet = i64::try_from(quiet.as_millis()).unwrap_or(i64::MAX);
    let since = Instant::from_millis(now.as_millis().saturating_sub(quiet));
    let mut swept = Swept::default();
    // An address ends at its time; work is quiet for a while first. Both stand in one list, by when somebody should look.
    let query = Query::index(
        table::PAYROLL,
        table::LIST_INDEX,
        table::LIST_PK,
        table::WORK_LIST,
        table::LIST_SORT,
    );
    let mut query = query.before(table::millis_sort(now)).limit(AT_ONCE);
    loop {
        let page = db.query(&query).await?;
        for listed in page.items {
            look_at(db, queues, &listed, (now, since), &mut swept).await?;
        }
        match page.last {
            Some(last) => query = query.start_after(last),
            None => return Ok(swept),
        }
    }
}

async fn look_at(
    db: &Db,
    queues: &Queues,
    listed: &Item,
    (now, since): (Instant, Instant),
    swept: &mut Swept,
) -> Result<(), Failure> {
    let Some(key) = Key::of(table::PAYROLL, listed) else {
        return Ok(());
    };
    let Some(item) = db.get_item(&key).await? else {
        return Ok(());
    };
    if let Some((company, cierre)) = table::read_cierre_partition(&key.pk) {
        let file: Archivo = read_doc(&item)?;
        let place = (company, cierre);
        look_at_file(db, queues, place, file, (now, since), listed, swept).await?;
    } else if let Some((company_id, trabajo_id)) = table::read_trabajo_partition(&key.pk) {
        let job: Trabajo = read_doc(&item)?;
        if is_quiet(listed, since) && !job.estado.is_over() {
            let message = JobMessage {
                company_id,
                trabajo_id,
                correlation_id: job.correlation_id,
            };
            queues.jobs.send(&message).await?;
            swept.queued += 1;
        }
    }
    Ok(())
}

async fn look_at_file(
    db: &Db,
    queues: &Queues,
    (company_id, cierre_id): (CompanyId, CierreId),
    file: Archivo,
    (now, since): (Instant, Instant),
    listed: &Item,
    swept: &mut Swept,
) -> Result<(), Failure> {
    match file.estado {
        EstadoArchivo::Esperando => {
            let correlation = CorrelationId::from_ulid(random::ulid(now)?);
            let context = Context::system(company_id, correlation, now);
            let Ok(Decision::Applied(change)) = file.expire(now) else {
                return Ok(());
            };
            let mut tx = Tx::new();
            put_archivo(&mut tx, &context, Some(&file), &change.state)?;
            match db.commit(&tx).await {
                Ok(()) => swept.expired += 1,
                // Its object arrived just now.
                Err(CommitError::Refused(_) | CommitError::Contended) => {}
                Err(CommitError::Failed(failure)) => return Err(failure),
            }
        }
        EstadoArchivo::Recibido | EstadoArchivo::Validando | EstadoArchivo::Procesando => {
            if is_quiet(listed, since) {
                let message = FileMessage {
                    company_id,
                    cierre_id,
                    archivo_id: file.id,
                    correlation_id: file.correlation_id,
                };
                queues.files.send(&message).await?;
                swept.queued += 1;
            }
        }
        // The list follows the table by a moment.
        EstadoArchivo::Procesado
        | EstadoArchivo::ConErrores
        | EstadoArchivo::Error
        | EstadoArchivo::Expirado
        | EstadoArchivo::Reemplazado
        | EstadoArchivo::Eliminado => {}
    }
    Ok(())
}

fn is_quiet(listed: &Item, since: Instant) -> bool {
    text(listed, table::LIST_SORT).is_some_and(|place| place < table::millis_sort(since).as_str())
}
