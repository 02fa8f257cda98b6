//! Services as callers write them.

use cierre_kernel::problem::{FieldError, Problem};
use cierre_kernel::time::Date;
use cierre_platform::http::{Body, Change, Fields, Rule, date_within, decode, money, text};
use cierre_platform::{Error, Failure};
use serde_json::Value;

use crate::customers::customer_id;
use crate::entity::{NewService, ServicePatch};
use crate::rules::{CURRENCY, FIRST_DATE, MAX_AMOUNT, MIN_AMOUNT};

/// What can be said about a service before it is known whether the request as a whole is well formed. With it, the fields that only the table
/// can judge are named together with the ones that are wrong by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Readable {
    pub(super) service_date: Option<Date>,
    pub(super) customer_id: Option<u32>,
}

/// A service to be made, as far as it could be read.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(super) readable: Readable,
    pub(super) read: Result<NewService, Box<Problem>>,
}

impl Draft {
    pub(super) fn of_body(body: &Body) -> Result<Self, Failure> {
        let mut readable = Readable::default();
        let read = body.decode(|fields| read_new(fields, &mut readable));
        Ok(Self {
            readable,
            read: refusal(read)?,
        })
    }

    pub(super) fn of_value(value: &Value) -> Result<Self, Failure> {
        let mut readable = Readable::default();
        let read = decode(value, |fields| read_new(fields, &mut readable));
        Ok(Self {
            readable,
            read: refusal(read)?,
        })
    }
}

impl From<NewService> for Draft {
    fn from(new: NewService) -> Self {
        let readable = Readable {
            service_date: Some(new.service_date),
            customer_id: Some(new.customer_id),
        };
        Self {
            readable,
            read: Ok(new),
        }
    }
}

/// The fields of a service that are to change, as far as they could be read.
#[derive(Clone, Debug)]
pub struct Changes {
    pub(super) readable: Readable,
    pub(super) read: Result<ServicePatch, Box<Problem>>,
}

impl Changes {
    pub(super) fn of_body(body: &Body) -> Result<Self, Failure> {
        let mut readable = Readable::default();
        let read = body.decode(|fields| read_changes(fields, &mut readable));
        Ok(Self {
            readable,
            read: refusal(read)?,
        })
    }
}

impl From<ServicePatch> for Changes {
    fn from(patch: ServicePatch) -> Self {
        let readable = Readable {
            service_date: patch.service_date,
            customer_id: patch.customer_id,
        };
        Self {
            readable,
            read: Ok(patch),
        }
    }
}

/// Keeps a refusal for later; a fault of ours ends the request at once.
fn refusal<T>(read: Result<T, Error>) -> Result<Result<T, Box<Problem>>, Failure> {
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(Error::Refused(problem)) => Ok(Err(problem)),
        Err(Error::Failed(failure)) => Err(failure),
    }
}

/// Puts what the table says beside what the fields say by themselves.
pub(super) fn joined<T: Clone>(
    read: &Result<T, Box<Problem>>,
    more: Vec<FieldError>,
) -> Result<T, Box<Problem>> {
    let errors = match read {
        Ok(read) if more.is_empty() => return Ok(read.clone()),
        Ok(_) => more,
        // A body that is no JSON object has no fields to speak of.
        Err(problem) if problem.errors.is_empty() || more.is_empty() => {
            return Err(problem.clone());
        }
        Err(problem) => [problem.errors.clone(), more].concat(),
    };
    Err(Box::new(Problem::validation(errors)))
}

fn read_new(fields: &mut Fields<'_>, readable: &mut Readable) -> Option<NewService> {
    let service_date = fields.required("serviceDate", service_date());
    let customer_id = fields.required("customerId", customer_id());
    let amount = fields.required("amount", amount());
    let description = fields.optional("description", text(0..=200));
    *readable = Readable {
        service_date,
        customer_id,
    };
    Some(NewService {
        service_date: service_date?,
        customer_id: customer_id?,
        amount: amount?,
        description: description?,
    })
}

fn read_changes(fields: &mut Fields<'_>, readable: &mut Readable) -> Option<ServicePatch> {
    let service_date = fields
        .change("serviceDate", service_date())
        .map(Change::into_option);
    let customer_id = fields
        .change("customerId", customer_id())
        .map(Change::into_option);
    let amount = fields.change("amount", amount()).map(Change::into_option);
    let description = fields
        .change_nullable("description", text(0..=200))
        .map(Change::into_option);
    *readable = Readable {
        service_date: service_date.flatten(),
        customer_id: customer_id.flatten(),
    };
    Some(ServicePatch {
        service_date: service_date?,
        customer_id: customer_id?,
        amount: amount?,
        description: description?,
    })
}

