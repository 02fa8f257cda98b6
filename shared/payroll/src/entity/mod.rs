//! The closing, its files, discrepancies and incidences: states and decisions. Pure.
