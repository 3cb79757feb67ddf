//! What a fit leaves: parameters, how it ended, and the names of what it was fitted to.

use nemos_core::Backend;
use nemos_core::{Design, Names};
use nemos_solvers::{ColumnOutcome, Outcome, Parameters, Status};

use crate::Error;

/// The result of a fit, one column per neuron.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fit {
    pub(crate) parameters: Parameters,
    pub(crate) outcome: Outcome,
    /// Residual degrees of freedom per neuron.
    pub(crate) dof_resid: Vec<f64>,
    /// Scale per neuron.
    pub(crate) scale: Vec<f64>,
    /// Whether the design had an offset.
    pub(crate) has_offset: bool,
    /// Names of the features.
    pub(crate) features: Names,
    /// Names of the neurons.
    pub(crate) neurons: Vec<String>,
}

impl Fit {
    /// Parameters that were not fitted here.
    pub(crate) fn given(parameters: Parameters, n_predictors: usize, scale: f64) -> Self {
        let n_neurons = parameters.n_problems();
        let rank = parameters.n_parameters() - n_predictors;
        Fit {
            outcome: Outcome::new("none", vec![ColumnOutcome::new(Status::Given, rank); n_neurons]),
            dof_resid: vec![f64::NAN; n_neurons],
            scale: vec![scale; n_neurons],
            has_offset: false,
            features: Names::none(),
            neurons: (0..n_neurons).map(|neuron| neuron.to_string()).collect(),
            parameters,
        }
    }

    pub(crate) fn n_neurons(&self) -> usize {
        self.parameters.n_problems()
    }

    /// The fits of these neurons.
    pub(crate) fn select(&self, neurons: &[usize]) -> Fit {
        let of = |values: &[f64]| neurons.iter().map(|&neuron| values[neuron]).collect();
        let columns = neurons.iter().map(|&neuron| self.outcome.columns[neuron].clone());
        Fit {
            parameters: self.parameters.select(neurons),
            outcome: Outcome::new(self.outcome.solver.clone(), columns.collect()),
            dof_resid: of(&self.dof_resid),
            scale: of(&self.scale),
            has_offset: self.has_offset,
            features: self.features.clone(),
            neurons: neurons.iter().map(|&neuron| self.neurons[neuron].clone()).collect(),
        }
    }

    /// Whether there is one value per neuron.
    pub(crate) fn one_per_neuron(&self, got: usize) -> Result<(), Error> {
        let coef = self.n_neurons();
        if got == coef {
            Ok(())
        } else {
            Err(Error::Parameters { coef, intercept: got })
        }
    }

    pub(crate) fn set_names(&mut self, (features, neurons): (Names, Vec<String>), n_features: usize) -> Result<(), Error> {
        features.check(n_features)?;
        self.one_per_neuron(neurons.len())?;
        (self.features, self.neurons) = (features, neurons);
        Ok(())
    }

    pub(crate) fn require_converged(&self) -> Result<(), Error> {
        match self.outcome.first_failure() {
            None => Ok(()),
            Some((neuron, status)) => Err(Error::NotConverged { neuron, status }),
        }
    }

    /// Names for a column of each neuron.
    pub(crate) fn names(&self) -> Names {
        Names::new(self.neurons.iter().cloned())
    }

    /// That a design has a column for each coefficient, under the names of the fit where both have names.
    pub(crate) fn check_design<B: Backend>(&self, design: &Design<'_, B>, n_features: usize) -> Result<(), Error> {
        check_columns("design", design, n_features, "one per fitted coefficient")?;
        self.features.check_same("design", design.names())?;
        Ok(())
    }

    /// The same of counts or labels, and neurons.
    pub(crate) fn check_counts<B: Backend>(&self, name: &'static str, counts: &Design<'_, B>) -> Result<(), Error> {
        check_columns(name, counts, self.neurons.len(), "one per fitted neuron")?;
        // Neurons without names have their numbers.
        self.names().check_same(name, counts.names())?;
        Ok(())
    }
}

fn check_columns<B: Backend>(name: &'static str, values: &Design<'_, B>, expected: usize, why: &'static str) -> Result<(), Error> {
    let got = values.n_columns();
    if got == expected {
        return Ok(());
    }
    Err(nemos_core::Error::Columns { name, got, expected, why }.into())
}
