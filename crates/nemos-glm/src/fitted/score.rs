//! How well a fitted model describes data.

use nemos_core::Backend;
use nemos_solvers::Parameters;

use crate::engine::measure::{Described, From, Quantity};
use crate::{Error, fitted::null};

/// How well a model describes data. More is better.
///
/// ```text
/// LogLikelihood   mean log p(counts | rate), with every constant
/// McFadden        1 − LL / LL₀
/// Cohen           (D₀ − D) / D₀
/// ```
///
/// `LL` is the log-likelihood and `D` the deviance of the model; `LL₀` and `D₀` are those of a constant rate, the mean of
/// the counts that are being scored, or, where the design has an offset, of the intercept that fits them best. Means are
/// over samples and neurons, weighted where the design has weights, and are taken before the ratios.
///
/// A ratio is NaN where the constant rate explains everything, as it does for a silent neuron. McFadden's is refused where `LL` or `LL₀`
/// is a log-density above zero: it would change with the unit of the data, and could be anything. Of single neurons it is NaN there.
///
/// # References
/// McFadden (1974), in *Frontiers in Econometrics*; Cohen et al. (2003), *Applied Multiple Regression*, chapter 13.
#[doc(alias("score_type", "pseudo_r2"))]
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Score {
    /// Mean log-likelihood.
    LogLikelihood,
    /// McFadden's pseudo-R².
    McFadden,
    /// Cohen's pseudo-R².
    Cohen,
}

/// Sums over rows for one neuron.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Tally {
    weight: f64,
    fitted: f64,
    null: f64,
}

/// That every neuron has a scale.
pub(crate) fn check_scale(scale: &[f64]) -> Result<(), Error> {
    match scale.iter().position(|scale| scale.is_nan() || *scale == 0.0) {
        Some(neuron) => Err(Error::NoScale { neuron }),
        None => Ok(()),
    }
}

impl Score {
    /// The score from sums of log-likelihoods or deviances.
    pub(crate) fn of(self, tallies: &[Tally]) -> f64 {
        let total = tallies.iter().fold(Tally::default(), |a, b| Tally {
            weight: a.weight + b.weight,
            fitted: a.fitted + b.fitted,
            null: a.null + b.null,
        });
        match self {
            Score::LogLikelihood => total.fitted / total.weight,
            Score::McFadden if total.null < 0.0 && total.fitted <= 0.0 => 1.0 - total.fitted / total.null,
            Score::Cohen if total.null > 0.0 => (total.null - total.fitted) / total.null,
            _ => f64::NAN,
        }
    }

    /// The same of each neuron.
    pub(crate) fn of_each(self, tallies: &[Tally]) -> Vec<f64> {
        tallies.iter().map(|tally| self.of(std::slice::from_ref(tally))).collect()
    }

    /// The same of all neurons together.
    pub(crate) fn of_all(self, tallies: &[Tally]) -> Result<f64, Error> {
        let (null, fitted) = tallies
            .iter()
            .fold((0.0, 0.0), |(null, fitted), tally| (null + tally.null, fitted + tally.fitted));
        // No probability is above one.
        match self == Score::McFadden && (null > 0.0 || fitted > 0.0) {
            true => Err(Error::RatioOfDensities { null, fitted }),
            false => Ok(self.of(tallies)),
        }
    }

    /// One tally per neuron: a pass over everything for the model, and passes over the counts for a constant rate.
    pub(crate) fn tallies<B: Backend>(self, described: &mut Described<'_, '_, B>, at: &Parameters) -> Result<Vec<Tally>, Error> {
        let quantity = match self {
            Score::LogLikelihood | Score::McFadden => Quantity::LogLikelihood,
            Score::Cohen => Quantity::Deviance,
        };
        if quantity == Quantity::LogLikelihood {
            check_scale(described.scale)?;
        }
        let fitted = described.sum(quantity, From::Parameters(at))?;
        let nulls = match self {
            Score::LogLikelihood => vec![f64::NAN; fitted.sums.len()],
            _ => null::sums(quantity, described, &fitted)?,
        };
        let both = fitted.sums.iter().zip(&fitted.weight).zip(nulls);
        let tally = |((&fitted, &weight), null)| Tally { weight, fitted, null };
        Ok(both.map(tally).collect())
    }
}
