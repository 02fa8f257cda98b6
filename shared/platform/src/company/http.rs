//! `GET` and `PUT /company/settings`.

use std::collections::BTreeSet;

use axum::extract::{FromRef, State};
use cierre_kernel::codes;
use cierre_kernel::money::Currency;
use cierre_kernel::role::{Role, Roles};
use cierre_kernel::time::{Instant, TimeZone};
use ipnet::IpNet;
use serde::Serialize;
use utoipa::ToSchema;

use super::entity::{CompanySettings, SettingsDraft};
use super::service;
use crate::db::Db;
use crate::error::Result;
use crate::http::{
    Answer, Body, Caller, Fields, IfMatch, Routes, allow, allow_any_user, date, list, one_of,
    parsed, text,
};
use crate::route;

const WRITE: Roles = Roles::of(&[Role::Admin]);

/// The routes, for any state that holds a database.
pub fn router<S, R>() -> R
where
    R: Routes<S>,
    S: Clone + Send + Sync + 'static,
    Db: FromRef<S>,
{
    R::default()
        .route(
            allow_any_user()
                .refuses(&[codes::NOT_FOUND])
                .on(route!(get_settings)),
        )
        .route(
            allow(WRITE)
                .refuses(&[codes::FISCAL_IDENTITY_LOCKED, codes::CONCURRENT_CHANGE])
                .invalid(&[
                    codes::INVALID_FORMAT,
                    codes::INVALID_DATE,
                    codes::DUPLICATE_ITEMS,
                    codes::TOO_MANY_ITEMS,
                ])
                .versioned()
                .on(route!(put_settings)),
        )
}

/// A company's settings.
#[derive(Debug, Serialize, ToSchema)]
struct SettingsView<'a> {
    #[schema(example = "Transportes del Sur")]
    name: &'a str,
    /// CUIT, RUT or NIT. Cannot change once a document was issued.
    #[schema(required = true, example = "30-71234567-1")]
    tax_id: Option<&'a str>,
    #[schema(value_type = String, example = "ARS")]
    currency: Currency,
    #[schema(example = "es-AR")]
    locale: &'a str,
    #[schema(value_type = String, example = "America/Argentina/Buenos_Aires")]
    time_zone: &'a TimeZone,
    #[schema(value_type = Vec<String>, example = json!(["2026-05-25"]))]
    holidays: &'a BTreeSet<cierre_kernel::time::Date>,
    #[schema(value_type = Vec<String>, example = json!(["203.0.113.0/24"]))]
    trusted_cidrs: &'a BTreeSet<IpNet>,
    version: u64,
    #[schema(value_type = String, example = "2026-01-31T12:00:00.000Z")]
    created_at: Instant,
    created_by: &'a str,
    #[schema(value_type = String, example = "2026-01-31T12:00:00.000Z")]
    updated_at: Instant,
    updated_by: &'a str,
}

impl<'a> SettingsView<'a> {
    fn of(stored: &'a CompanySettings) -> Self {
        let settings = &stored.settings;
        Self {
            name: &settings.name,
            tax_id: settings.tax_id.as_deref(),
            currency: settings.currency,
            locale: &settings.locale,
            time_zone: &settings.time_zone,
            holidays: &settings.holidays,
            trusted_cidrs: &settings.trusted_cidrs,
            version: stored.version,
            created_at: stored.created_at,
            created_by: &stored.created_by,
            updated_at: stored.updated_at,
            updated_by: &stored.updated_by,
        }
    }
}

/// New settings, all of them.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "shows the fields of `read_draft` in the API document"
)]
struct SettingsInput {
    #[schema(min_length = 1, max_length = 200, example = "Transportes del Sur")]
    name: String,
    /// CUIT, RUT or NIT, hyphens optional.
    #[schema(max_length = 20, example = "30-71234567-1")]
    tax_id: Option<String>,
    #[schema(pattern = "^(ARS|COP|USD|EUR|CLP)$", example = "ARS")]
    currency: String,
    /// Language and region.
    #[schema(example = "es-AR")]
    locale: String,
    /// A name of the IANA time zone database.
    #[schema(example = "America/Argentina/Buenos_Aires")]
    time_zone: String,
    /// Distinct days without work.
    #[schema(max_items = 366, example = json!(["2026-05-25"]))]
    holidays: Option<Vec<String>>,
    /// Distinct networks; a host's bits are dropped.
    #[schema(max_items = 50, example = json!(["203.0.113.0/24"]))]
    trusted_cidrs: Option<Vec<String>>,
}

fn read_draft(fields: &mut Fields<'_>) -> Option<SettingsDraft> {
    let name = fields.required("name", text(1..=200));
    let tax_id = fields.optional("tax_id", text(1..=20));
    let currency = fields.required(
        "currency",
        one_of(&Currency::ALL.map(|currency| (currency.code(), currency))),
    );
    let locale = fields.required(
        "locale",
        parsed(
            codes::INVALID_FORMAT,
            "must be a language with a region, such as es-AR",
            read_locale,
        ),
    );
    let time_zone = parsed(
        codes::INVALID_FORMAT,
        "is not a name of the IANA time zone database",
        |text| TimeZone::parse(text).ok(),
    );
    let time_zone = fields.required("time_zone", time_zone);
    let holidays = fields.optional_or("holidays", list(date(), 0..=366).distinct(), Vec::new());
    let network = parsed(
        codes::INVALID_FORMAT,
        "must be a network such as 203.0.113.0/24",
        read_network,
    );
    let trusted_cidrs = fields.optional_or(
        "trusted_cidrs",
        list(network, 0..=50).distinct(),
        Vec::new(),
    );
    Some(SettingsDraft {
        name: name?,
        tax_id: tax_id?,
        currency: currency?,
        locale: locale?,
        time_zone: time_zone?,
        holidays: holidays?.into_iter().collect(),
        trusted_cidrs: trusted_cidrs?.into_iter().collect(),
    })
}

