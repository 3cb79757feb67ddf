//! What scores are made of: log-likelihoods and deviances, with all that the loss of a fit may leave out.

use nemos_core::simd::{ln, ln_1p, ln_gamma};
use nemos_core::tensor::Tensor;
use nemos_core::{Backend, HostFloat, Matrix};

use crate::data::Chunk;
use crate::kernel::{Block, Kernel, Lanes, spikes, sweep};
use crate::per_row::PerRow;
use crate::{InverseLink, ModelForm, ObservationModel};

/// What is summed over rows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    LogLikelihood,
    Deviance,
}

/// A measure of a model, with its scales.
pub(crate) struct Terms<'a, B: Backend, O, L> {
    pub(crate) measure: Measure,
    pub(crate) observation: &'a O,
    pub(crate) link: &'a L,
    /// `[1, n_neurons]`
    pub(crate) scale: Tensor<B::Burn, 2>,
}

impl<B: Backend, O: ObservationModel, L: InverseLink> Terms<'_, B, O, L> {
    /// `[n_neurons]`: weighted sums over the rows of a chunk, without those whose count is missing.
    ///
    /// # Shapes
    /// predictor `[n_rows, n_neurons]`
    pub(crate) fn sum(&self, chunk: &Chunk<B>, predictor: Tensor<B::Burn, 2>) -> Vec<f64> {
        if let Some(sums) = self.fused(chunk, predictor.clone()) {
            return sums;
        }
        let (counts, scale) = (chunk.present_counts(), self.scale.clone());
        chunk.sum(match self.measure {
            Measure::LogLikelihood => self.observation.log_likelihood(counts, predictor, self.link, scale),
            Measure::Deviance => self.observation.deviance(counts, self.link.rate(predictor), scale),
        })
    }

    /// The same in loops over host memory; nothing where the values are elsewhere, or there is no such loop.
    fn fused(&self, chunk: &Chunk<B>, predictor: Tensor<B::Burn, 2>) -> Option<Vec<f64>> {
        let loops = Loops {
            measure: self.measure,
            model: self.observation.form()?,
            kernel: Kernel::of(self.observation, self.link).filter(|_| B::HOST)?,
            scales: Matrix::<B>::from_tensor(self.scale.clone()).to_vec(),
        };
        let (predictor, counts) = (Matrix::<B>::from_tensor(predictor).host(), chunk.counts.host());
        let weights = chunk.weights.as_ref().map(PerRow::new);
        if let (Some(predictor), Some(counts)) = (predictor.as_slice(), counts.as_slice()) {
            return Some(loops.sum_double(predictor, counts, weights));
        }
        Some(loops.sum_single(predictor.as_slice()?, counts.as_slice()?, weights))
    }
}

/// Loops over host memory, compiled here rather than in every program that scores a model.
struct Loops {
    measure: Measure,
    model: ModelForm,
    kernel: Kernel,
    /// `[n_neurons]`
    scales: Vec<f64>,
}

impl Loops {
    #[inline(never)]
    fn sum_double(&self, predictor: &[f64], counts: &[f64], weights: Option<PerRow>) -> Vec<f64> {
        self.sum(predictor, counts, weights)
    }

    #[inline(never)]
    fn sum_single(&self, predictor: &[f32], counts: &[f32], weights: Option<PerRow>) -> Vec<f64> {
        self.sum(predictor, counts, weights)
    }

    fn sum<E: HostFloat>(&self, predictor: &[E], counts: &[E], weights: Option<PerRow>) -> Vec<f64> {
        let mut lanes = Lanes::new(&self.scales);
        let mut predictor = predictor.to_vec();
        let weights = weights.map(|weights| {
            let mut all = vec![E::default(); counts.len()];
            weights.add_to(&mut all, self.scales.len());
            all
        });
        let block = Block {
            counts,
            weights: weights.as_deref(),
        };
        let mut total = vec![0.0; self.scales.len()];
        self.kernel.slopes(&mut predictor, block, &mut lanes);
        lanes.drain(|neuron, loss, _| total[neuron] += self.factor(self.scales[neuron]) * loss);
        self.add_rests(&mut predictor, block, &mut lanes);
        lanes.drain(|neuron, rest, _| total[neuron] += rest);
        total
    }

    /// A measure is `factor · loss + rest`, where the rest does not depend on the predictor.
    fn factor(&self, scale: f64) -> f64 {
        match (self.measure, self.model) {
            (Measure::LogLikelihood, ModelForm::Gaussian) => -0.5 / scale,
            (Measure::LogLikelihood, ModelForm::Gamma) => -1.0 / scale,
            (Measure::LogLikelihood, _) => -1.0,
            (Measure::Deviance, ModelForm::Gaussian) => 1.0,
            (Measure::Deviance, _) => 2.0,
        }
    }

