//! What a search found: a row for each candidate.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Rule;
use crate::row::{Row, mean, std_error};

/// What a search found: for each candidate its scores on every fold, over all neurons and of each. Prints as a table, the
/// best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Table {
    pub(crate) scoring: String,
    pub(crate) neurons: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One point of a score curve.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CurvePoint {
    /// The value of the parameter.
    pub at: f64,
    /// The mean score over folds.
    pub mean: f64,
    /// Its standard error.
    pub std_error: f64,
    /// `[n_folds]`
    pub scores: Vec<f64>,
}

impl Table {
    /// The rows, one for each candidate, in the order of the grid.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The names of the neurons.
    pub fn neurons(&self) -> &[String] {
        &self.neurons
    }

    /// What was scored.
    pub fn scoring(&self) -> &str {
        &self.scoring
    }

    /// Numbers of the rows, the best first; those without a score last.
    pub fn ranking(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let key = |row: usize| {
            Some(self.rows[row].mean())
                .filter(|mean| !mean.is_nan())
                .unwrap_or(f64::NEG_INFINITY)
        };
        order.sort_by(|&a, &b| key(b).total_cmp(&key(a)).then(a.cmp(&b)));
        order
    }

    /// The number of the row that a rule chooses for all neurons together; nothing if no row has a score. Of equal ones it is the
    /// first.
    pub fn choose(&self, rule: Rule) -> Option<usize> {
        self.choose_by(rule, None)
    }

    /// The number of the row that a rule chooses for one neuron. A fold in which the neuron has no score, because it is silent
    /// there, is left out for every candidate.
    pub fn choose_for(&self, neuron: usize, rule: Rule) -> Option<usize> {
        self.choose_by(rule, Some(neuron))
    }

    fn choose_by(&self, rule: Rule, neuron: Option<usize>) -> Option<usize> {
        let mut scores: Vec<Vec<f64>> = self
            .rows
            .iter()
            .map(|row| neuron.map_or_else(|| row.scores().to_vec(), |neuron| row.scores_of(neuron)))
            .collect();
        if neuron.is_some() {
            let n_folds = scores.iter().map(Vec::len).max().unwrap_or(0);
            let told = |fold: usize| scores.iter().any(|scores| scores.get(fold).is_some_and(|score| !score.is_nan()));
            let kept: Vec<usize> = (0..n_folds).filter(|&fold| told(fold)).collect();
            scores = scores
                .into_iter()
                .map(|scores| kept.iter().filter_map(|&fold| scores.get(fold).copied()).collect())
                .collect();
        }
        let mut best: Option<(usize, f64)> = None;
        for (row, scores) in scores.iter().enumerate() {
            let mean = mean(scores);
            if !mean.is_nan() && best.is_none_or(|(_, known)| mean > known) {
                best = Some((row, mean));
            }
        }
        let (first, highest) = best?;
        match rule {
            Rule::Best => Some(first),
            Rule::OneStandardError => {
                let error = std_error(&scores[first]);
                let least = if error.is_nan() { highest } else { highest - error };
                let near = (0..self.rows.len()).filter(|&row| mean(&scores[row]) >= least);
                let simplest = near.min_by(|&a, &b| {
                    let (a, b) = (self.rows[a].complexity(neuron), self.rows[b].complexity(neuron));
                    a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
                });
                simplest.or(Some(first))
            }
        }
    }

    /// How the score goes with one parameter: a point for each of its values, in rising order. Where other parameters vary
    /// too, a point is the best candidate that has the value.
    pub fn curve(&self, path: &str) -> Vec<CurvePoint> {
        let mut points: Vec<CurvePoint> = Vec::new();
        for row in &self.rows {
            let (Some(at), mean) = (row.settings().get(path).and_then(crate::Value::as_number), row.mean()) else {
                continue;
            };
            if mean.is_nan() {
                continue;
            }
            let point = CurvePoint {
                at,
                mean,
                std_error: row.std_error(),
                scores: row.scores().to_vec(),
            };
            match points.iter_mut().find(|known| known.at == at) {
                Some(known) if known.mean >= mean => {}
                Some(known) => *known = point,
                None => points.push(point),
            }
        }
        points.sort_by(|a, b| a.at.total_cmp(&b.at));
        points
    }

    /// Comma-separated values, one line for each candidate: a column for each parameter, then `mean`, `std_error`, `size`, one score for
    /// each fold, and the reason of a failure.
    pub fn to_csv(&self) -> String {
        let mut paths: Vec<&str> = Vec::new();
        for (path, _) in self.rows.iter().flat_map(|row| row.settings().iter()) {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        let n_folds = self.rows.iter().map(|row| row.scores().len()).max().unwrap_or(0);
        let quoted = |text: &str| match text.contains([',', '"', '\n']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_owned(),
        };
        let number = |value: f64| if value.is_nan() { String::new() } else { value.to_string() };
        let heads = paths.iter().map(|path| quoted(path));
        let fixed = ["mean", "std_error", "size"].map(String::from);
        let heads: Vec<String> = heads
            .chain(fixed)
            .chain((0..n_folds).map(|fold| format!("fold_{fold}")))
            .chain(["failure".to_owned()])
            .collect();
        let line = |row: &Row| {
            let value = |path: &&str| match row.settings().get(path) {
                None => String::new(),
                Some(value) => value
                    .as_number()
                    .map_or_else(|| quoted(&value.to_string()), |number| number.to_string()),
            };
            let cells: Vec<String> = paths
                .iter()
                .map(value)
                .chain([row.mean(), row.std_error(), row.size()].map(number))
                .chain((0..n_folds).map(|fold| row.scores().get(fold).copied().map_or_else(String::new, number)))
                .chain([quoted(row.failure().unwrap_or_default())])
                .collect();
            cells.join(",") + "\n"
        };
        std::iter::once(heads.join(",") + "\n").chain(self.rows.iter().map(line)).collect()
    }
}

// A screenful.
const SHOWN: usize = 24;

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = self.ranking();
        let shown = &order[..order.len().min(SHOWN)];
        let labels: Vec<String> = shown.iter().map(|&row| self.rows[row].settings().to_string()).collect();
        let width = labels.iter().map(|label| label.chars().count()).chain([9]).max().unwrap_or(9);
        writeln!(f, "{:width$}  {:>10}  {:>10}  {:>8}", "candidate", "mean", "std error", "size")?;
        for (label, &row) in labels.iter().zip(shown) {
            let row = &self.rows[row];
            if let Some(failure) = row.failure() {
                writeln!(f, "{label:width$}  {failure}")?;
                continue;
            }
            write!(
                f,
                "{label:width$}  {:>10.5}  {:>10.5}  {:>8.1}",
                row.mean(),
                row.std_error(),
                row.size()
            )?;
            match row.n_unconverged() {
                0 => writeln!(f)?,
                n => writeln!(f, "  {n} of its fits did not converge")?,
            }
        }
        if order.len() > SHOWN {
            writeln!(f, "… {} more", order.len() - SHOWN)?;
        }
        let n_folds = self.rows.iter().map(|row| row.scores().len()).max().unwrap_or(0);
        let counted = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
        let (folds, neurons) = (counted(n_folds, "fold"), counted(self.neurons.len(), "neuron"));
        write!(f, "{} on {folds}, {neurons}; more is better", self.scoring)
    }
}
