//! Candidates at random.

use rand::{Rng, RngExt};

use crate::{Error, Settings, Value};

/// What a parameter is drawn from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Distribution {
    /// Evenly between two numbers.
    Uniform(f64, f64),
    /// Evenly on a logarithmic axis, between two numbers above zero: for strengths.
    LogUniform(f64, f64),
    /// A whole number between two, both included.
    Whole(usize, usize),
    /// One of these.
    Among(Vec<Value>),
}

/// Distributions of parameters, by path. Where few of many parameters matter, candidates at random try more values of those than a
/// grid of as many.
///
/// # Example
/// ```
/// use nemos_glm::{Glm, Poisson, Regularizer};
/// use nemos_select::{Distribution, Distributions, GridSearch};
/// use rand::SeedableRng;
/// let drawn = Distributions::new()
///     .over("strength", Distribution::LogUniform(1e-4, 1.0))
///     .draw(20, &mut rand_chacha::ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(drawn.len(), 20);
/// let model = Glm::new(Poisson).regularizer(Regularizer::Ridge(1.0.into()));
/// let _search = GridSearch::over_settings(model, drawn);
/// # Ok::<(), nemos_select::Error>(())
/// ```
/// # References
/// Bergstra & Bengio (2012), *Journal of Machine Learning Research* 13.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Distributions(Vec<(String, Distribution)>);

impl Distributions {
    /// Of no parameter yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws a parameter from a distribution.
    pub fn over(mut self, path: impl Into<String>, distribution: Distribution) -> Self {
        self.0.push((path.into(), distribution));
        self
    }

    /// So many candidates.
    ///
    /// # Errors
    /// [`Error::Option`] unless the first number of a distribution is below the second, both finite, and above zero for a
    /// logarithm; [`Error::NoCandidates`] to draw among none.
    pub fn draw<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Result<Vec<Settings>, Error> {
        let one = |_| {
            self.0.iter().try_fold(Settings::default(), |settings, (path, distribution)| {
                Ok(settings.and(path, distribution.draw(rng)?))
            })
        };
        (0..n).map(one).collect()
    }
}

impl Distribution {
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> Result<Value, Error> {
        Ok(match self {
            Distribution::Uniform(low, high) => {
                between(*low, *high, f64::NEG_INFINITY)?;
                Value::Number(low + (high - low) * rng.random::<f64>())
            }
            Distribution::LogUniform(low, high) => {
                between(*low, *high, 0.0)?;
                Value::Number((low.ln() + (high.ln() - low.ln()) * rng.random::<f64>()).exp())
            }
            Distribution::Whole(low, high) => {
                if low > high {
                    return Err(out_of_order(*low as f64));
                }
                Value::Count(rng.random_range(*low..=*high))
            }
            Distribution::Among(values) if values.is_empty() => return Err(Error::NoCandidates),
            Distribution::Among(values) => values[rng.random_range(0..values.len())].clone(),
        })
    }
}

fn between(low: f64, high: f64, above: f64) -> Result<(), Error> {
    match low < high && low > above && high.is_finite() {
        true => Ok(()),
        false => Err(out_of_order(low)),
    }
}

fn out_of_order(got: f64) -> Error {
    Error::Option {
        option: "lower end of a distribution",
        got,
        expected: "below the upper end, finite, and above zero for a logarithm",
    }
}
