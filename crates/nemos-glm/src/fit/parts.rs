//! A fit in groups of neurons: each as a task of its own, and their results side by side.

use ndarray::Array2;
use nemos_core::Backend;
use nemos_solvers::{Outcome, Parameters, Regularizer};

use crate::fit::groups::Group;
use crate::fit::task::{Options, Task};
use crate::fitted::fit::Fit;
use crate::{Error, FeatureMask};

/// The fit of one group.
pub(crate) struct PartOfTask<'a, B: Backend> {
    pub(crate) task: Task<'a, B>,
    pub(crate) options: Options,
    pub(crate) regularizer: Regularizer,
}

impl<'a, B: Backend> Task<'a, B> {
    /// The features and neurons of a group, with what belongs to them; `free` is `[n_predictors · n_features, n_neurons]`.
    pub(crate) fn part(
        &self,
        options: &Options,
        regularizer: &Regularizer,
        group: &Group,
        free: Option<&Array2<bool>>,
    ) -> Result<PartOfTask<'a, B>, Error> {
        let (n_predictors, n_targets) = (self.model.n_predictors(), self.model.n_targets());
        let (neurons, n_features) = (&group.neurons, self.design.n_columns());
        let all = || (0..n_features).collect();
        let features = group.features.clone().unwrap_or_else(all);
        let mut design = match &group.features {
            Some(features) => self.design.select_columns(features)?,
            None => self.design.clone(),
        };
        if let Some(weights) = design.weights().filter(|weights| weights.dims()[1] > 1) {
            let weights = weights.select_columns(neurons)?;
            design = design.with_weights(weights)?;
        }
        if let Some(offset) = design.offset().filter(|offset| offset.dims()[1] > 1) {
            let offset = offset.select_columns(neurons)?;
            design = design.with_offset(offset)?;
        }
        let targets: Vec<usize> = neurons
            .iter()
            .flat_map(|neuron| neuron * n_targets..(neuron + 1) * n_targets)
            .collect();
        let mask = free.map(|free| {
            FeatureMask::Coefficients(Array2::from_shape_fn((features.len(), neurons.len() * n_predictors), |(i, j)| {
                free[(j % n_predictors * n_features + features[i], neurons[j / n_predictors])]
            }))
        });
        let start = options.start.as_ref().map(|start| {
            let (expected, got) = (
                [n_predictors * (n_features + 1) - 1, self.n_neurons()],
                [start.n_parameters() - 1, start.n_problems()],
            );
            if got != expected {
                return Err(Error::StartShape { got, expected });
            }
            let mut part = Parameters::zeros(n_predictors * (features.len() + 1), neurons.len());
            for (place, &neuron) in neurons.iter().enumerate() {
                let pairs = part.column_mut(place).chunks_exact_mut(features.len() + 1);
                for (to, from) in pairs.zip(start.column(neuron).chunks_exact(n_features + 1)) {
                    to.iter_mut()
                        .zip(features.iter().chain([&n_features]))
                        .for_each(|(to, &feature)| *to = from[feature]);
                }
            }
            Ok(part)
        });
        Ok(PartOfTask {
            regularizer: regularizer.select(&features, neurons, n_predictors),
            options: Options {
                mask,
                start: start.transpose()?,
                ..options.clone()
            },
            task: Task {
                model: self.model.clone(),
                counts: self.counts.select_columns(&targets)?,
                design,
            },
        })
    }
}

/// Fits of groups as one of all neurons.
pub(crate) struct Whole {
    n_features: usize,
    n_predictors: usize,
    fit: Fit,
}

impl Whole {
    pub(crate) fn new<B: Backend>(task: &Task<'_, B>, neurons: Vec<String>) -> Self {
        let (n_features, n_predictors, n_neurons) = (task.design.n_columns(), task.model.n_predictors(), neurons.len());
        let parameters = Parameters::zeros(n_predictors * (n_features + 1), n_neurons);
        let mut fit = Fit::given(parameters, n_predictors, f64::NAN);
        (fit.features, fit.neurons) = (task.design.names().clone(), neurons);
        fit.has_offset = task.design.offset().is_some();
        Whole {
            n_features,
            n_predictors,
            fit,
        }
    }

    /// Takes in the fit of a group.
    pub(crate) fn take(&mut self, group: &Group, part: Fit) {
        let all: Vec<usize> = (0..self.n_features).collect();
        let features = group.features.as_ref().unwrap_or(&all);
        let columns = part.outcome.columns.into_iter().zip(&group.neurons);
        columns.for_each(|(column, &neuron)| self.fit.outcome.columns[neuron] = column);
        self.fit.outcome = Outcome::new(part.outcome.solver, std::mem::take(&mut self.fit.outcome.columns));
        for (place, &neuron) in group.neurons.iter().enumerate() {
            self.fit.scale[neuron] = part.scale[place];
            self.fit.dof_resid[neuron] = part.dof_resid[place];
            let from = part.parameters.column(place).chunks_exact(features.len() + 1);
            let to = self.fit.parameters.column_mut(neuron).chunks_exact_mut(self.n_features + 1);
            debug_assert_eq!(from.len(), self.n_predictors);
            for (to, from) in to.zip(from) {
                features
                    .iter()
                    .chain([&self.n_features])
                    .zip(from)
                    .for_each(|(&feature, value)| to[feature] = *value);
            }
        }
    }

    pub(crate) fn fit(self) -> Fit {
        self.fit
    }
}

impl Group {
    /// An error of the fit of this group, with the numbers that neurons and columns have among all.
    pub(crate) fn of_all(&self, error: Error, n_targets: usize) -> Error {
        let neuron_of = |neuron: usize| self.neurons.get(neuron).copied().unwrap_or(neuron);
        let column_of = |name: &str, column: usize| match (name, &self.features) {
            ("counts", _) => neuron_of(column / n_targets) * n_targets + column % n_targets,
            ("design", Some(features)) => features.get(column).copied().unwrap_or(column),
            _ => column,
        };
        match error {
            Error::NeuronMissing { neuron } => Error::NeuronMissing { neuron: neuron_of(neuron) },
            Error::NoWeight { neuron } => Error::NoWeight { neuron: neuron_of(neuron) },
            Error::NoIntercept { neuron, mean } => Error::NoIntercept {
                neuron: neuron_of(neuron),
                mean,
            },
            Error::Data(nemos_core::Error::Infinite { name, row, column }) => Error::Data(nemos_core::Error::Infinite {
                name,
                row,
                column: column_of(name, column),
            }),
            Error::OutsideSupport {
                value,
                row,
                column,
                expected,
            } => Error::OutsideSupport {
                value,
                row,
                column: column_of("counts", column),
                expected,
            },
            other => other,
        }
    }
}
