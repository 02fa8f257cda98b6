//! Follows the billing table's stream and keeps summary, statistics and job figures.

fn main() {}
