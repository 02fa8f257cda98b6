//! Figures of jobs, read from rows that follow the table's stream.

use cierre_kernel::company::CompanyId;
use cierre_kernel::time::Instant;
use cierre_platform::Failure;
use cierre_platform::db::{Db, Query, read_item};
use serde::Deserialize;

use super::views::{EndedView, QueueView};
use crate::table;

/// The hours before the current one that count as the last day.
const HOURS_BEFORE: i64 = 23;
const SECONDS_OF_AN_HOUR: i64 = 3_600;

/// Columns of a row; those of an hour's row are the last two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Row {
    waiting: i64,
    active: i64,
    delayed: i64,
    completed: i64,
    failed: i64,
}

/// How many jobs are where.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn queue(
    db: &Db,
    company: &CompanyId,
    now: Instant,
) -> Result<QueueView, Failure> {
    let (first, last) = hours(now);
    let hours = Query::partition(table::BILLING, table::job_figures(company)).between(first, last);
    let total_key = table::job_figures_row(company, table::TOTAL);
    let (total, hours) = futures::try_join!(db.get::<Row>(&total_key), db.query_all(hours))?;
    let hours = hours
        .into_iter()
        .map(read_item)
        .collect::<Result<Vec<Row>, _>>()?;
    Ok(view(total.unwrap_or_default(), &hours))
}

/// The rows of the current hour and of the 23 before.
fn hours(now: Instant) -> (String, String) {
    (
        table::hour_row(now.plus_seconds(-HOURS_BEFORE * SECONDS_OF_AN_HOUR)),
        table::hour_row(now),
    )
}

fn view(total: Row, hours: &[Row]) -> QueueView {
    QueueView {
        waiting: total.waiting,
        active: total.active,
        completed: total.completed,
        failed: total.failed,
        delayed: total.delayed,
        last_24h: EndedView {
            completed: hours.iter().map(|row| row.completed).sum(),
            failed: hours.iter().map(|row| row.failed).sum(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_day_is_the_current_hour_and_the_23_before() {
        let (first, last) = hours(Instant::parse("2024-02-01T12:59:59.999Z").unwrap());
        assert_eq!(
            (first.as_str(), last.as_str()),
            ("hour#2024-01-31T13", "hour#2024-02-01T12")
        );
    }

    #[test]
    fn the_last_day_is_the_sum_of_its_hours() {
        let total = Row {
            waiting: 1,
            active: 2,
            delayed: 3,
            completed: 40,
            failed: 5,
        };
        let hour = Row {
            completed: 2,
            failed: 1,
            ..Row::default()
        };
        let shown = serde_json::to_value(view(total, &[hour, hour])).unwrap();
        let expected = json!({ "waiting": 1, "active": 2, "completed": 40, "failed": 5, "delayed": 3, "last24h": { "completed": 4, "failed": 2 } });
        assert_eq!(shown, expected);
    }
}
