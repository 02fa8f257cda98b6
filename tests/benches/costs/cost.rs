//! Requests and capacity units.

use serde_json::Value;

/// Requests, write units, read units.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) requests: f64,
    pub(crate) writes: f64,
    pub(crate) reads: f64,
}

impl Cost {
    /// Out of a log line's fields.
    pub(crate) fn of_line(line: &Value) -> Self {
        let figure = |field: &str| line[field].as_f64().unwrap_or_default();
        Self {
            requests: figure("dynamodb_requests"),
            writes: figure("write_units_tenths") / 10.0,
            reads: figure("read_units_tenths") / 10.0,
        }
    }

    /// The prices are those of the report's head.
    pub(crate) fn dollars(self) -> f64 {
        (self.writes * 0.625 + self.reads * 0.125) / 1_000_000.0
    }

    /// The share of one of so many.
    pub(crate) fn per(self, count: f64) -> Self {
        Self {
            requests: self.requests / count,
            writes: self.writes / count,
            reads: self.reads / count,
        }
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |sum, cost| Self {
            requests: sum.requests + cost.requests,
            writes: sum.writes + cost.writes,
            reads: sum.reads + cost.reads,
        })
    }
}