/// A language of two or three letters, and a region of two letters or three digits after a hyphen.
fn read_locale(text: &str) -> Option<String> {
    let (language, region) = text
        .split_once('-')
        .map_or((text, None), |(language, region)| (language, Some(region)));
    let is_language =
        (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
    let is_region = region.is_none_or(|region| match region.len() {
        2 => region.bytes().all(|b| b.is_ascii_uppercase()),
        3 => region.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    });
    (is_language && is_region).then(|| text.to_owned())
}

fn read_network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().map(|network| network.trunc())
}

/// The company's settings
#[utoipa::path(
    get,
    path = "/company/settings",
    tag = "Company",
    responses((status = 200, body = SettingsView<'static>, headers(("ETag" = String, description = "The version"))))
)]
async fn get_settings(State(db): State<Db>, caller: Caller) -> Result<Answer> {
    let stored = service::settings(&db, &caller.context.company).await?;
    Ok(Answer::ok(&SettingsView::of(&stored))?.versioned(stored.version))
}

/// Replace the company's settings
#[utoipa::path(
    put,
    path = "/company/settings",
    tag = "Company",
    request_body = SettingsInput,
    responses((status = 200, body = SettingsView<'static>, headers(("ETag" = String, description = "The version"))))
)]
async fn put_settings(
    State(db): State<Db>,
    caller: Caller,
    if_match: IfMatch,
    body: Body,
) -> Result<Answer> {
    let draft = body.decode(read_draft)?;
    let stored = service::put_settings(&db, &caller.context, &if_match, &draft).await?;
    Ok(Answer::ok(&SettingsView::of(&stored))?.versioned(stored.version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use serde_json::{Value, json};

    fn errors(body: &Value) -> Vec<(String, &'static str)> {
        match crate::http::decode(body, read_draft) {
            Ok(_) => vec![],
            Err(Error::Refused(problem)) => problem
                .errors
                .into_iter()
                .map(|e| (e.pointer, e.code.as_str()))
                .collect(),
            Err(Error::Failed(failure)) => panic!("{failure}"),
        }
    }

    fn valid() -> Value {
        json!({
            "name": "Demo", "tax_id": "30-71234567-1", "currency": "ARS", "locale": "es-AR",
            "time_zone": "America/Argentina/Buenos_Aires", "holidays": ["2026-12-25", "2026-05-25"], "trusted_cidrs": ["203.0.113.9/24", "2001:db8::/32"],
        })
    }

    #[test]
    fn settings_are_read_and_put_into_order() {
        let draft = crate::http::decode(&valid(), read_draft).unwrap();
        assert_eq!(
            draft
                .holidays
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["2026-05-25", "2026-12-25"]
        );
        assert_eq!(
            draft
                .trusted_cidrs
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["203.0.113.0/24", "2001:db8::/32"]
        );
    }

    #[test]
    fn a_company_may_have_no_tax_number_yet() {
        let mut body = valid();
        body["tax_id"] = Value::Null;
        assert_eq!(crate::http::decode(&body, read_draft).unwrap().tax_id, None);
    }

    #[test]
    fn each_field_has_its_own_answer() {
        for (field, value, pointer, code) in [
            ("name", json!(""), "/name", "out_of_range"),
            ("name", json!("x".repeat(201)), "/name", "out_of_range"),
            ("name", json!("a\u{7}b"), "/name", "invalid_format"),
            (
                "tax_id",
                json!("123456789012345678901"),
                "/tax_id",
                "out_of_range",
            ),
            ("currency", json!("GBP"), "/currency", "out_of_range"),
            ("currency", Value::Null, "/currency", "required"),
            ("locale", json!("spanish"), "/locale", "invalid_format"),
            ("locale", json!("es-ar"), "/locale", "invalid_format"),
            (
                "time_zone",
                json!("Mars/Olympus"),
                "/time_zone",
                "invalid_format",
            ),
            (
                "holidays",
                json!(["2026-02-30"]),
                "/holidays/0",
                "invalid_date",
            ),
            (
                "holidays",
                json!(["2026-01-01", "2026-01-01"]),
                "/holidays/1",
                "duplicate_items",
            ),
            (
                "holidays",
                json!(vec!["2026-01-01"; 367]),
                "/holidays",
                "too_many_items",
            ),
            (
                "trusted_cidrs",
                json!(["10.0.0.0/33"]),
                "/trusted_cidrs/0",
                "invalid_format",
            ),
            (
                "trusted_cidrs",
                json!(["10.0.0.1"]),
                "/trusted_cidrs/0",
                "invalid_format",
            ),
            (
                "trusted_cidrs",
                json!(["10.0.0.1/8", "10.0.0.2/8"]),
                "/trusted_cidrs/1",
                "duplicate_items",
            ),
            ("logo", json!("x"), "/logo", "unknown_field"),
        ] {
            let mut body = valid();
            body[field] = value.clone();
            assert_eq!(
                errors(&body),
                [(pointer.to_owned(), code)],
                "{field} = {value}"
            );
        }
    }
}
