//! Regularization paths: a model at falling strengths of its penalty.
//!
//! ```text
//! for each few strengths, from the highest at which nothing is active:
//!     strong   features whose slopes may reach the strengths (strong rule), and those that were active before
//!     fit      all of these strengths on the strong features, as one batch, from the last solution
//!     check    slopes of all features, in one pass; those that break the conditions of a minimum become strong, and again
//! ```
//!
//! # References
//! Friedman, Hastie & Tibshirani (2010), *Journal of Statistical Software* 33(1); Tibshirani et al. (2012), *JRSS B* 74(2).

use std::fmt;

use ndarray::{Array2, ArrayView2};
use nemos_core::{Backend, Names, ToDesign};
use nemos_glm::{FittedGlm, Glm, InverseLink, ObservationModel, Outcome, Status, Strength};
use nemos_solvers::ColumnOutcome;

use crate::path_run::{Found, Run};
use crate::tunable::{strength, strength_mut};
use crate::{Error, log_spaced};

/// The strengths of a path, and the model whose penalty has them: a lasso, an elastic net or a group lasso of one strength.
///
/// # Options
/// | option | default |
/// |---|---|
/// | `n_strengths` | 100 |
/// | `smallest` | 1e-3, as a share of the highest |
/// | `strengths` | evenly spaced logarithms, from the smallest strength at which no coefficient is active |
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Glm, Poisson, Regularizer};
/// use nemos_select::PathSearch;
///
/// let features = Matrix::<Cpu>::from_vec((0..300).map(|i| f64::from(i * 7 % 11 - 5) / 5.0).collect(), [100, 3])?;
/// let counts = Matrix::from_column((0..100).map(|row| f64::from((3 * row * 7 % 11) / 3)).collect());
/// let path = PathSearch::new(Glm::new(Poisson).regularizer(Regularizer::Lasso(1.0.into()))).fit(&features, &counts)?;
/// assert_eq!(path.strengths().len(), 100);
/// // Nothing is active at first, and then one feature after the other.
/// assert!(path.coef().column(0).iter().all(|coef| *coef == 0.0));
/// assert!(path.n_active()[99] > path.n_active()[1]);
/// # Ok::<(), nemos_select::Error>(())
/// ```
#[doc(alias("lasso_path", "LassoCV", "glmnet"))]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct PathSearch<O, L> {
    model: Glm<O, L>,
    n_strengths: usize,
    smallest: f64,
    strengths: Option<Vec<f64>>,
}

/// A model along falling strengths of its penalty.
#[derive(Clone, Debug)]
#[must_use]
pub struct Path<O, L> {
    model: Glm<O, L>,
    strengths: Vec<f64>,
    /// `[n_features, n_strengths]`
    coef: Array2<f64>,
    intercept: Vec<f64>,
    features: Names,
    neuron: String,
    has_offset: bool,
    found: Vec<Found>,
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

// As many strengths are fitted together as lie within this share of the first: the strong rule says little beyond.
const WITHIN: f64 = 0.7;
pub(crate) const AT_MOST: usize = 8;
impl<O: ObservationModel, L: InverseLink> PathSearch<O, L> {
    /// Of this model; the strength that its penalty has is not looked at.
    pub fn new(model: Glm<O, L>) -> Self {
        PathSearch {
            model,
            n_strengths: 100,
            smallest: 1e-3,
            strengths: None,
        }
    }

    /// How many strengths.
    pub fn n_strengths(mut self, n_strengths: usize) -> Self {
        self.n_strengths = n_strengths;
        self
    }

    /// The smallest strength, as a share of the highest.
    pub fn smallest(mut self, share: f64) -> Self {
        self.smallest = share;
        self
    }

    /// These strengths, in falling order.
    pub fn strengths(mut self, strengths: impl Into<Vec<f64>>) -> Self {
        self.strengths = Some(strengths.into());
        self
    }

    /// Fits the path of each neuron, one after the other.
    ///
    /// # Errors
    /// As [`fit`](PathSearch::fit).
    pub fn fit_each<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Vec<Path<O, L>>, Error> {
        let counts = counts.to_design();
        let of = |neuron: usize| self.fit(design, &crate::refit::columns(&counts, &[neuron])?);
        (0..counts.n_columns()).map(of).collect()
    }

    /// Fits the path of one neuron.
    ///
    /// # Errors
    /// [`Error::NoPath`] unless the penalty drops coefficients and has one strength; [`Error::Option`] if strengths do not fall, or are
    /// out of range; and as [`Glm::fit`].
    pub fn fit<B: Backend>(&self, design: &(impl ToDesign<B> + ?Sized), counts: &(impl ToDesign<B> + ?Sized)) -> Result<Path<O, L>, Error> {
        let (design, counts) = (design.to_design(), counts.to_design());
        if counts.n_columns() > 1 {
            let n_neurons = counts.n_columns();
            return Err(nemos_glm::Error::SeveralNeurons { n_neurons }.into());
        }
        self.validate()?;
        let mut run = Run::new(self.model.population(), &design, &counts)?;
        let strengths = match &self.strengths {
            Some(strengths) => strengths.clone(),
            None => {
                let highest = run.highest();
                if !(highest > 0.0 && highest.is_finite()) {
                    return Err(Error::NoPull);
                }
                log_spaced(highest, highest * self.smallest, self.n_strengths)
            }
        };
        let mut first = 0;
        while first < strengths.len() {
            let near = strengths[first..]
                .iter()
                .take(AT_MOST)
                .take_while(|s| **s >= WITHIN * strengths[first]);
            let n = near.count().max(1);
            run.fit(&strengths[first..first + n])?;
            first += n;
        }
        let found = run.found();
        let n_features = design.n_columns();
        Ok(Path {
            model: self.model.clone(),
            coef: Array2::from_shape_fn((n_features, found.len()), |(feature, place)| found[place].parameters[feature]),
            intercept: found.iter().map(|found| found.parameters[n_features]).collect(),
            features: design.names().clone(),
            neuron: counts.names().columns_or_numbers(1).swap_remove(0),
            has_offset: design.offset().is_some(),
            strengths,
            found,
        })
    }

    fn validate(&self) -> Result<(), Error> {
        let penalty = self.model.population().penalty();
        if penalty.is_smooth() || !matches!(strength(penalty), Some(Strength::Shared(_))) {
            return Err(Error::NoPath {
                penalty: format!("{penalty:?}"),
            });
        }
        if self.n_strengths == 0 {
            return Err(Error::Option {
                option: "number of strengths",
                got: 0.0,
                expected: "at least one",
            });
        }
        if !(self.smallest > 0.0 && self.smallest < 1.0) {
            return Err(Error::Option {
                option: "smallest strength, as a share of the highest",
                got: self.smallest,
                expected: "above zero and below one",
            });
        }
        let strengths = self.strengths.as_deref().unwrap_or_default();
        let mut pairs = strengths.iter().zip(strengths.iter().skip(1).chain([&0.0]));
        match pairs.find(|(strength, next)| !(strength.is_finite() && **strength > **next && **next >= 0.0)) {
            Some((&got, _)) => Err(Error::Option {
                option: "strength of a path",
                got,
                expected: "above zero, finite, and higher than the next",
            }),
            None if self.strengths.as_ref().is_some_and(Vec::is_empty) => Err(Error::NoCandidates),
            None => Ok(()),
        }
    }
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
