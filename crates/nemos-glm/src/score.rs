//! How well a fitted model describes data.

use nemos_core::tensor::Tensor;
use nemos_core::{Backend, Design};

use crate::measure::{Measure, Terms};
use crate::predictor::{Pass, Predictor};
use crate::{Error, InverseLink, ObservationModel, null};

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
/// # References
/// McFadden (1974), in *Frontiers in Econometrics*; Cohen et al. (2003), *Applied Multiple Regression*, chapter 13.
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
            Score::McFadden => 1.0 - total.fitted / total.null,
            Score::Cohen => (total.null - total.fitted) / total.null,
        }
    }

    /// One tally per neuron: a pass over everything for the model, and passes over the counts for a constant rate.
    pub(crate) fn tallies<B: Backend, O: ObservationModel, L: InverseLink>(
        self,
        model: &Predictor<'_, B, O, L>,
        design: &impl Design<B>,
        counts: &impl Design<B>,
    ) -> Result<Vec<Tally>, Error> {
        let measure = match self {
            Score::LogLikelihood | Score::McFadden => Measure::LogLikelihood,
            Score::Cohen => Measure::Deviance,
        };
        let pass = model.measure(measure, design, counts)?;
        let mut tallies: Vec<Tally> = pass
            .sums
            .iter()
            .zip(&pass.weight)
            .map(|(&fitted, &weight)| Tally {
                weight,
                fitted,
                null: f64::NAN,
            })
            .collect();
        if self != Score::LogLikelihood {
            let nulls = null::sums(measure, model, &pass, design, counts)?;
            tallies.iter_mut().zip(nulls).for_each(|(tally, null)| tally.null = null);
        }
        Ok(tallies)
    }
}

impl<B: Backend, O: ObservationModel, L: InverseLink> Predictor<'_, B, O, L> {
    /// `[n_neurons]`: the sums of squared residuals, each over its variance at scale one; for weighted rows, as if the
    /// weights were one on average.
    pub(crate) fn pearson_chi2(&self, design: &impl Design<B>, counts: &impl Design<B>) -> Result<Vec<f64>, Error> {
        let device = self.on_device();
        let unit = match self.observation().scale() {
            crate::Scale::Pearson => device.scale.ones_like(),
            _ => device.scale.clone(),
        };
        let pass = self.sum(design, counts, |chunk| {
            let rate = self.link().rate(chunk.predictor(&device));
            let residual: Tensor<B::Burn, 2> = chunk.present_counts() - rate.clone();
            chunk.sum(residual.clone() * residual / self.observation().variance(rate, unit.clone()))
        })?;
        Ok(pass.totals())
    }

    /// `[n_neurons]`: the deviances, summed over samples; for weighted rows, as if the weights were one on average.
    pub(crate) fn deviance(&self, design: &impl Design<B>, counts: &impl Design<B>) -> Result<Vec<f64>, Error> {
        Ok(self.measure(Measure::Deviance, design, counts)?.totals())
    }

    fn measure(&self, measure: Measure, design: &impl Design<B>, counts: &impl Design<B>) -> Result<Pass, Error> {
        let device = self.on_device();
        let terms = Terms {
            measure,
            observation: self.observation(),
            link: self.link(),
            scale: device.scale.clone(),
        };
        self.sum(design, counts, |chunk| terms.sum(chunk, chunk.predictor(&device)))
    }
}
