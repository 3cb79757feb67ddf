//! Fitted models in words: how the fit ended, what the states are, how they follow each other, and what there is to know.

use std::fmt;

use ndarray::Array2;
use nemos_core::{counted, five_digits};

use crate::state_model::StateModel;
use crate::{FittedGlmHmm, HmmParameters, HmmStatus};

// A screenful.
const ROWS: usize = 12;
const COLUMNS: usize = 6;
const NOTES: usize = 6;
const WIDTH: usize = 10;

/// Two tables, as much of them as fits on a screen: coefficients, one column for each neuron (and class) in each state; and states, with
/// their occupancy, expected stay, and the probabilities of what follows.
impl<S: StateModel> fmt::Display for FittedGlmHmm<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = &self.parameters;
        let states = counted(parameters.n_states(), "state");
        let neurons = counted(parameters.n_neurons(), "neuron");
        let features = counted(parameters.n_features(), "feature");
        write!(f, "{states}, {neurons}, {features}: {}", self.status)?;
        if self.status != HmmStatus::Given {
            let iterations = counted(self.iterations(), "iteration");
            let log_likelihood = self.log_likelihood;
            write!(f, " after {iterations}, log-likelihood {log_likelihood:.3}\n{}", self.starts())?;
        }
        writeln!(f)?;
        coefficients(self, None).write(f)?;
        let transitions = parameters.transitions();
        if transitions.drive().is_some() {
            let inputs = counted(transitions.n_inputs(), "covariate");
            writeln!(f, "transitions where {inputs} that drive them are zero:")?;
        }
        following(self, None).write(f)?;
        for finding in self.findings.iter().take(NOTES) {
            writeln!(f, "note: {finding}")?;
        }
        match self.findings.len() {
            n if n > NOTES => writeln!(f, "… {}", counted(n - NOTES, "more note")),
            _ => Ok(()),
        }
    }
}

impl<S: StateModel> FittedGlmHmm<S> {
    /// How many starts agree.
    fn starts(&self) -> String {
        let (begun, (agreeing, ended)) = (self.restarts().len(), self.agreement());
        match begun {
            1 => "one start".into(),
            _ if ended == begun => format!("{agreeing} of {begun} starts agree"),
            _ => format!("{agreeing} of the {ended} starts followed to the end agree, {begun} begun"),
        }
    }
}

/// What a column of standard errors is called.
const ERROR: &str = "s.e.";

/// Coefficients, intercepts and scales of every neuron in every state, with their standard errors where there are some.
pub(crate) fn coefficients<S: StateModel>(fitted: &FittedGlmHmm<S>, errors: Option<&HmmParameters>) -> Table {
    let parameters = &fitted.parameters;
    let (n_states, n_predictors) = (parameters.n_states(), parameters.n_predictors());
    let width = parameters.n_features() + 1;
    let mut rows = fitted.described.features.labels(parameters.n_features());
    rows.push("intercept".into());
    let has_scales = parameters.scales.iter().any(|scale| *scale != 1.0);
    if has_scales {
        rows.push("scale".into());
    }
    let mut table = Table {
        always: rows.len() - (width - 1),
        rows,
        columns: Vec::new(),
    };
    let names = fitted.neurons();
    // The states of a neuron side by side.
    for (neuron, name) in names.iter().enumerate() {
        for (state, class) in (0..n_states).flat_map(|state| (0..n_predictors).map(move |class| (state, class))) {
            let mut label = format!("state {state}");
            if n_predictors > 1 {
                label = format!("{label}[{class}]");
            }
            if names.len() > 1 {
                label = format!("{name}: {label}");
            }
            let problem = state * names.len() + neuron;
            let of = |parameters: &HmmParameters| {
                let mut values = parameters.glms.column(problem)[class * width..(class + 1) * width].to_vec();
                if has_scales {
                    values.push(parameters.scales[problem]);
                }
                values
            };
            table.columns.push((label, of(parameters)));
            table.columns.extend(errors.map(|errors| (ERROR.into(), of(errors))));
        }
    }
    table
}

/// Occupancy and expected stay of each state, and the probabilities of the next, with their standard errors where there are some.
pub(crate) fn following<S: StateModel>(fitted: &FittedGlmHmm<S>, errors: Option<&Array2<f64>>) -> Table {
    let n = fitted.parameters.n_states();
    let mut columns = Vec::new();
    if errors.is_none() {
        if fitted.status != HmmStatus::Given {
            columns.push(("occupancy".into(), fitted.occupancy().to_vec()));
        }
        columns.push(("dwell".into(), fitted.expected_dwell()));
    }
    let step = fitted.parameters.transitions.at_zero();
    for next in 0..n {
        columns.push((format!("to {next}"), (0..n).map(|state| step[state * n + next]).collect()));
        columns.extend(errors.map(|errors| (ERROR.into(), errors.column(next).to_vec())));
    }
    Table {
        rows: (0..n).map(|state| format!("state {state}")).collect(),
        always: 0,
        columns,
    }
}

/// Named rows of named columns.
pub(crate) struct Table {
    rows: Vec<String>,
    /// So many rows at the end are shown however many there are.
    always: usize,
    columns: Vec<(String, Vec<f64>)>,
}

impl Table {
    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left_out = self.rows.len().saturating_sub(ROWS);
        let first = self.rows.len() - left_out - self.always;
        let shown: Vec<usize> = (0..first).chain(self.rows.len() - self.always..self.rows.len()).collect();
        let label = shown.iter().map(|&row| self.rows[row].chars().count()).max().unwrap_or(0);
        let columns = &self.columns[..self.columns.len().min(COLUMNS)];
        let more = if self.columns.len() > COLUMNS { "  …" } else { "" };
        write!(f, "{:label$}", "")?;
        for (name, _) in columns {
            write!(f, "  {name:>WIDTH$}")?;
        }
        writeln!(f, "{more}")?;
        for (place, &row) in shown.iter().enumerate() {
            if place == first && left_out > 0 {
                writeln!(f, "… {left_out} more")?;
            }
            write!(f, "{:label$}", self.rows[row])?;
            for (name, values) in columns {
                write!(f, "  {}", five_digits(values[row], WIDTH.max(name.chars().count())))?;
            }
            writeln!(f)?;
        }
        if self.always == 0 && left_out > 0 {
            writeln!(f, "… {left_out} more")?;
        }
        Ok(())
    }
}
