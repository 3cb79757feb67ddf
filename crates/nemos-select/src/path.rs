//! A model along falling strengths of its penalty.

use std::fmt;

use ndarray::{Array2, ArrayView2};
use nemos_core::Names;
use nemos_glm::{FittedGlm, Glm, InverseLink, ObservationModel, Outcome, Status, Strength};
use nemos_solvers::ColumnOutcome;

use crate::Error;
use crate::path_run::Found;
use crate::tunable::strength_mut;

/// A model along falling strengths of its penalty.
#[doc(alias("lasso_path", "LassoCV", "glmnet"))]
#[derive(Clone, Debug)]
#[must_use]
pub struct Path<O, L> {
    pub(crate) model: Glm<O, L>,
    pub(crate) strengths: Vec<f64>,
    /// `[n_features, n_strengths]`
    pub(crate) coef: Array2<f64>,
    pub(crate) intercept: Vec<f64>,
    pub(crate) features: Names,
    pub(crate) neuron: String,
    pub(crate) has_offset: bool,
    pub(crate) found: Vec<Found>,
}

/// What a strength of a path is chosen by: smaller is better.
#[doc(alias = "LassoLarsIC")]
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Criterion {
    /// Akaike's: `−2 LL + 2 k`.
    Aic,
    /// Schwarz's: `−2 LL + k ln n`.
    Bic,
}

impl<O: ObservationModel, L: InverseLink> Path<O, L> {
    /// `[n_strengths]`, falling.
    pub fn strengths(&self) -> &[f64] {
        &self.strengths
    }

    /// `[n_features, n_strengths]`: the coefficients at each strength.
    pub fn coef(&self) -> ArrayView2<'_, f64> {
        self.coef.view()
    }

    /// `[n_strengths]`
    pub fn intercept(&self) -> &[f64] {
        &self.intercept
    }

    /// The names of the features.
    pub fn features(&self) -> &Names {
        &self.features
    }

    /// `[n_strengths]`: coefficients that are not zero.
    pub fn n_active(&self) -> Vec<usize> {
        let active = |coef: ndarray::ArrayView1<'_, f64>| coef.iter().filter(|coef| **coef != 0.0).count();
        self.coef.columns().into_iter().map(active).collect()
    }

    /// `[n_strengths]`: log-likelihoods, summed over rows; scales that are estimated are those that make them largest.
    pub fn log_likelihood(&self) -> Vec<f64> {
        self.found.iter().map(|found| found.log_likelihood).collect()
    }

    /// `[n_strengths]`: how each fit ended.
    pub fn outcomes(&self) -> Vec<ColumnOutcome> {
        self.found.iter().map(|found| found.outcome.clone()).collect()
    }

    /// `[n_strengths]`: the criterion, with `k` the coefficients that are not zero and the intercept (the degrees of freedom of a
    /// lasso). Smaller is better.
    ///
    /// # References
    /// Zou, Hastie & Tibshirani (2007), *Annals of Statistics* 35(5).
    pub fn criterion(&self, criterion: Criterion) -> Vec<f64> {
        let of = |(found, active): (&Found, usize)| {
            let per_parameter = match criterion {
                Criterion::Aic => 2.0,
                Criterion::Bic => found.n_rows.ln(),
            };
            per_parameter * (active as f64 + 1.0) - 2.0 * found.log_likelihood
        };
        self.found.iter().zip(self.n_active()).map(of).collect()
    }

    /// The number of the strength that is best by a criterion; the highest of equal ones.
    pub fn choose(&self, criterion: Criterion) -> usize {
        let values = self.criterion(criterion);
        let best = (0..values.len()).filter(|&place| !values[place].is_nan());
        best.min_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0)
    }

    /// The model at one of the strengths, by its number.
    ///
    /// # Errors
    /// [`Error::Data`] if there are not as many strengths.
    pub fn at(&self, place: usize) -> Result<FittedGlm<O, L>, Error> {
        let Some(found) = self.found.get(place) else {
            return Err(nemos_core::Error::ColumnOutside {
                column: place,
                available: self.found.len(),
            }
            .into());
        };
        let mut options = self.model.population().options().clone();
        if let Some(strength) = strength_mut(&mut options.regularizer) {
            *strength = Strength::Shared(self.strengths[place]);
        }
        let model = self.model.population().clone().with_options(options);
        let coef = self.coef.column(place).to_owned().insert_axis(ndarray::Axis(1));
        let made = model
            .with_parameters(&coef, &[self.intercept[place]])?
            .with_scale(vec![found.scale], vec![found.dof_resid])?
            .with_outcome(Outcome::new("a path", vec![found.outcome.clone()]))?
            .with_names(self.features.clone(), vec![self.neuron.clone()])?;
        let made = if self.has_offset { made.needing_offset() } else { made };
        Ok(FittedGlm::try_from_population(made)?)
    }
}

// A screenful.
const SHOWN: usize = 20;

impl<O: ObservationModel, L: InverseLink> fmt::Display for Path<O, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (active, aic, bic) = (self.n_active(), self.criterion(Criterion::Aic), self.criterion(Criterion::Bic));
        writeln!(
            f,
            "{:>11}  {:>6}  {:>14}  {:>12}  {:>12}",
            "strength", "active", "log-likelihood", "AIC", "BIC"
        )?;
        let n = self.strengths.len();
        let rows = (0..n).step_by(n.div_ceil(SHOWN).max(1));
        for place in rows {
            let (strength, found) = (self.strengths[place], &self.found[place]);
            write!(f, "{strength:>11.4e}  {:>6}  {:>14.3}", active[place], found.log_likelihood)?;
            writeln!(f, "  {:>12.3}  {:>12.3}", aic[place], bic[place])?;
        }
        let converged = self.found.iter().filter(|found| found.outcome.status == Status::Converged).count();
        write!(f, "{n} strengths, {converged} converged")
    }
}
