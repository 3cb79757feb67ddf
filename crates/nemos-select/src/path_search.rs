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

use ndarray::Array2;
use nemos_core::{Backend, ToDesign};
use nemos_glm::{Glm, InverseLink, ObservationModel, Strength};

use crate::Path;
use crate::path_run::Run;
use crate::refit::{columns, for_neurons};
use crate::tunable::strength;
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
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct PathSearch<O, L> {
    model: Glm<O, L>,
    n_strengths: usize,
    smallest: f64,
    strengths: Option<Vec<f64>>,
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

    /// Fits the path of each neuron, one after the other, each under its own weights and offset where they differ.
    ///
    /// # Errors
    /// As [`fit`](PathSearch::fit).
    pub fn fit_each<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Vec<Path<O, L>>, Error> {
        let (design, counts) = (design.to_design(), counts.to_design());
        let n_neurons = counts.n_columns();
        let of = |neuron: usize| self.fit(&for_neurons(&design, &[neuron], n_neurons)?, &columns(&counts, &[neuron])?);
        (0..n_neurons).map(of).collect()
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
