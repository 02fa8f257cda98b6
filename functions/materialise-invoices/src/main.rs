//! Takes chunks of committed batches from the queue and turns their pendings into invoices.

fn main() {}
