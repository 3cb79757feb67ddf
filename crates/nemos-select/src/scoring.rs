//! What folds are scored by.

use std::fmt;
use std::sync::Arc;

use ndarray::ArrayView1;
use nemos_core::{Backend, Design, Matrix};
use nemos_glm::{FittedClassifierPopulationGlm, FittedPopulationGlm, InverseLink, ObservationModel, Score};

use crate::Error;

/// What test rows are scored by; more is better.
///
/// # Example
/// ```
/// use nemos_select::Scoring;
/// let correlation_free = Scoring::own("mean squared error", |counts, rates| {
///     -counts.iter().zip(rates).map(|(count, rate)| (count - rate).powi(2)).sum::<f64>() / counts.len() as f64
/// });
/// assert_eq!(correlation_free.to_string(), "mean squared error");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Scoring {
    /// One of the scores of a model.
    Score(Score),
    /// How many bits each spike tells more than the mean count of the test rows does:
    /// `Σ [y ln(rate / mean) − (rate − mean)] / (ln 2 · Σ y)`, whatever the observation model; NaN where there is no spike. Over all
    /// neurons, sums are taken before the ratio.
    BitsPerSpike,
    /// The share of labels that a classifier tells right; over all neurons, of all labels together.
    Accuracy,
    /// Your own, by name: from the counts and the rates of one neuron in the test rows in which neither is missing. Over all
    /// neurons it is their mean.
    Own(String, OwnScore),
}

/// A score of one neuron from its counts and rates.
pub type OwnScore = Arc<dyn Fn(ArrayView1<'_, f64>, ArrayView1<'_, f64>) -> f64 + Send + Sync>;

impl Scoring {
    /// Your own score, from the counts and the rates of one neuron in the test rows.
    pub fn own(name: impl Into<String>, score: impl Fn(ArrayView1<'_, f64>, ArrayView1<'_, f64>) -> f64 + Send + Sync + 'static) -> Self {
        Scoring::Own(name.into(), Arc::new(score))
    }

    /// Over all neurons, and of each.
    pub(crate) fn of<B: Backend, O: ObservationModel, L: InverseLink>(
        &self,
        fitted: &FittedPopulationGlm<O, L>,
        (design, counts): (&Design<'_, B>, &Design<'_, B>),
    ) -> Result<(f64, Vec<f64>), Error> {
        if let Scoring::Score(score) = self {
            return Ok(fitted.scores(design, counts, *score)?);
        }
        if let Scoring::Accuracy = self {
            return Err(Error::Scoring {
                scoring: self.to_string(),
                why: "a share of labels is a score of classifiers; this model tells counts",
            });
        }
        let rates = fitted.predict(design)?.to_matrix()?;
        let counts = counts.to_matrix()?;
        let pairs = (0..fitted.n_neurons()).map(|neuron| together(&counts, &rates, neuron));
        let pairs = pairs.collect::<Result<Vec<_>, Error>>()?;
        Ok(match self {
            Scoring::Own(_, own) => {
                let each: Vec<f64> = pairs.iter().map(|(counts, rates)| own(counts.into(), rates.into())).collect();
                (each.iter().sum::<f64>() / each.len() as f64, each)
            }
            _ => {
                let parts: Vec<(f64, f64)> = pairs.iter().map(|(counts, rates)| bits(counts, rates)).collect();
                // Rates above zero would tell infinitely little of each of no spikes.
                let ratio = |(bits, spikes): (f64, f64)| if spikes > 0.0 { bits / spikes } else { f64::NAN };
                let all = parts.iter().fold((0.0, 0.0), |(a, b), (bits, spikes)| (a + bits, b + spikes));
                (ratio(all), parts.into_iter().map(ratio).collect())
            }
        })
    }
}

