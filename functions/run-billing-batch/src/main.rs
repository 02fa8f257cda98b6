//! Takes billing jobs from the queue and advances their batches to the commit.

fn main() {}
