//! Where the heads of payroll's chains of events stand.

use cierre_kernel::company::CompanyId;
use cierre_platform::activity::{ChainHeads, HeadPlace};

use crate::entity::events::{CIERRE, CLIENTE};
use crate::repo::HEAD;
use crate::table;

/// Payroll's chains: of closings, of clients, and of what is in quarantine and belongs to no closing.
#[derive(Clone, Copy, Debug)]
pub struct PayrollHeads;

impl ChainHeads for PayrollHeads {
    fn locate(
        &self,
        company: &CompanyId,
        resource_type: &str,
        resource_id: &str,
    ) -> Vec<HeadPlace> {
        let key = match resource_type {
            CIERRE => resource_id
                .parse()
                .ok()
                .map(|id| table::cierre(company, id)),
            CLIENTE => resource_id
                .parse()
                .ok()
                .map(|id| table::cliente(company, id)),
            table::CUARENTENA => {
                (resource_id == company.as_str()).then(|| table::cuarentena_chain(company))
            }
            _ => None,
        };
        key.map(|key| HeadPlace::new(key, HEAD))
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_found_and_nothing_else() {
        let demo = CompanyId::parse("demo").unwrap();
        let places = |kind, id| PayrollHeads.locate(&demo, kind, id).len();
        assert_eq!(places("cierre_nomina", "cie_01JD0000000000000000000000"), 1);
        assert_eq!(places("cliente", "cli_01JD0000000000000000000000"), 1);
        assert_eq!(places("cuarentena", "demo"), 1);
        assert_eq!(places("cuarentena", "other"), 0);
        assert_eq!(
            places("libro_remuneraciones", "arc_01JD0000000000000000000000"),
            0
        );
        assert_eq!(places("cierre_nomina", "arc_01JD0000000000000000000000"), 0);
    }
}
