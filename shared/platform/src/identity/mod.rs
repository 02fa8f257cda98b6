//! Users and their sessions. Cognito keeps passwords, sessions and groups; nothing of them is stored or logged here.

pub mod http;
mod pool;

pub use http::{IdentityApi, document, router};
pub use pool::{Challenge, ChallengeAnswer, Person, PoolUser, Session, SignIn, UserPage, UserPool};

#[cfg(test)]
mod tests;