    /// Adds the rests of a block to the losses of `lanes`.
    fn add_rests<E: HostFloat>(&self, ignored: &mut [E], block: Block<'_, E>, lanes: &mut Lanes) {
        match (self.measure, self.model) {
            (_, ModelForm::Bernoulli) | (Measure::Deviance, ModelForm::Gaussian) => {}
            (Measure::LogLikelihood, ModelForm::Gaussian) => {
                sweep(ignored, block, lanes, |_, _, scale| (-0.5 * ln(scale * std::f64::consts::TAU), 0.0));
            }
            (Measure::LogLikelihood, ModelForm::Poisson) => {
                let ln_factorials: [f64; 64] = std::array::from_fn(|n| ln_gamma(n as f64 + 1.0));
                sweep(ignored, block, lanes, |_, count, _| (-ln_factorial(count, &ln_factorials), 0.0));
            }
            (Measure::Deviance, ModelForm::Poisson) => {
                sweep(ignored, block, lanes, |_, count, _| (2.0 * (spikes(count, ln(count)) - count), 0.0));
            }
            (Measure::LogLikelihood, ModelForm::Gamma) => sweep(ignored, block, lanes, |_, count, scale| {
                let shape = 1.0 / scale;
                ((shape - 1.0) * ln(count) + shape * ln(shape) - ln_gamma(shape), 0.0)
            }),
            (Measure::Deviance, ModelForm::Gamma) => {
                sweep(ignored, block, lanes, |_, count, _| (-2.0 * (1.0 + ln(count)), 0.0));
            }
            (Measure::LogLikelihood, ModelForm::NegativeBinomial { .. }) => sweep(ignored, block, lanes, |_, count, scale| {
                let size = 1.0 / scale;
                (ln_gamma(count + size) - ln_gamma(size) - ln_gamma(count + 1.0), 0.0)
            }),
            (Measure::Deviance, ModelForm::NegativeBinomial { .. }) => sweep(ignored, block, lanes, |_, count, scale| {
                let saturated = spikes(count, ln(scale * count)) - (count + 1.0 / scale) * ln_1p(scale * count);
                (2.0 * saturated, 0.0)
            }),
        }
    }
}

/// `ln Γ(count + 1)`, looked up for small whole counts, which are nearly all that there are.
#[inline(always)]
fn ln_factorial(count: f64, table: &[f64; 64]) -> f64 {
    let whole = count as usize;
    match table.get(whole) {
        Some(&value) if whole as f64 == count => value,
        _ => ln_gamma(count + 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bernoulli, Exp, Gamma, Gaussian, Identity, Logistic, NegativeBinomial, Poisson, Softplus};
    use nemos_core::Cpu;

    /// Loops against tensor operations, for each count with each predictor, with a missing count, with and without weights.
    fn assert_agrees_with_tensors(observation: impl ObservationModel, link: impl InverseLink, predictors: &[f64], counts: &[f64]) {
        let pairs = counts
            .iter()
            .flat_map(|&count| predictors.iter().map(move |&predictor| (predictor, count)));
        let (predictors, mut counts): (Vec<f64>, Vec<f64>) = pairs.unzip();
        counts[3] = f64::NAN;
        for weighted in [false, true] {
            for measure in [Measure::LogLikelihood, Measure::Deviance] {
                let double = by_both::<Cpu>(&observation, &link, measure, (&predictors, &counts, weighted));
                let single = by_both::<Cpu<f32>>(&observation, &link, measure, (&predictors, &counts, weighted));
                for ([got, expected], tolerance) in [(double, 1e-13), (single, 3e-6)] {
                    let close = (got - expected).abs() <= tolerance * (10.0 + expected.abs());
                    assert!(close, "{observation:?} {link:?} {measure:?}: {got} {expected}");
                }
            }
        }
    }

    fn by_both<B: Backend>(
        observation: &impl ObservationModel,
        link: &impl InverseLink,
        measure: Measure,
        (predictors, counts, weighted): (&[f64], &[f64], bool),
    ) -> [f64; 2] {
        let weights = || Matrix::from_column((0..counts.len()).map(|row| [1.0, 0.0, 2.5][row % 3]).collect());
        let chunk = Chunk::<B> {
            features: Matrix::zeros([counts.len(), 0]),
            counts: Matrix::from_column(counts.to_vec()),
            weights: weighted.then(weights),
            offset: None,
        };
        let predictor = Matrix::<B>::from_column(predictors.to_vec()).into_tensor();
        let scale = Matrix::<B>::from_column(vec![0.7]).into_tensor();
        let terms = match measure {
            Measure::LogLikelihood => observation.log_likelihood(chunk.present_counts(), predictor.clone(), link, scale.clone()),
            Measure::Deviance => observation.deviance(chunk.present_counts(), link.rate(predictor.clone()), scale.clone()),
        };
        let fused = Terms {
            measure,
            observation,
            link,
            scale,
        };
        [fused.fused(&chunk, predictor).unwrap()[0], chunk.sum(terms)[0]]
    }

    #[test]
    fn loops_agree_with_tensor_operations() {
        let predictors = [-3.0, -0.2, 0.1, 1.3, 4.0];
        let rates = [0.05, 0.3, 0.5, 0.9];
        let counts = [0.0, 1.0, 2.0, 7.0, 70.0];
        let positive = [0.1, 1.0, 3.4];
        assert_agrees_with_tensors(Poisson, Exp, &predictors, &counts);
        assert_agrees_with_tensors(Poisson, Softplus, &predictors, &counts);
        assert_agrees_with_tensors(Poisson, Identity, &rates, &counts);
        assert_agrees_with_tensors(Gamma, Exp, &predictors, &positive);
        assert_agrees_with_tensors(Gamma, Identity, &rates, &positive);
        assert_agrees_with_tensors(Gaussian, Identity, &predictors, &counts);
        assert_agrees_with_tensors(Bernoulli, Logistic, &predictors, &[0.0, 1.0]);
        assert_agrees_with_tensors(Bernoulli, Identity, &rates, &[0.0, 1.0]);
        assert_agrees_with_tensors(NegativeBinomial::new(0.7), Softplus, &predictors, &counts);
        assert_agrees_with_tensors(NegativeBinomial::new(0.7), Identity, &rates, &counts);
    }
}