impl Scoring {
    /// The same of a classifier; a score of one's own sees labels, and those that are told.
    pub(crate) fn of_classes<B: Backend>(
        &self,
        fitted: &FittedClassifierPopulationGlm,
        (design, labels): (&Design<'_, B>, &Design<'_, B>),
    ) -> Result<(f64, Vec<f64>), Error> {
        if let Scoring::Score(score) = self {
            let all = fitted.score(design, labels, *score)?;
            return Ok((all, fitted.score_by_neuron(design, labels, *score)?));
        }
        let (labels, told) = (labels.to_matrix()?, fitted.predict(design)?.to_matrix()?);
        let pairs = (0..fitted.neurons().len()).map(|neuron| together(&labels, &told, neuron));
        let pairs = pairs.collect::<Result<Vec<_>, Error>>()?;
        match self {
            Scoring::Own(_, own) => {
                let each: Vec<f64> = pairs.iter().map(|(labels, told)| own(labels.into(), told.into())).collect();
                Ok((each.iter().sum::<f64>() / each.len() as f64, each))
            }
            Scoring::Accuracy => {
                let right = |(labels, told): &(Vec<f64>, Vec<f64>)| labels.iter().zip(told).filter(|(a, b)| a == b).count() as f64;
                let each = pairs.iter().map(|pair| right(pair) / pair.0.len() as f64);
                let n: usize = pairs.iter().map(|(labels, _)| labels.len()).sum();
                Ok((pairs.iter().map(right).sum::<f64>() / n as f64, each.collect()))
            }
            _ => Err(Error::Scoring {
                scoring: self.to_string(),
                why: "it is a score of counts; a classifier tells labels",
            }),
        }
    }
}

/// Counts and rates of a neuron where neither is missing.
fn together<B: Backend>(counts: &Matrix<B>, rates: &Matrix<B>, neuron: usize) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let column = |matrix: &Matrix<B>| Ok::<_, Error>(matrix.select_columns(&[neuron])?.to_vec());
    let pairs = column(counts)?.into_iter().zip(column(rates)?);
    Ok(pairs.filter(|(count, rate)| !count.is_nan() && !rate.is_nan()).unzip())
}

/// Bits that the rates tell of the counts beyond their mean, and how many spikes there are.
fn bits(counts: &[f64], rates: &[f64]) -> (f64, f64) {
    let spikes: f64 = counts.iter().sum();
    let mean = spikes / counts.len() as f64;
    let nats = counts.iter().zip(rates).map(|(&count, &rate)| {
        // 0 · ln 0 is 0.
        let told = if count == 0.0 { 0.0 } else { count * (rate / mean).ln() };
        told - (rate - mean)
    });
    (nats.sum::<f64>() / std::f64::consts::LN_2, spikes)
}

impl From<Score> for Scoring {
    fn from(score: Score) -> Self {
        Scoring::Score(score)
    }
}

impl fmt::Display for Scoring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scoring::Score(Score::LogLikelihood) => f.write_str("log-likelihood"),
            Scoring::Score(Score::McFadden) => f.write_str("McFadden's pseudo-R²"),
            Scoring::Score(Score::Cohen) => f.write_str("Cohen's pseudo-R²"),
            Scoring::Score(other) => write!(f, "{other:?}"),
            Scoring::BitsPerSpike => f.write_str("bits per spike"),
            Scoring::Accuracy => f.write_str("accuracy"),
            Scoring::Own(name, _) => f.write_str(name),
        }
    }
}

impl fmt::Debug for Scoring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scoring({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_per_spike_are_those_of_the_formula() {
        // Two spikes in the second of two bins, foretold exactly: 2 ln(2 / 1) nats.
        let (bits, spikes) = bits(&[0.0, 2.0], &[1e-300, 2.0]);
        assert!((bits - 2.0).abs() < 1e-12 && spikes == 2.0);
        let (none, _) = super::bits(&[0.0, 2.0], &[1.0, 1.0]);
        assert_eq!(none, 0.0);
        assert!(super::bits(&[0.0, 0.0], &[1.0, 1.0]).1 == 0.0);
    }
}
