//! Credit notes: issued one by one, numbered without gaps in a sequence of their own per book, authorised like invoices.

mod fields;
pub mod http;
mod issue;
mod item;
mod settle;

pub(crate) use item::read_note;
pub(crate) use settle::settle_note;
