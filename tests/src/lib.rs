//! What the end-to-end tests share: the running stack, companies of their own, clients that speak as a user.
//!
//! `cargo local test` starts a stack and names it in the environment (`CIERRE_…`). Every test makes a company of its own ([`Company`]), so all
//! of them run at the same time on the same stack. Nothing here sleeps for a fixed time: [`eventually`] waits for a condition, up to a
//! deadline.
//!
//! Tests of faults run the product inside their own process ([`Inside`]), behind a [`Proxy`] that injects what the emulator never does.

// A helper that fails fails the test that called it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod audit;
mod batch;
mod client;
mod company;
mod inside;
mod listening;
mod logs;
mod payables;
mod payroll;
mod process;
mod proxy;
mod report;
mod sample;
mod stack;
mod wait;

pub use audit::Audit;
pub use batch::{BATCH_ENDS_WITHIN, Taken, batch_of};
pub use client::{Client, Reply, Sent};
pub use company::{Company, PASSWORD, User};
pub use inside::{Ask, Inside, TABLES, Tables, Template, Told, Twin, sqs_event};
pub use listening::{Listening, SECRET};
pub use payables::{
    ALL, ANA, ASEO, AUTOMATIZACION, ESTADOS, FACTURAS, Factura, JUAN, LUIS, LUZ, MARIA, MOTIVO,
    NITS, NORA, OLGA, PEDRO, SARA, SISTEMA_AUTO, VERA, Who, Xml, accion_por_of, after, automatica,
    body_of, corrupt, edit, latin1, politica, synchronised, today, xml_attached, xml_with_prefixes,
};
pub use payroll::{
    Announced, Closing, Dropped, GOLDEN, GOLDEN_CLIENT, GOLDEN_MONTH, Libro, NOMINA, Sheet, WORDS,
    WORK_ENDS_WITHIN, keys, movimientos, movimientos_with, names, repacked, rut, table, workbook,
};
pub use process::Signal;
pub use proxy::{Call, Fault, Plan, Proxy, Reach, scramble};
pub use report::{put_head, put_section};
pub use sample::{NewService, amount, service};
pub use stack::Stack;
pub use wait::{eventually, within};
