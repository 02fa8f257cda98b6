//! The API under attack: tokens that nobody issued, bodies and addresses made to break it, cursors tampered with, secrets looked for in the logs.

mod attempts;
mod bodies;
mod cursors;
mod forge;
mod logs;
mod tokens;
