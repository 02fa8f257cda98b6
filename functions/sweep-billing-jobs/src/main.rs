//! Re-queues billing jobs that made no progress for five minutes.

fn main() {}
