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
    /// `Σ w [y ln(rate / mean) − (rate − mean)] / (ln 2 · Σ w y)` with `mean = Σ w y / Σ w`, whatever the observation model; `w` are the
    /// weights of the design, one where it has none. NaN where there is no spike. Over all neurons, sums are taken before the ratio.
    BitsPerSpike,
    /// The share of labels that a classifier tells right, weighted where the design has weights; over all neurons, of all labels
    /// together.
    Accuracy,
    /// Your own, by name: from the counts and the rates of one neuron in the test rows in which neither is missing, whatever their
    /// weights. Over all neurons it is their mean.
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
        let told = (0..fitted.n_neurons()).map(|neuron| Told::new((&counts, &rates), design.weights(), neuron));
        let told = told.collect::<Result<Vec<_>, Error>>()?;
        Ok(match self {
            Scoring::Own(_, own) => by_own(&told, own),
            _ => {
                let parts: Vec<(f64, f64)> = told.iter().map(Told::bits).collect();
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
        let (labels, predicted) = (labels.to_matrix()?, fitted.predict(design)?.to_matrix()?);
        let told = (0..fitted.neurons().len()).map(|neuron| Told::new((&labels, &predicted), design.weights(), neuron));
        let told = told.collect::<Result<Vec<_>, Error>>()?;
        match self {
            Scoring::Own(_, own) => Ok(by_own(&told, own)),
            Scoring::Accuracy => {
                let parts: Vec<(f64, f64)> = told.iter().map(Told::right).collect();
                let all = parts.iter().fold((0.0, 0.0), |(a, b), (right, of)| (a + right, b + of));
                Ok((all.0 / all.1, parts.into_iter().map(|(right, of)| right / of).collect()))
            }
            _ => Err(Error::Scoring {
                scoring: self.to_string(),
                why: "it is a score of counts; a classifier tells labels",
            }),
        }
    }
}

/// What a model tells of one neuron, in the rows in which nothing is missing.
struct Told {
    counts: Vec<f64>,
    /// Rates, or labels where counts are labels.
    rates: Vec<f64>,
    weights: Vec<f64>,
}

impl Told {
    fn new<B: Backend>((counts, rates): (&Matrix<B>, &Matrix<B>), weights: Option<&Matrix<B>>, neuron: usize) -> Result<Self, Error> {
        let column = |matrix: &Matrix<B>, column: usize| Ok::<_, Error>(matrix.select_columns(&[column])?.to_vec());
        let weights = match weights {
            None => vec![1.0; counts.dims()[0]],
            // One column is for all neurons.
            Some(weights) => column(weights, if weights.dims()[1] == 1 { 0 } else { neuron })?,
        };
        let mut told = Told {
            counts: column(counts, neuron)?,
            rates: column(rates, neuron)?,
            weights,
        };
        let missing: Vec<bool> = told
            .counts
            .iter()
            .zip(&told.rates)
            .map(|(y, rate)| y.is_nan() || rate.is_nan())
            .collect();
        for values in [&mut told.counts, &mut told.rates, &mut told.weights] {
            let mut missing = missing.iter();
            values.retain(|_| missing.next() == Some(&false));
        }
        Ok(told)
    }

    /// Bits that the rates tell of the counts beyond their mean, and how many spikes there are.
    fn bits(&self) -> (f64, f64) {
        let spikes: f64 = self.counts.iter().zip(&self.weights).map(|(count, weight)| count * weight).sum();
        let mean = spikes / self.weights.iter().sum::<f64>();
        let rows = self.counts.iter().zip(&self.rates).zip(&self.weights);
        // A row of weight zero adds nothing, even where it tells infinitely little.
        let nats = rows.filter(|(_, weight)| **weight > 0.0).map(|((&count, &rate), weight)| {
            // 0 · ln 0 is 0.
            let told = if count == 0.0 { 0.0 } else { count * (rate / mean).ln() };
            weight * (told - (rate - mean))
        });
        (nats.sum::<f64>() / std::f64::consts::LN_2, spikes)
    }

    /// The weight of the labels that are told right, and of all.
    fn right(&self) -> (f64, f64) {
        let rows = self.counts.iter().zip(&self.rates).zip(&self.weights);
        let right = rows.filter(|((label, told), _)| label == told).map(|(_, weight)| weight).sum();
        (right, self.weights.iter().sum())
    }
}

/// The mean of one's own scores, and each.
fn by_own(told: &[Told], own: &OwnScore) -> (f64, Vec<f64>) {
    let each: Vec<f64> = told
        .iter()
        .map(|told| own(ArrayView1::from(&told.counts), ArrayView1::from(&told.rates)))
        .collect();
    (each.iter().sum::<f64>() / each.len() as f64, each)
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

    fn told(counts: &[f64], rates: &[f64], weights: &[f64]) -> Told {
        Told {
            counts: counts.to_vec(),
            rates: rates.to_vec(),
            weights: weights.to_vec(),
        }
    }

    #[test]
    fn bits_per_spike_are_those_of_the_formula() {
        // Two spikes in the second of two bins, foretold exactly: 2 ln(2 / 1) nats.
        let (bits, spikes) = told(&[0.0, 2.0], &[1e-300, 2.0], &[1.0, 1.0]).bits();
        assert!((bits - 2.0).abs() < 1e-12 && spikes == 2.0);
        assert_eq!(told(&[0.0, 2.0], &[1.0, 1.0], &[1.0, 1.0]).bits().0, 0.0);
        assert!(told(&[0.0, 0.0], &[1.0, 1.0], &[1.0, 1.0]).bits().1 == 0.0);
    }

    #[test]
    fn a_row_of_weight_three_counts_as_three_rows_and_one_without_weight_as_none() {
        let weighted = told(&[0.0, 2.0, 1.0, 7.0], &[0.5, 1.5, 1.0, 0.0], &[3.0, 1.0, 2.0, 0.0]);
        let repeated = told(&[0.0, 0.0, 0.0, 2.0, 1.0, 1.0], &[0.5, 0.5, 0.5, 1.5, 1.0, 1.0], &[1.0; 6]);
        let ((bits, spikes), (bits_of_rows, spikes_of_rows)) = (weighted.bits(), repeated.bits());
        assert!((bits - bits_of_rows).abs() < 1e-12 && spikes == spikes_of_rows);
        assert_eq!(weighted.right(), repeated.right());
        assert_eq!(weighted.right(), (2.0, 6.0));
        assert_eq!(told(&[1.0], &[1.0], &[0.0]).bits(), (0.0, 0.0));
    }

    #[test]
    fn rows_with_something_missing_are_left_out_with_their_weights() {
        let column = |values: [f64; 3]| Matrix::<nemos_core::Cpu>::from_column(values.to_vec());
        let (counts, rates) = (column([1.0, f64::NAN, 2.0]), column([f64::NAN, 1.0, 3.0]));
        let told = Told::new((&counts, &rates), Some(&column([4.0, 5.0, 6.0])), 0).unwrap();
        assert_eq!((told.counts, told.rates, told.weights), (vec![2.0], vec![3.0], vec![6.0]));
    }
}
