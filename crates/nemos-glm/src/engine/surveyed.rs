//! What a survey found, taken in by an objective; and taken again by a fit that goes on.

use std::sync::Arc;

use ndarray::Array2;
use nemos_core::tensor::DType;
use nemos_core::{Backend, Matrix};
use nemos_solvers::{ExpectedCurvature, Moments};

use crate::Support;
use crate::engine::model::{At, Information};
use crate::engine::numbers::Numbers;
use crate::engine::objective::GlmObjective;
use crate::engine::survey::FoldMoments;
use crate::engine::tensors::row;
use crate::fit::start;

impl<B: Backend> GlmObjective<'_, B> {
    /// Takes in what a survey found: its totals, and these moments.
    pub(super) fn take(&mut self, moments: Option<FoldMoments>) -> Result<(), crate::Error> {
        self.start = start::parameters::<B>(&*self.model, &self.totals, self.data.design.n_columns(), &self.problems)?;
        let (support, totals) = (self.model.support(), &self.totals);
        let on_edge = (0..self.problems.n_problems()).map(|problem| support.on_edge(totals.n_above[problem], totals.n_counts[problem]));
        self.on_edge = on_edge.collect();
        self.divisor = self.problems.divisors().map_or_else(|| totals.weight.clone(), <[f64]>::to_vec);
        if let Some(moments) = moments {
            self.centre = centre::<B>(&moments.moments[0]);
            self.expected = Some(self.expect(moments));
            self.hold_all_but(self.free.clone());
        }
        Ok(())
    }

    /// What is known of curvature before the first step: where only the intercept acts, every row has the same.
    fn expect(&self, moments: FoldMoments) -> ExpectedCurvature {
        let n_predictors = self.model.n_predictors();
        let n_problems = self.problems.n_problems();
        let stride = self.start.n_parameters() / n_predictors;
        let predictor = (0..n_problems * n_predictors).map(|place| {
            let offset = self.totals.mean_offset[place / n_predictors];
            self.start.as_slice()[(place + 1) * stride - 1] + offset
        });
        let factor: Vec<f64> = self.scale.iter().map(|&scale| self.model.loss_factor(scale)).collect();
        let at = At {
            predictor: row::<B>(&predictor.collect::<Vec<_>>()),
            scale: row::<B>(&self.scale),
            factor: row::<B>(&factor),
        };
        let n_targets = self.model.n_targets();
        // Which label it is does not change the curvature, but it has to be one.
        let is_label = n_targets == 1 && matches!(self.model.support(), Support::Classes(_));
        let mean = (0..n_problems * n_targets).map(|place| match is_label {
            true => 0.0,
            false => self.totals.mean[(place % n_targets, place / n_targets)],
        });
        let mean = row::<B>(&mean.collect::<Vec<_>>());
        let mut weight = Array2::zeros((n_predictors, n_problems));
        for predictor in 0..n_predictors {
            let curvature = self
                .model
                .curvature(Information::Expected, mean.clone(), at.clone(), (predictor, predictor));
            for (problem, value) in Matrix::<B>::from_tensor(curvature).to_vec().into_iter().enumerate() {
                let usable = if value.is_finite() && value > 0.0 { value.max(1e-8) } else { 1.0 };
                // Curvatures are of the loss; what is minimised is its sum over a divisor.
                weight[(predictor, problem)] = usable * self.totals.weight[problem] / self.divisor[problem];
            }
        }
        ExpectedCurvature {
            moments: moments.moments,
            of_problem: moments.of_problem,
            weight,
            ridge: None,
            free: None,
            centre: self.centre.clone(),
        }
    }

    /// What a survey found, as numbers.
    pub(crate) fn surveyed(&self) -> Vec<f64> {
        let mut numbers = Vec::new();
        self.totals.pack(&mut numbers);
        let moments = self.expected.iter().flat_map(|expected| &expected.moments);
        moments.for_each(|moments| {
            numbers.extend(&moments.mean);
            numbers.extend(&moments.covariance);
        });
        numbers
    }

    /// Goes on from what an earlier survey of the same data found, which another number of processes may have rounded otherwise; nothing, and false,
    /// where it was of other features. (Of the counts there is a fingerprint.)
    pub(crate) fn take_survey(&mut self, found: &[f64]) -> Result<bool, crate::Error> {
        let now = self.surveyed();
        let same = now.iter().zip(found).all(|(now, found)| now.to_bits() == found.to_bits());
        if now.len() != found.len() || self.data.design.share().is_none() || same {
            return Ok(now.len() == found.len() && same);
        }
        let mut numbers = Numbers::new(found);
        let (mut totals, mut moments) = (self.totals.clone(), None);
        if totals.unpack(&mut numbers).is_none() {
            return Ok(false);
        }
        if let Some(expected) = &self.expected {
            let mut taken = Vec::new();
            for moments in &expected.moments {
                let mut mean = vec![0.0; moments.mean.len()];
                let mut covariance = Array2::zeros(moments.covariance.dim());
                if numbers
                    .fill(&mut mean)
                    .and_then(|()| numbers.fill_matrix(&mut covariance))
                    .is_none()
                {
                    return Ok(false);
                }
                let found = Moments::new(mean, covariance, moments.precision);
                if !is_close(moments, &found) {
                    return Ok(false);
                }
                taken.push(Arc::new(found));
            }
            moments = Some(FoldMoments {
                moments: taken,
                of_problem: expected.of_problem.clone(),
            });
        }
        self.totals = totals;
        self.take(moments)?;
        Ok(true)
    }
}

/// Whether moments are the same but for rounding.
fn is_close(a: &Moments, b: &Moments) -> bool {
    let share = a.precision.max(1e-9);
    let deviation = |feature: usize| a.covariance[(feature, feature)].max(0.0).sqrt();
    let mut means = a.mean.iter().zip(&b.mean).enumerate();
    let mut covariances = a.covariance.indexed_iter().zip(&b.covariance);
    means.all(|(feature, (a, b))| (a - b).abs() <= share * (a.abs() + deviation(feature)))
        && covariances.all(|(((i, j), a), b)| (a - b).abs() <= share * deviation(i) * deviation(j))
}

/// The means of features of which one at least is so large, beside its standard deviation, that products and gradients of
/// the features as they are would lose the digits that matter; as numbers of the backend's precision.
fn centre<B: Backend>(moments: &Moments) -> Option<Arc<Vec<f64>>> {
    let (large, round): (f64, fn(f64) -> f64) = match B::DTYPE {
        DType::F64 => (1e3, |x| x),
        _ => (16.0, |x| f64::from(x as f32)),
    };
    let variances = moments.covariance.diag();
    let is_large = moments
        .mean
        .iter()
        .zip(variances)
        .any(|(mean, variance)| *variance > 0.0 && mean.abs() > large * variance.sqrt());
    is_large.then(|| Arc::new(moments.mean.iter().map(|&mean| round(mean)).collect()))
}
