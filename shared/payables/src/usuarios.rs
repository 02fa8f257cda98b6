//! Users whom requests name.

use cierre_kernel::codes;
use cierre_kernel::company::CompanyId;
use cierre_kernel::problem::Problem;
use cierre_platform::identity::UserPool;
use cierre_platform::{Error, Result};

use crate::entity::refusal::Invalid;
use crate::persona::{Usuario, is_eligible};

/// The user of the company whom a request names in the field at `pointer`. Unknown ones and those of other companies are told apart by nothing.
///
/// # Errors
/// 422 `usuario_no_valido` for nobody of the company, somebody disabled, or somebody who only looks on; or when the pool does not answer.
pub async fn nombrado(
    pool: &UserPool,
    company: &CompanyId,
    pointer: &str,
    username: &str,
) -> Result<Usuario> {
    let known = pool.user(username).await?;
    let eligible = known.filter(|user| {
        user.company.as_ref() == Some(company) && is_eligible(user.enabled, user.roles)
    });
    let user = eligible.ok_or_else(|| {
        let detail = "is no enabled user of the company, or one who only audits";
        Problem::field(pointer, codes::USUARIO_NO_VALIDO, detail)
    })?;
    Ok(Usuario::new(&user.username, &user.sub, Some(&user.name)))
}

/// Tells what is wrong with a name from what ends the command, so that it can be answered together with what is wrong with other fields.
///
/// # Errors
/// When the pool did not answer, or was asked too much.
pub(crate) fn judged<T>(found: Result<T>) -> Result<std::result::Result<T, Invalid>> {
    match found {
        Ok(user) => Ok(Ok(user)),
        Err(Error::Refused(problem)) if !problem.errors.is_empty() => {
            Ok(Err(Invalid(problem.errors)))
        }
        Err(error) => Err(error),
    }
}
