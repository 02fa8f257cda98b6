//! The resources that belong to no domain.

use cierre_kernel::company::CompanyId;

use super::verify::{ChainHeads, HeadPlace};
use crate::company;

/// Where the heads of a company's own chains stand.
#[derive(Clone, Copy, Debug)]
pub struct CompanyHeads;

impl ChainHeads for CompanyHeads {
    fn locate(
        &self,
        company: &CompanyId,
        resource_type: &str,
        resource_id: &str,
    ) -> Vec<HeadPlace> {
        let is_settings =
            resource_type == company::RESOURCE_TYPE && resource_id == company.as_str();
        if is_settings {
            vec![HeadPlace::new(company::settings_key(company), "head")]
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_the_own_company_are_found_and_nothing_else() {
        let demo = CompanyId::parse("demo").unwrap();
        let places = CompanyHeads.locate(&demo, "company_settings", "demo");
        assert_eq!(
            places,
            [HeadPlace::new(company::settings_key(&demo), "head")]
        );
        for (kind, id) in [("company_settings", "other"), ("service", "demo")] {
            assert_eq!(CompanyHeads.locate(&demo, kind, id), []);
        }
    }
}
