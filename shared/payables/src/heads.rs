//! Where the heads of the chains of events of payables stand.

use cierre_kernel::company::CompanyId;
use cierre_platform::activity::{ChainHeads, HeadPlace};

use crate::entity::events::{
    ASIGNACION, CARGA, DELEGACION, FACTURA, LA_POLITICA, POLITICA, TRABAJO,
};
use crate::nit::Nit;
use crate::repo::HEAD;
use crate::table;

/// The chains of payables: one of each factura, upload, assignment, delegation and job, and one of the policy.
#[derive(Clone, Copy, Debug)]
pub struct PayablesHeads;

impl ChainHeads for PayablesHeads {
    fn locate(
        &self,
        company: &CompanyId,
        resource_type: &str,
        resource_id: &str,
    ) -> Vec<HeadPlace> {
        let id = resource_id;
        let key = match resource_type {
            FACTURA => id.parse().ok().map(|id| table::factura(company, id)),
            // What nobody announced is known by the key of its object.
            CARGA => Some(match id.parse() {
                Ok(id) => table::carga(company, id),
                Err(_) => table::visto(company, id),
            }),
            // Its chain goes by one spelling of the NIT.
            ASIGNACION => {
                let nit = Nit::parse(id).ok().filter(|nit| nit.to_string() == id);
                nit.map(|nit| table::asignacion(company, nit))
            }
            // The delegation stands with the others of whoever gave it, whom the id does not tell.
            DELEGACION => {
                let id = id.parse().ok();
                id.map(|id| table::delegacion_by_id(company, id))
            }
            POLITICA => (id == LA_POLITICA).then(|| table::politica(company)),
            TRABAJO => id.parse().ok().map(|id| table::trabajo(company, id)),
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
        let places = |kind, id| PayablesHeads.locate(&demo, kind, id).len();
        assert_eq!(places("factura", "fac_01JD0000000000000000000000"), 1);
        assert_eq!(places("factura", "trb_01JD0000000000000000000000"), 0);
        assert_eq!(places("carga_factura", "car_01JD0000000000000000000000"), 1);
        assert_eq!(places("carga_factura", "facturas/demo/a.xml"), 1);
        assert_eq!(places("asignacion", "860069804-2"), 1);
        assert_eq!(places("asignacion", "860069804-3"), 0);
        assert_eq!(places("asignacion", "860.069.804-2"), 0);
        assert_eq!(places("delegacion", "dlg_01JD0000000000000000000000"), 1);
        assert_eq!(places("politica", "politica"), 1);
        assert_eq!(places("politica", "otra"), 0);
        assert_eq!(places("trabajo", "trb_01JD0000000000000000000000"), 1);
        assert_eq!(places("cliente", "cli_01JD0000000000000000000000"), 0);
    }
}
