//! Invoice approval: the decision table and the rules of who decides, intake by every way, long work, figures, history, races.

mod accion_por;
mod assignments;
mod automatic;
mod bulk;
mod consistency;
mod delegations;
mod drops;
mod events;
mod figures;
mod history;
mod input;
mod isolation;
mod lists;
mod policy;
mod races;
mod reminders;
mod rights;
mod rounds;
mod states;
