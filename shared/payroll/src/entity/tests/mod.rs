//! Tests across entities.
