//! The rows of printed tables: a coefficient each.

use std::fmt;

use crate::format::{number, probability};
use crate::{Estimates, Reference, Standing};

// The level of the intervals that are printed.
const LEVEL: f64 = 0.95;

/// A text that may hold commas.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}

/// All numbers of the coefficients.
pub(crate) struct Table {
    columns: [ndarray::Array2<f64>; 4],
    confidence: ndarray::Array3<f64>,
}

impl Table {
    pub(crate) fn new(estimates: &Estimates) -> Self {
        Table {
            columns: [
                estimates.parameters(),
                estimates.standard_errors(),
                estimates.statistics(),
                estimates.p_values(),
            ],
            confidence: estimates.confidence(LEVEL).expect("a level between 0 and 1"),
        }
    }

    fn row(&self, parameter: usize, neuron: usize) -> [f64; 6] {
        let [estimate, error, statistic, p] = [0, 1, 2, 3].map(|column| self.columns[column][(parameter, neuron)]);
        let [lower, upper] = [0, 1].map(|end| self.confidence[(parameter, neuron, end)]);
        [estimate, error, statistic, p, lower, upper]
    }

    /// A row of a file: `estimate, standard_error, statistic, p, lower_95, upper_95, standing`.
    pub(crate) fn cells(&self, estimates: &Estimates, parameter: usize, neuron: usize) -> String {
        let cell = |value: f64| if value.is_nan() { String::new() } else { value.to_string() };
        let numbers = self.row(parameter, neuron).map(cell).join(",");
        let standing = match estimates.standing(parameter, neuron) {
            Standing::Estimated => "estimated",
            Standing::Masked => "masked",
            Standing::NotEstimable { .. } => "not estimable",
            Standing::Unavailable(_) => "unavailable",
        };
        format!("{numbers},{standing}")
    }
}

/// Writes the coefficients of a neuron, and below them which cannot be told.
pub(crate) fn write_rows(formatter: &mut fmt::Formatter<'_>, (estimates, table): (&Estimates, &Table), neuron: usize) -> fmt::Result {
    let width = estimates.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let letter = if matches!(estimates.each[neuron].reference, Reference::StudentT(_)) {
        "t"
    } else {
        "z"
    };
    writeln!(
        formatter,
        "{:width$}  {:>10}  {:>10}  {letter:>8}  {:>8}  {:>10}  {:>10}",
        "",
        "estimate",
        "std. error",
        format!("P>|{letter}|"),
        "[2.5 %",
        "97.5 %]"
    )?;
    let mut unseen: Vec<&str> = Vec::new();
    for (parameter, name) in estimates.names.iter().enumerate() {
        let [estimate, error, statistic, p, lower, upper] = table.row(parameter, neuron);
        write!(formatter, "{name:width$}  {}", number(estimate, 10))?;
        match estimates.standing(parameter, neuron) {
            Standing::Estimated => writeln!(
                formatter,
                "  {}  {statistic:>8.3}  {:>8}  {}  {}",
                number(error, 10),
                probability(p),
                number(lower, 10),
                number(upper, 10)
            )?,
            Standing::Masked => writeln!(formatter, "  held at zero")?,
            _ => {
                unseen.push(name);
                writeln!(formatter, "  not estimable alone")?;
            }
        }
    }
    if !unseen.is_empty() {
        writeln!(
            formatter,
            "not estimable alone, because they add up to a constant or to each other: {}; their differences, curves and tests of the whole block are",
            unseen.join(", ")
        )?;
    }
    Ok(())
}
