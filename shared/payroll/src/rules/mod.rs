//! Comparisons and results: discrepancies, incidences, seal. Pure.
