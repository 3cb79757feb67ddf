//! Coefficients as a table.

use std::fmt;

use nemos_core::five_digits;

use crate::fitted::fit::Fit;

// A screenful.
const ROWS: usize = 24;
const COLUMNS: usize = 8;

/// One row for each feature and one for the intercept, one column for each of `labels`, a neuron or one of its classes;
/// then how the fits ended.
pub(crate) fn write(to: &mut fmt::Formatter<'_>, fit: &Fit, labels: &[String]) -> fmt::Result {
    let n_neurons = fit.n_neurons();
    let parameters = fit.parameters.as_slice();
    let n_features = parameters.len() / labels.len().max(1) - 1;
    let mut names = fit.features.labels(n_features);
    names.push("intercept".into());
    let shown = &labels[..labels.len().min(COLUMNS)];
    let rows: Vec<usize> = if n_features < ROWS {
        (0..=n_features).collect()
    } else {
        (0..ROWS - 1).chain([n_features]).collect()
    };
    let label = rows.iter().map(|&row| names[row].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = shown.iter().map(|name| name.chars().count().max(10)).collect();
    write!(to, "{:label$}", "")?;
    for (name, width) in shown.iter().zip(&widths) {
        write!(to, "  {name:>width$}")?;
    }
    writeln!(to, "{}", if labels.len() > COLUMNS { "  …" } else { "" })?;
    for &row in &rows {
        if row == n_features && n_features >= ROWS {
            writeln!(to, "… {} more", n_features - (ROWS - 1))?;
        }
        write!(to, "{:label$}", names[row])?;
        for (column, width) in parameters.chunks_exact(n_features + 1).zip(&widths) {
            write!(to, "  {}", five_digits(column[row], *width))?;
        }
        writeln!(to)?;
    }
    let converged = fit
        .outcome
        .statuses()
        .filter(|status| *status == nemos_solvers::Status::Converged)
        .count();
    match (converged == n_neurons, fit.outcome.first_failure()) {
        (false, Some((neuron, status))) => write!(
            to,
            "{}: {converged} of {n_neurons} converged; {}: {status}",
            fit.outcome.solver, fit.neurons[neuron]
        ),
        _ => write!(to, "{}: all converged", fit.outcome.solver),
    }
}