/// Its upper end depends on today's date, which only the company's time zone tells.
fn service_date() -> impl Rule<Output = Date> {
    date_within(FIRST_DATE..=Date::MAX)
}

fn amount() -> impl Rule<Output = cierre_kernel::money::Money> {
    money(CURRENCY).within_minor_units(MIN_AMOUNT..=MAX_AMOUNT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_kernel::codes;
    use rstest::rstest;
    use serde_json::json;

    fn errors<T>(read: Result<T, Box<Problem>>) -> Vec<(String, &'static str)> {
        let errors = read.err().into_iter().flat_map(|problem| problem.errors);
        errors
            .map(|error| (error.pointer, error.code.as_str()))
            .collect()
    }

    fn named(pointer: &str, code: &'static str) -> (String, &'static str) {
        (pointer.to_owned(), code)
    }

    #[rstest]
    #[case(json!({ "serviceDate": "2024-02-30" }), vec![named("/serviceDate", "invalid_date")])]
    #[case(json!({ "serviceDate": "31/01/2024" }), vec![named("/serviceDate", "invalid_date")])]
    #[case(json!({ "serviceDate": "1999-12-31" }), vec![named("/serviceDate", "out_of_range")])]
    #[case(json!({ "amount": "0.00" }), vec![named("/amount", "out_of_range")])]
    #[case(json!({ "amount": -1 }), vec![named("/amount", "out_of_range")])]
    #[case(json!({ "amount": "100000000.00" }), vec![named("/amount", "out_of_range")])]
    #[case(json!({ "amount": "1.005" }), vec![named("/amount", "invalid_amount")])]
    #[case(json!({ "customerId": 0 }), vec![named("/customerId", "out_of_range")])]
    #[case(json!({ "customerId": 1.5 }), vec![named("/customerId", "invalid_type")])]
    #[case(json!({ "description": "x".repeat(201) }), vec![named("/description", "out_of_range")])]
    #[case(json!({ "amount": null, "colour": 1 }), vec![named("/amount", "required"), named("/colour", "unknown_field")])]
    fn a_wrong_field_is_named_with_its_code(
        #[case] wrong: Value,
        #[case] expected: Vec<(String, &'static str)>,
    ) {
        let mut body = json!({ "serviceDate": "2024-01-05", "customerId": 1, "amount": "1500.00" });
        if let (Value::Object(body), Value::Object(wrong)) = (&mut body, wrong) {
            body.extend(wrong);
        }
        assert_eq!(errors(Draft::of_value(&body).unwrap().read), expected);
    }

    #[test]
    fn an_amount_may_be_a_number_that_is_exact() {
        let body = json!({ "serviceDate": "2024-01-05", "customerId": 1, "amount": 1500.5 });
        let new = Draft::of_value(&body).unwrap().read.unwrap();
        assert_eq!(new.amount.to_string(), "1500.50");
    }

    #[test]
    fn what_only_the_table_can_judge_is_named_beside_the_rest() {
        let body = json!({ "serviceDate": "2999-01-05", "customerId": 9, "amount": "0.00" });
        let draft = Draft::of_value(&body).unwrap();
        assert_eq!(draft.readable.customer_id, Some(9));
        assert!(draft.readable.service_date.is_some());
        let unknown = FieldError::new("/customerId", codes::UNKNOWN_CUSTOMER, "unknown");
        let problem = joined(&draft.read, vec![unknown]).unwrap_err();
        assert_eq!(problem.code, codes::VALIDATION_FAILED);
        assert_eq!(
            errors::<()>(Err(problem)),
            [
                named("/amount", "out_of_range"),
                named("/customerId", "unknown_customer")
            ]
        );
    }

    #[test]
    fn changes_may_be_few_and_null_empties_only_the_description() {
        let read = |body: Value| {
            refusal(decode(&body, |fields| {
                read_changes(fields, &mut Readable::default())
            }))
            .unwrap()
        };
        let emptied = ServicePatch {
            description: Some(None),
            ..ServicePatch::default()
        };
        assert_eq!(read(json!({ "description": null })), Ok(emptied));
        assert_eq!(
            errors(read(json!({ "amount": null, "status": "INVOICED" }))),
            [
                named("/amount", "required"),
                named("/status", "unknown_field")
            ]
        );
    }
}
