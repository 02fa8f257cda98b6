//! Payroll: closings of months, from a client's files to a seal.

mod between_files;
mod decisions;
mod details;
mod discrepancies;
mod drops;
mod exports;
mod files;
mod hostile;
mod http;
mod incidences;
mod input;
mod months;
mod races;
mod repeats;
mod rows;
mod seals;
mod states;
mod story;
