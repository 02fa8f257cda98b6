//! The demo services: sixteen of January 2024, under ids that everybody knows in advance.
//!
//! The API gives ids itself, so these are entered through the same use case one floor below.

use cierre_billing::entity::NewService;
use cierre_billing::services;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::id::ServiceId;
use cierre_kernel::money::{Currency, Money};
use cierre_kernel::time::parse_date;
use cierre_platform::db::Db;
use cierre_platform::error::Doing;
use cierre_platform::{Context, Result, clock, random};
use ulid::Ulid;

/// Day of January 2024, customer, amount in cents. The n-th, counted from 1, has the id `svc_` and n in 26 digits.
const SERVICES: [(u8, u32, i64); 16] = [
    (5, 1, 150_000),
    (10, 1, 230_050),
    (15, 1, 85_000),
    (20, 1, 320_075),
    (8, 2, 450_000),
    (12, 2, 120_000),
    (18, 2, 280_025),
    (6, 3, 95_000),
    (14, 3, 175_050),
    (22, 4, 500_000),
    (3, 5, 60_000),
    (9, 5, 110_000),
    (16, 5, 220_000),
    (21, 3, 132_525),
    (11, 4, 78_000),
    (25, 4, 315_075),
];

/// Enters the services of a company whose customers 1 to 5 exist. Loading twice is loading once.
///
/// # Errors
/// When a customer is missing or DynamoDB does not answer.
pub(crate) async fn load(db: &Db, company: &CompanyId) -> Result<()> {
    let now = clock::now();
    let context = Context::system(
        company.clone(),
        CorrelationId::from_ulid(random::ulid(now)?),
        now,
    );
    for (n, (day, customer_id, cents)) in (1_u8..).zip(SERVICES) {
        let id: Ulid = format!("{n:026}").parse().doing("writing a demo id")?;
        let service = NewService {
            service_date: parse_date(&format!("2024-01-{day:02}")).doing("writing a demo date")?,
            customer_id,
            amount: Money::from_minor(cents, Currency::Ars),
            description: None,
        };
        services::create(db, &context, ServiceId::new(id), service, None).await?;
    }
    Ok(())
}
