//! What is known of each neuron of a fit: its inverse information, degrees of freedom, and scale.

use ndarray::Array2;
use nemos_core::Backend;
use nemos_glm::{FeatureMask, Scale, SecondMoment};
use nemos_solvers::Status;

use crate::bread::{Bread, Known};
use crate::settings::Dispersion;
use crate::{Error, Inference, Reference, Unavailable, described};

/// What is known of one neuron.
#[derive(Clone, Debug)]
pub(crate) struct OfNeuron {
    /// Places of the coefficients that are free, among the parameters.
    pub(crate) free: Vec<usize>,
    /// Rows used: complete, with a count, of positive weight.
    pub(crate) n_rows: f64,
    /// What takes sums of losses to nats at scale one, for weights that are one on average.
    pub(crate) unit: f64,
    pub(crate) bread: Result<Bread, Unavailable>,
    /// Effective degrees of freedom, the intercept included.
    pub(crate) edf: f64,
    /// Scale of covariances.
    pub(crate) scale: f64,
    pub(crate) scale_is_estimated: bool,
}

impl OfNeuron {
    pub(crate) fn dof_resid(&self) -> f64 {
        self.n_rows - self.edf
    }

    /// What an estimate over its standard error is compared with.
    pub(crate) fn reference(&self) -> Reference {
        if self.scale_is_estimated {
            Reference::StudentT(self.dof_resid())
        } else {
            Reference::Normal
        }
    }

    /// What a quadratic form of `q` estimates, divided by `q` where the scale was estimated, is compared with.
    pub(crate) fn reference_of(&self, q: usize) -> Reference {
        if self.scale_is_estimated {
            Reference::F(q as f64, self.dof_resid())
        } else {
            Reference::ChiSquared(q as f64)
        }
    }
}

impl<B: Backend> Inference<'_, B> {
    /// The information of every neuron, inverted.
    pub(crate) fn breads(&self) -> Result<Vec<OfNeuron>, Error> {
        let free = self.free()?;
        if self.sparse.is_some() {
            let neurons = 0..self.model.neurons().len();
            return Ok(neurons.map(|neuron| self.of_neuron(neuron, &free, None)).collect());
        }
        let which = SecondMoment::Information(self.settings.information);
        let of = |neuron, information| self.of_neuron(neuron, &free, Some(information));
        Ok(self.objective.map_second_moments(&self.parameters, &which, of)?)
    }

    /// What is known of a neuron, with its information unless the penalty leaves no normal estimates.
    fn of_neuron(&self, neuron: usize, free: &Array2<bool>, information: Option<Array2<f64>>) -> OfNeuron {
        let n_rows = self.objective.n_counts()[neuron] as f64;
        let unit = self.objective.loss_factor(neuron) * n_rows / self.objective.total_weights()[neuron];
        let outcome = &self.model.outcome().columns[neuron];
        let n_parameters = self.parameters.n_parameters();
        let free: Vec<usize> = (0..n_parameters).filter(|&place| free[(place, neuron)]).collect();
        let ridge = self
            .ridge
            .as_ref()
            .map(|_| (0..n_parameters).map(|place| self.ridge_at(place, neuron)).collect());
        let known = Known {
            columns: &self.columns,
            free: &free,
            rank: (outcome.status == Status::Converged && ridge.is_none())
                .then(|| self.independent(outcome.rank, &free))
                .flatten(),
            ridge,
            precision: described::precision::<B>(),
        };
        let bread = match (information, outcome.status) {
            (None, _) => Err(Unavailable::Indefinite),
            (Some(_), Status::NoMaximum) => Err(Unavailable::NoMaximum),
            (Some(information), _) => Bread::new(&(information * unit), &known),
        };
        let n_intercepts = (self.model.n_predictors() - 1).max(1) as f64;
        let edf = match (&bread, self.sparse) {
            (_, Some(_)) => {
                let coef = self.model.parameters().column(neuron);
                n_intercepts + free.iter().filter(|&&place| coef[place] != 0.0).count() as f64
            }
            (Ok(bread), None) => {
                let shrunk = free
                    .iter()
                    .map(|&place| bread.inverse.diagonal(place) * self.ridge_at(place, neuron));
                n_intercepts + bread.rank as f64 - shrunk.sum::<f64>()
            }
            (Err(_), None) => n_intercepts + self.independent(outcome.rank, &free).unwrap_or(free.len()) as f64,
        };
        OfNeuron {
            free,
            n_rows,
            unit,
            bread,
            edf,
            scale: 1.0,
            scale_is_estimated: false,
        }
    }

    /// `[n_parameters, n_neurons]`: which parameters are coefficients that were free.
    fn free(&self) -> Result<Array2<bool>, Error> {
        let (n_features, n_neurons, n_predictors) = (self.n_features(), self.model.neurons().len(), self.model.n_predictors());
        let mask = match &self.model.options().mask {
            None => None,
            // Of a classifier, a flag for every class, or one for all of them.
            Some(FeatureMask::Coefficients(all)) if all.dim() == (n_features, n_neurons * n_predictors) => {
                Some((all.clone(), n_predictors))
            }
            Some(mask) => Some((mask.resolve(self.model.features(), n_features, n_neurons)?, 1)),
        };
        let dims = (self.parameters.n_parameters(), n_neurons);
        Ok(Array2::from_shape_fn(dims, |(place, neuron)| {
            let (predictor, feature) = (place / self.columns.width(), place % self.columns.width());
            let is_free = |(mask, per_neuron): &(Array2<bool>, usize)| mask[(feature, neuron * per_neuron + predictor % per_neuron)];
            feature < n_features && mask.as_ref().is_none_or(is_free)
        }))
    }

    /// Directions of the coefficients that the rows see, where a fit counted so many: of classes, whose fit counts all, one follows
    /// from the others. Nothing where a mask differs between classes.
    pub(crate) fn independent(&self, rank: usize, free: &[usize]) -> Option<usize> {
        let (n_predictors, width) = (self.model.n_predictors(), self.columns.width());
        let in_all = |&&place: &&usize| (0..n_predictors).all(|predictor| free.contains(&(predictor * width + place % width)));
        let is_same = n_predictors == 1 || free.iter().filter(in_all).count() == free.len();
        is_same.then(|| rank.min(free.len()) / n_predictors * (n_predictors - 1).max(1))
    }

    /// Fills in the scales of covariances.
    pub(crate) fn scales(&mut self) -> Result<(), Error> {
        let known = match (self.settings.dispersion, self.kind.scale) {
            (Dispersion::Known(scale), _) => Some(scale),
            (Dispersion::Model, Scale::Pearson) | (Dispersion::Pearson, _) => None,
            (Dispersion::Model, _) => Some(1.0),
        };
        let chi2 = match known {
            Some(_) => vec![f64::NAN; self.of_neurons.len()],
            None => self.model.pearson_chi2(&self.design, &self.counts)?,
        };
        for (neuron, chi2) in self.of_neurons.iter_mut().zip(chi2) {
            neuron.scale_is_estimated = known.is_none();
            let dof = neuron.dof_resid();
            neuron.scale = known.unwrap_or(if dof > 1e-9 { chi2 / dof } else { f64::NAN });
            if neuron.scale.is_nan() && neuron.bread.is_ok() {
                neuron.bread = Err(Unavailable::NoDegreesOfFreedom);
            }
        }
        Ok(())
    }
}
