use cierre_kernel::decision::Decision;
use cierre_kernel::problem::Problem;
use rstest::rstest;
use serde_json::json;

use super::super::fixtures::*;
use super::super::*;
use crate::error::{CustomerRefusal, ServiceRefusal};

#[rstest]
#[case::active(true)]
#[case::inactive(false)]
fn a_customer_is_changed_in_either_state(#[case] active: bool) {
    let patch = CustomerPatch {
        name: Some("Otro nombre".into()),
        ..CustomerPatch::default()
    };
    let next = state(customer(active).update(patch, at(5)));
    assert_eq!((next.name.as_str(), next.active), ("Otro nombre", active));
    assert_eq!((next.version, next.updated_at), (2, at(5)));
}

#[test]
fn an_inactive_customer_is_reactivated_by_a_patch() {
    let patch = CustomerPatch {
        active: Some(true),
        ..CustomerPatch::default()
    };
    assert!(state(customer(false).update(patch, at(5))).active);
}

#[test]
fn deactivating_is_applied_once_and_then_refused() {
    let inactive = state(customer(true).deactivate(at(5)));
    assert!(!inactive.active);
    let refusal = inactive.deactivate(at(6)).unwrap_err();
    assert_eq!(refusal, CustomerRefusal::Inactive { customer_id: 1 });
    assert_eq!(Problem::from(refusal).status, 409);
}

#[rstest]
#[case::active(Some(true), None)]
#[case::inactive(Some(false), Some("customer_inactive"))]
#[case::unknown(None, Some("unknown_customer"))]
fn a_service_is_entered_for_an_active_customer_only(
    #[case] active: Option<bool>,
    #[case] code: Option<&str>,
) {
    let found = active.map(customer);
    let refusal = Customer::accepts_service(found.as_ref(), 1).err();
    assert_eq!(refusal.map(|r| r.code().as_str()), code);
    let answer = refusal.map(Problem::from);
    assert!(answer.is_none_or(|p| p.status == 422 && p.errors[0].pointer == "/customerId"));
}

#[test]
fn an_id_is_never_given_twice_even_after_deactivation() {
    let existing = customer(false);
    let refusal = Customer::create(Some(&existing), new_customer(), &stamp()).unwrap_err();
    assert_eq!(refusal, CustomerRefusal::Exists { customer_id: 1 });
    assert_eq!(Problem::from(refusal).status, 409);
}

#[rstest]
fn a_cuit_may_be_missing_only_where_the_condition_allows_it(
    #[values(true, false)] on_creation: bool,
) {
    for condition in IvaCondition::ALL {
        let outcome = if on_creation {
            let new = NewCustomer {
                tax_id: None,
                iva_condition: condition,
                ..new_customer()
            };
            Customer::create(None, new, &stamp()).map(|_| ())
        } else {
            let patch = CustomerPatch {
                tax_id: Some(None),
                iva_condition: Some(condition),
                ..CustomerPatch::default()
            };
            customer(true).update(patch, at(1)).map(|_| ())
        };
        assert_eq!(
            outcome.is_err(),
            condition.requires_tax_id(),
            "{condition} on creation: {on_creation}"
        );
        if let Err(refusal) = outcome {
            let problem = Problem::from(refusal);
            assert_eq!(
                (problem.status, problem.code.as_str()),
                (422, "invalid_tax_id")
            );
        }
    }
}

#[test]
fn a_patch_without_effect_is_a_replay_without_event() {
    let patch = CustomerPatch {
        name: Some(new_customer().name),
        email: Some(None),
        ..CustomerPatch::default()
    };
    let customer = customer(true);
    assert_eq!(
        customer.update(patch, at(5)),
        Ok(Decision::Replayed(Change::silent(customer)))
    );
}

#[test]
fn events_of_a_customer_carry_the_agreed_details() {
    let created = Customer::create(None, new_customer(), &stamp()).unwrap();
    assert_eq!(actions(&created), ["customer_created"]);
    assert_eq!(
        json!(created.events[0].details),
        json!({"name": "Transportes Uno S.R.L.", "taxId": "30000000015", "ivaCondition": "RESPONSABLE_INSCRIPTO"})
    );
    let patch = CustomerPatch {
        email: Some(Some("a@b.example".into())),
        active: Some(false),
        ..CustomerPatch::default()
    };
    let updated = created.state.update(patch, at(1)).unwrap().into_inner();
    assert_eq!(actions(&updated), ["customer_updated"]);
    assert_eq!(
        json!(updated.events[0].details),
        json!({"changes": {"email": {"old": null, "new": "a@b.example"}, "active": {"old": true, "new": false}}})
    );
    let deactivated = created.state.deactivate(at(1)).unwrap().into_inner();
    assert_eq!(actions(&deactivated), ["customer_deactivated"]);
    assert!(deactivated.events[0].details.is_empty());
    assert_eq!(
        (
            deactivated.events[0].resource_type,
            deactivated.events[0].resource_id.as_str()
        ),
        ("customer", "1")
    );
}

#[test]
fn a_customer_reads_back_as_it_was_stored() {
    let customer = customer(true);
    let stored = serde_json::to_string(&customer).unwrap();
    assert_eq!(serde_json::from_str::<Customer>(&stored).unwrap(), customer);
}

#[test]
fn a_refused_service_names_its_customer() {
    let refusal = ServiceRefusal::UnknownCustomer { customer_id: 9 };
    assert_eq!(refusal.reason(), "customer 9 does not exist");
}
