//! Figures over documents, read from rows that follow the table's stream: nothing is added up here.

use cierre_kernel::company::CompanyId;
use cierre_kernel::money::Money;
use cierre_kernel::time::Instant;
use cierre_platform::Failure;
use cierre_platform::db::{Db, Item, Query, read_item, text};
use serde::Serialize;
use utoipa::ToSchema;

use crate::rules::{StatisticsRow, pesos};
use crate::table;

/// By what the documents are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupBy {
    Customer,
    Book,
    Month,
}

impl GroupBy {
    pub(crate) const ALL: [Self; 3] = [Self::Customer, Self::Book, Self::Month];

    /// The word on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Book => "book",
            Self::Month => "month",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Customer => table::CUSTOMER_ROWS,
            Self::Book => table::BOOK_ROWS,
            Self::Month => table::MONTH_ROWS,
        }
    }

    /// A row's key as it is shown: what follows the prefix, customer numbers without the zeros that make them sort.
    fn key_of(self, sk: &str) -> String {
        let key = sk.strip_prefix(self.prefix()).unwrap_or(sk);
        match self {
            Self::Customer => key.trim_start_matches('0').to_owned(),
            Self::Book | Self::Month => key.to_owned(),
        }
    }
}

/// Sums over documents.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RowView {
    /// The customer's number, the receipt book, the month of the issue date, or `total`.
    #[schema(example = "2024-01")]
    key: String,
    invoices: i64,
    #[schema(value_type = String, example = "4650.50")]
    amount: Money,
    #[schema(value_type = String, example = "3843.39")]
    net: Money,
    #[schema(value_type = String, example = "807.11")]
    iva: Money,
    credit_notes: i64,
    #[schema(value_type = String, example = "0.00")]
    credited_amount: Money,
}

impl RowView {
    fn of(key: String, row: StatisticsRow) -> Self {
        Self {
            key,
            invoices: row.invoices,
            amount: pesos(row.amount),
            net: pesos(row.net),
            iva: pesos(row.iva),
            credit_notes: row.credit_notes,
            credited_amount: pesos(row.credited_amount),
        }
    }
}

/// Sums over all documents.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TotalsView {
    #[serde(flatten)]
    row: RowView,
    /// Amount by invoices, half up; null without invoices.
    #[schema(value_type = Option<String>, example = "1550.17")]
    average: Option<Money>,
}

impl From<StatisticsRow> for TotalsView {
    fn from(row: StatisticsRow) -> Self {
        Self {
            average: row.average(),
            row: RowView::of(table::TOTAL.to_owned(), row),
        }
    }
}

/// A page of rows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RowsView {
    pub(crate) items: Vec<RowView>,
    /// The cursor of the next page, together with `groupBy`; null at the end.
    pub(crate) next: Option<String>,
}

/// All figures, each group with its first page.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatisticsView {
    #[schema(value_type = String, format = DateTime)]
    pub(crate) as_of: Instant,
    pub(crate) totals: TotalsView,
    pub(crate) by_customer: RowsView,
    pub(crate) by_book: RowsView,
    pub(crate) by_month: RowsView,
}

/// The row over everything.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn totals(db: &Db, company: &CompanyId) -> Result<TotalsView, Failure> {
    let row: Option<StatisticsRow> = db
        .get(&table::statistics_row(company, table::TOTAL))
        .await?;
    Ok(row.unwrap_or_default().into())
}

/// A page of a group's rows by key, and DynamoDB's own key to go on from.
///
/// # Errors
/// When DynamoDB does not answer.
pub(crate) async fn rows(
    db: &Db,
    company: &CompanyId,
    group: GroupBy,
    start: Option<Item>,
    limit: u32,
) -> Result<(Vec<RowView>, Option<Item>), Failure> {
    let query = Query::partition(table::BILLING, table::statistics(company))
        .prefix(group.prefix())
        .limit(limit);
    let query = match start {
        Some(start) => query.start_after(start),
        None => query,
    };
    let page = db.query(&query).await?;
    let view = |item: Item| {
        let key = group.key_of(text(&item, "sk").unwrap_or_default());
        Ok(RowView::of(key, read_item(item)?))
    };
    let rows = page
        .items
        .into_iter()
        .map(view)
        .collect::<Result<_, Failure>>()?;
    Ok((rows, page.last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_platform::db::read_item;
    use serde_json::json;

    #[test]
    fn keys_are_shown_without_what_makes_them_sort() {
        assert_eq!(GroupBy::Customer.key_of(&table::customer_row(10)), "10");
        assert_eq!(GroupBy::Book.key_of("book#A-0001"), "A-0001");
        assert_eq!(GroupBy::Month.key_of("month#2024-01"), "2024-01");
    }

    #[test]
    fn totals_carry_the_average_half_up_and_none_without_invoices() {
        let row = StatisticsRow {
            invoices: 3,
            amount: 465_050,
            net: 384_339,
            iva: 80_711,
            ..StatisticsRow::default()
        };
        let shown = serde_json::to_value(TotalsView::from(row)).unwrap();
        assert_eq!(
            shown,
            json!({
                "key": "total", "invoices": 3, "amount": "4650.50", "net": "3843.39", "iva": "807.11",
                "creditNotes": 0, "creditedAmount": "0.00", "average": "1550.17",
            })
        );
        let none = serde_json::to_value(TotalsView::from(StatisticsRow::default())).unwrap();
        assert_eq!(
            (&none["average"], &none["amount"]),
            (&json!(null), &json!("0.00"))
        );
    }

    #[test]
    fn a_stored_row_is_read_with_the_columns_that_it_has() {
        use aws_sdk_dynamodb::types::AttributeValue::{N, S};
        let stored = [
            ("pk", S("demo#statistics".into())),
            ("sk", S("total".into())),
            ("invoices", N("2".into())),
            ("revision", N("7".into())),
        ];
        let item: Item = stored
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        assert_eq!(
            read_item::<StatisticsRow>(item).unwrap(),
            StatisticsRow {
                invoices: 2,
                ..StatisticsRow::default()
            }
        );
    }
}
