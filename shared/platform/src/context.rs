//! Who asks, for which company, when, and under which correlation id: the first argument of every use case.

use cierre_kernel::actor::Actor;
use cierre_kernel::company::CompanyId;
use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::role::Roles;
use cierre_kernel::time::Instant;

/// The verified facts of one request or one message.
#[derive(Clone, Debug)]
pub struct Context {
    /// The tenant; every key that is read or written begins with it.
    pub company: CompanyId,
    /// Who did it.
    pub actor: Actor,
    /// The caller's shown name, as their access token carries it: the attribute `name` when the token was issued. None where they have none, and
    /// of the system.
    pub name: Option<String>,
    /// The caller's roles; empty for the system.
    pub roles: Roles,
    /// Follows the command through API, queue, worker, event and log line.
    pub correlation_id: CorrelationId,
    /// The caller's address, empty for the system.
    pub ip: String,
    /// The caller's program, empty for the system.
    pub user_agent: String,
    /// The moment that the trigger carries, or else the clock's.
    pub now: Instant,
}

impl Context {
    /// A worker's context: the system acts under the correlation id of the command that started the work.
    pub fn system(company: CompanyId, correlation_id: CorrelationId, now: Instant) -> Self {
        Self {
            company,
            actor: Actor::system(),
            name: None,
            roles: Roles::default(),
            correlation_id,
            ip: String::new(),
            user_agent: String::new(),
            now,
        }
    }
}
