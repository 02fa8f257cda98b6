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
    ) -> Option<HeadPlace> {
        let is_settings =
            resource_type == company::RESOURCE_TYPE && resource_id == company.as_str();
        is_settings.then(|| HeadPlace {
            key: company::settings_key(company),
            attribute: "head",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_the_own_company_are_found_and_nothing_else() {
        let demo = CompanyId::parse("demo").unwrap();
        let place = CompanyHeads
            .locate(&demo, "company_settings", "demo")
            .unwrap();
        assert_eq!(place.key, company::settings_key(&demo));
        for (kind, id) in [("company_settings", "other"), ("service", "demo")] {
            assert_eq!(CompanyHeads.locate(&demo, kind, id), None);
        }
    }
}
