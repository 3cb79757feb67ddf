//! Counts that a fitted model would have seen.

use nemos_core::{Backend, Matrix, Names, Samples};
use nemos_glm::{FittedClassifierGlm, FittedClassifierPopulationGlm, FittedGlm, FittedPopulationGlm, InverseLink};
use rand::{Rng, RngExt};

use crate::{Draw, Error};

/// What was drawn, and from which rates.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Simulated<S> {
    /// `[n_samples, n_neurons]`: one draw each, in the kind of the samples; labels, of a classifier.
    pub counts: S,
    /// `[n_samples, n_neurons]`: their means, as `predict` gives them. Of a classifier, the probabilities
    /// `[n_samples, n_neurons · n_classes]`.
    pub rates: S,
}

/// Draws counts from a fitted model: one for each sample and neuron, NaN where the samples hold one.
///
/// # Shapes
/// samples `[n_samples, n_features]`; counts `[n_samples, n_neurons]`, in the kind of the samples.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Poisson, PopulationGlm};
/// use nemos_sim::Simulate;
/// use rand::SeedableRng;
///
/// let fitted = PopulationGlm::new(Poisson).with_parameters(&ndarray::array![[1.0, -1.0]], &[0.0, 0.5])?;
/// let stimulus = Matrix::<Cpu>::from_column(vec![-1.0, 0.0, 1.0, f64::NAN]);
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
/// let counts = fitted.simulate(&stimulus, &mut rng)?;
/// assert_eq!(counts.dims(), [4, 2]);
/// assert!(counts.to_vec()[6].is_nan());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Simulate {
    /// Counts, with the rates that they were drawn from.
    ///
    /// # Errors
    /// As `predict` of the model: if `samples` does not have one column per coefficient, holds an infinity, or lacks the
    /// offset that the model was fitted with. Also if the observations have a scale that the fit could not tell.
    fn simulate_with_rates<B: Backend, S: Samples<B>, R: Rng + ?Sized>(
        &self,
        samples: &S,
        rng: &mut R,
    ) -> Result<Simulated<S::Output>, Error>;

    /// Counts.
    ///
    /// # Errors
    /// As [`simulate_with_rates`](Simulate::simulate_with_rates).
    fn simulate<B: Backend, S: Samples<B>, R: Rng + ?Sized>(&self, samples: &S, rng: &mut R) -> Result<S::Output, Error> {
        Ok(self.simulate_with_rates(samples, rng)?.counts)
    }
}

impl<O: Draw, L: InverseLink> Simulate for FittedPopulationGlm<O, L> {
    fn simulate_with_rates<B: Backend, S: Samples<B>, R: Rng + ?Sized>(
        &self,
        samples: &S,
        rng: &mut R,
    ) -> Result<Simulated<S::Output>, Error> {
        if let Some(neuron) = self.scale().iter().position(|scale| scale.is_nan()) {
            return Err(nemos_glm::Error::NoScale { neuron }.into());
        }
        let rates = self.predict(&samples.to_design())?;
        let (names, rates) = (rates.names().clone(), rates.to_matrix()?);
        let scales = self.scale().iter().cycle();
        let draws = rates.to_vec().into_iter().zip(scales);
        let counts = draws.map(|(rate, &scale)| self.observation().draw(rate, scale, rng)).collect();
        Ok(Simulated {
            counts: samples.wrap(Matrix::from_vec(counts, rates.dims())?, names.clone()),
            rates: samples.wrap(rates, names),
        })
    }
}

impl<O: Draw, L: InverseLink> Simulate for FittedGlm<O, L> {
    fn simulate_with_rates<B: Backend, S: Samples<B>, R: Rng + ?Sized>(
        &self,
        samples: &S,
        rng: &mut R,
    ) -> Result<Simulated<S::Output>, Error> {
        self.population().simulate_with_rates(samples, rng)
    }
}

impl Simulate for FittedClassifierPopulationGlm {
    fn simulate_with_rates<B: Backend, S: Samples<B>, R: Rng + ?Sized>(
        &self,
        samples: &S,
        rng: &mut R,
    ) -> Result<Simulated<S::Output>, Error> {
        let probabilities = self.predict_probability(&samples.to_design())?;
        let (names, probabilities) = (probabilities.names().clone(), probabilities.to_matrix()?);
        let n_classes = self.specification().n_classes();
        let [n_samples, n_columns] = probabilities.dims();
        let values = probabilities.to_vec();
        let labels = values.chunks_exact(n_classes).map(|classes| label(classes, rng)).collect();
        Ok(Simulated {
            counts: samples.wrap(
                Matrix::from_vec(labels, [n_samples, n_columns / n_classes])?,
                Names::new(self.neurons().iter().cloned()),
            ),
            rates: samples.wrap(probabilities, names),
        })
    }
}

impl Simulate for FittedClassifierGlm {
    fn simulate_with_rates<B: Backend, S: Samples<B>, R: Rng + ?Sized>(
        &self,
        samples: &S,
        rng: &mut R,
    ) -> Result<Simulated<S::Output>, Error> {
        self.population().simulate_with_rates(samples, rng)
    }
}

/// One class, each with its probability.
fn label<R: Rng + ?Sized>(probabilities: &[f64], rng: &mut R) -> f64 {
    if probabilities.iter().any(|probability| probability.is_nan()) {
        return f64::NAN;
    }
    // In single precision probabilities do not sum to one exactly.
    let mut left = rng.random::<f64>() * probabilities.iter().sum::<f64>();
    let chosen = probabilities.iter().position(|probability| {
        left -= probability;
        left < 0.0
    });
    // What rounding leaves over belongs to the last class that is possible at all.
    let last = || probabilities.iter().rposition(|probability| *probability > 0.0);
    chosen.or_else(last).map_or(f64::NAN, |class| class as f64)
}
