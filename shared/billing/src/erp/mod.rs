//! The ERP behind an interface: parts of a sync, its cancellation and its confirmation are carried to it and answered.
//!
//! | file | does |
//! | --- | --- |
//! | `connector.rs` | the interface, the messages and the answers |
//! | `simulated.rs` | an ERP that answers by a formula |
//! | `http.rs` | signed requests to an address of the company |
//! | `guard.rs` | which addresses a request may go to |
//! | `signature.rs` | Standard Webhooks signatures |
//! | `documents.rs` | the documents that a sync is asked for, judged and added up |
//! | `create.rs`, `moves.rs`, `read.rs`, `routes.rs` | previews, syncs, their confirmation and cancellation, and their routes |
//! | `item.rs` | what a sync leaves in the table |
//! | `worker.rs`, `hold.rs` | holds the documents, sends the parts, tells the ERP |

pub mod connector;
mod create;
mod documents;
pub mod guard;
mod hold;
pub mod http;
mod item;
mod moves;
mod read;
pub mod routes;
pub mod signature;
pub mod simulated;
mod syncs;
mod views;
mod worker;

use cierre_kernel::id::SyncId;
use cierre_kernel::time::Instant;

pub use connector::{Connector, Message, Part, Reply};
pub use guard::{ALLOW_LOOPBACK, Guard};
pub use http::{HttpClient, HttpConnector, Receiver, Unusable};
pub use item::{SyncMessage, Work};
pub use simulated::SimulatedErp;
pub use syncs::{SYNCS_QUEUE, Syncs};
pub(crate) use worker::message_of;
pub use worker::{LEASE, SyncAdvance};

use crate::settings::{Connector as Kind, Erp, Simulation};

/// The connector that a company's settings ask for.
#[derive(Clone, Debug)]
pub enum CompanyErp {
    /// A simulator.
    Simulated(SimulatedErp),
    /// Signed requests.
    Http(Box<HttpConnector>),
}

impl CompanyErp {
    /// The connector of these settings.
    ///
    /// # Errors
    /// [`Unusable`] when the address or the secret cannot be used; trying again does not help before the settings change.
    pub fn of(erp: &Erp, simulation: Simulation, client: &HttpClient) -> Result<Self, Unusable> {
        match erp.connector {
            Kind::Simulated => Ok(Self::Simulated(SimulatedErp {
                success_rate: simulation.erp_success_rate,
            })),
            Kind::Http => {
                let url = erp.url.as_deref().unwrap_or_default();
                let secret = erp.secret.as_deref().unwrap_or_default();
                let connector = HttpConnector::new(client, url, secret)?;
                Ok(Self::Http(Box::new(connector)))
            }
        }
    }
}

impl Connector for CompanyErp {
    async fn send_chunk(&self, part: Part<'_>, attempt: u32, now: Instant) -> Reply {
        match self {
            Self::Simulated(erp) => erp.send_chunk(part, attempt, now).await,
            Self::Http(erp) => erp.send_chunk(part, attempt, now).await,
        }
    }

    async fn cancel(&self, sync: SyncId, now: Instant) -> Reply {
        match self {
            Self::Simulated(erp) => erp.cancel(sync, now).await,
            Self::Http(erp) => erp.cancel(sync, now).await,
        }
    }

    async fn confirm(&self, sync: SyncId, digest: &str, now: Instant) -> Reply {
        match self {
            Self::Simulated(erp) => erp.confirm(sync, digest, now).await,
            Self::Http(erp) => erp.confirm(sync, digest, now).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: Kind, url: &str, secret: &str) -> Result<CompanyErp, Unusable> {
        let erp = Erp {
            connector: kind,
            url: Some(url.to_owned()),
            secret: Some(secret.to_owned()),
        };
        let simulation = Simulation {
            erp_success_rate: 7,
            cae_lost_answer_rate: 0,
        };
        CompanyErp::of(&erp, simulation, &HttpClient::new(Guard::PUBLIC).unwrap())
    }

    #[test]
    fn the_settings_choose_the_connector() {
        let simulated = made(Kind::Simulated, "", "").unwrap();
        assert!(matches!(
            simulated,
            CompanyErp::Simulated(SimulatedErp { success_rate: 7 })
        ));
        let http = made(Kind::Http, "https://erp.example.com/hook", "c2VjcmV0IQ==");
        assert!(matches!(http, Ok(CompanyErp::Http(_))));
    }

    #[test]
    fn settings_that_cannot_be_used_say_why() {
        let says = |url, secret| made(Kind::Http, url, secret).unwrap_err().to_string();
        assert_eq!(
            says("https://10.0.0.1", "c2VjcmV0IQ=="),
            "its address is not on the public network"
        );
        assert_eq!(
            says("https://erp.example.com", "whsec_not base64"),
            "what follows whsec_ in the secret is not base64"
        );
    }
}
