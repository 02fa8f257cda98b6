//! Documents as callers see them.
//!
//! Who sees what, and when: by id, by number and by batch all documents of a batch are there from its commit on ([`read`]), because their
//! numbers are; lists and figures show each document once stage 4 has authorised it ([`list`], [`statistics`]).

mod document;
mod filter;
pub mod http;
mod list;
mod notes;
pub(crate) mod numbers;
mod postings;
mod print;
mod printing;
mod ranges;
pub(crate) mod read;
mod sources;
mod statistics;
mod views;

pub(crate) use http::DocumentPage;
pub(crate) use views::{DocumentView, note_answer, note_views, with_syncs};
