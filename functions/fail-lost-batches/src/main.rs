//! Takes the jobs that killed their workers three times and puts their batches into ERROR.

fn main() {}
