//! Customers as callers write them.

use cierre_kernel::codes;
use cierre_kernel::cuit::Cuit;
use cierre_platform::http::{Change, Fields, Rule, boolean, integer, one_of, parsed, text};

use super::MAX_CUSTOMER_ID;
use crate::entity::{CustomerPatch, IvaCondition, NewCustomer};

/// A customer's id in a body or a query.
pub(crate) fn customer_id() -> impl Rule<Output = u32> {
    integer(1..=i64::from(MAX_CUSTOMER_ID)).try_map(|id| u32::try_from(id).ok())
}

/// Reads a customer to be made.
pub(super) fn read_new(fields: &mut Fields<'_>) -> Option<NewCustomer> {
    let customer_id = fields.required("customerId", customer_id());
    let name = fields.required("name", text(1..=200));
    let iva_condition = fields.required("ivaCondition", iva_condition());
    let tax_id = fields.optional("taxId", cuit());
    let email = fields.optional("email", email());
    let active = fields.optional_or("active", boolean(), true);
    if let (Some(None), Some(condition)) = (&tax_id, iva_condition)
        && condition.requires_tax_id()
    {
        let detail = format!("is required for {condition}");
        fields.refuse::<()>("taxId", codes::INVALID_TAX_ID, detail);
    }
    Some(NewCustomer {
        customer_id: customer_id?,
        name: name?,
        tax_id: tax_id?,
        iva_condition: iva_condition?,
        email: email?,
        active: active?,
    })
}

/// Reads the fields of a customer that are to change.
pub(super) fn read_changes(fields: &mut Fields<'_>) -> Option<CustomerPatch> {
    let name = fields.change("name", text(1..=200));
    let tax_id = fields.change_nullable("taxId", cuit());
    let iva_condition = fields.change("ivaCondition", iva_condition());
    let email = fields.change_nullable("email", email());
    let active = fields.change("active", boolean());
    Some(CustomerPatch {
        name: name.map(Change::into_option)?,
        tax_id: tax_id.map(Change::into_option)?,
        iva_condition: iva_condition.map(Change::into_option)?,
        email: email.map(Change::into_option)?,
        active: active.map(Change::into_option)?,
    })
}

fn iva_condition() -> impl Rule<Output = IvaCondition> {
    one_of(&IvaCondition::ALL.map(|condition| (condition.as_str(), condition)))
}

fn cuit() -> impl Rule<Output = Cuit> {
    let sentence = "is not a CUIT with a known prefix and a correct check digit";
    parsed(codes::INVALID_TAX_ID, sentence, |text| {
        Cuit::parse(text).ok()
    })
}

fn email() -> impl Rule<Output = String> {
    text(1..=254)
        .try_map(|text| is_email(&text).then_some(text))
        .or(codes::INVALID_FORMAT, "is not an e-mail address")
}

/// One `@` between a local part without blanks and a domain of at least two labels. Whether it receives mail only mail can tell.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let dotted = |local: &str| !local.split('.').any(str::is_empty);
    (1..=64).contains(&local.len())
        && dotted(local)
        && !local
            .contains(|c: char| c.is_whitespace() || c.is_control() || "@,;:<>()[]\"\\".contains(c))
        && domain.contains('.')
        && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cierre_platform::Error;
    use cierre_platform::http::decode;
    use serde_json::{Value, json};

    fn errors<T>(read: Result<T, Error>) -> Vec<(String, &'static str)> {
        let Err(Error::Refused(problem)) = read else {
            return Vec::new();
        };
        let errors = problem.errors.into_iter();
        errors
            .map(|error| (error.pointer, error.code.as_str()))
            .collect()
    }

    fn customer(changes: Value) -> Value {
        let mut body = json!({
            "customerId": 1, "name": "Uno", "taxId": "30-00000001-5", "ivaCondition": "RESPONSABLE_INSCRIPTO"
        });
        if let (Value::Object(body), Value::Object(changes)) = (&mut body, changes) {
            body.extend(changes);
        }
        body
    }

    #[test]
    fn a_customer_is_read_and_its_cuit_loses_its_hyphens() {
        let new = decode(&customer(json!({})), read_new).unwrap();
        assert_eq!(new.tax_id.unwrap().to_string(), "30000000015");
        assert!(new.active);
        assert_eq!(new.email, None);
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let body = json!({ "customerId": 0, "name": "", "taxId": "30-00000000-8", "ivaCondition": "RI", "email": "x", "vip": true });
        assert_eq!(
            errors(decode(&body, read_new)),
            [
                ("/customerId".to_owned(), "out_of_range"),
                ("/name".to_owned(), "out_of_range"),
                ("/ivaCondition".to_owned(), "out_of_range"),
                ("/taxId".to_owned(), "invalid_tax_id"),
                ("/email".to_owned(), "invalid_format"),
                ("/vip".to_owned(), "unknown_field"),
            ]
        );
        let half = customer(json!({ "customerId": 1.5 }));
        assert_eq!(
            errors(decode(&half, read_new)),
            [("/customerId".to_owned(), "invalid_type")]
        );
    }

    #[test]
    fn only_consumers_and_parties_abroad_have_no_cuit() {
        for condition in IvaCondition::ALL {
            let body = customer(json!({ "ivaCondition": condition, "taxId": null }));
            let expected = condition
                .requires_tax_id()
                .then(|| ("/taxId".to_owned(), "invalid_tax_id"));
            assert_eq!(
                errors(decode(&body, read_new)),
                Vec::from_iter(expected),
                "{condition}"
            );
        }
    }

    #[test]
    fn a_change_tells_null_from_nothing_and_takes_no_other_id() {
        let patch = decode(&json!({ "email": null }), read_changes).unwrap();
        assert_eq!((patch.email, patch.tax_id), (Some(None), None));
        let body = json!({ "name": null, "customerId": 2 });
        assert_eq!(
            errors(decode(&body, read_changes)),
            [
                ("/name".to_owned(), "required"),
                ("/customerId".to_owned(), "unknown_field")
            ]
        );
    }

    #[test]
    fn an_address_has_a_local_part_and_a_domain_of_labels() {
        for right in ["a@b.co", "ana.perez+x@mail.ejemplo.com.ar", "ñ@españa.es"] {
            assert!(is_email(right), "{right}");
        }
        for wrong in [
            "a", "@b.co", "a@", "a@b", "a@b..co", "a b@c.de", "a@b@c.de", ".a@b.co", "a@-b.co",
            "a@b.co.",
        ] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }
}
