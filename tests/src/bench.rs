//! Benches: figures, each beside one of another program from the same run where there is a comparable one.

pub mod connect;
pub mod inventory_table;
pub mod links;
pub mod log_search;
pub mod log_view;
pub mod logs;
pub mod mesh;
pub mod narrow;
pub mod process;
pub mod relay;
pub mod rpc;
pub mod start;

use std::borrow::Cow;

use serde::Serialize;

/// A measured value: one line of output.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub bench: &'static str,
    pub figure: Cow<'static, str>,
    pub value: f64,
    pub unit: &'static str,
    /// The name of what the value is compared with.
    pub vs: Option<&'static str>,
    /// Our value divided by the other one.
    pub ratio: Option<f64>,
}

impl Figure {
    #[must_use]
    pub fn new(
        bench: &'static str,
        figure: impl Into<Cow<'static, str>>,
        value: f64,
        unit: &'static str,
    ) -> Self {
        Self {
            bench,
            figure: figure.into(),
            value: rounded(value),
            unit,
            vs: None,
            ratio: None,
        }
    }

    /// The same figure compared with another value in the same unit.
    #[must_use]
    pub fn beside(mut self, vs: &'static str, other: f64) -> Self {
        self.vs = Some(vs);
        self.ratio = Some(rounded(self.value / other));
        self
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The value below which `percent` of the sorted values lie.
#[must_use]
pub fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or(f64::NAN)
}
