//! Networks whose spikes feed back.

use std::sync::OnceLock;

use ndarray::{Array2, ArrayView2, aview1};
use nemos_basis::Basis;
use nemos_core::with_room;
use nemos_glm::FittedPopulationGlm;
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::error::{check_finite, check_shape};
use crate::ring::Ring;
use crate::{Coupling, Draw, End, Error, ScalarLink, Simulation, Stability};

/// A population whose spikes add to the predictors of the steps that follow, run step by step.
///
/// ```text
/// (1)  rate[t, i]   = link(intercept[i] + drive[t, i] + Σⱼ Σₗ filter[l, i, j] · counts[t − 1 − l, j])
/// (2)  counts[t, i] ~ observation model with mean rate[t, i]
/// ```
///
/// Steps before the first are those of the `history`. A spike is scattered to the steps that it will be felt in when it
/// happens, so that a step costs what its spikes cost.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `link` | that of the observation model | |
/// | `scale` | that of the observation model, or one | `[n_neurons]` |
/// | `history` | no spikes | `[window, n_neurons]`, oldest step first |
/// | `rate_ceiling` | 10⁶ | the run ends where a rate is further from zero |
///
/// # Example
/// ```
/// use ndarray::{Array2, array};
/// use nemos_glm::{Poisson, Softplus};
/// use nemos_sim::{Coupling, End, Recurrent};
/// use rand::SeedableRng;
///
/// // Each of two neurons excites the other, and inhibits itself, in the step after a spike.
/// let coupling = Coupling::from_filters(array![[[-2.0, 1.0], [1.0, -2.0]]].view())?;
/// let network = Recurrent::new(Poisson, coupling, [-1.0, -1.0]).link(Softplus);
/// assert!(network.stability()?.spectral_radius < 1.0);
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
/// let simulation = network.run(Array2::zeros((500, 2)).view(), &mut rng)?;
/// assert_eq!((simulation.counts.dim(), simulation.end), ((500, 2), End::Finished));
/// # Ok::<(), nemos_sim::Error>(())
/// ```
///
/// # References
/// Pillow et al. (2008), *Nature* 454. doi:10.1038/nature07140
#[doc(alias = "simulate_recurrent")]
#[derive(Clone, Debug)]
#[must_use]
pub struct Recurrent<O, L> {
    observation: O,
    coupling: Coupling,
    intercept: Vec<f64>,
    link: L,
    scale: Option<Vec<f64>>,
    history: Option<Array2<f64>>,
    rate_ceiling: f64,
    /// At rest: computed once, and kept by clones.
    stability: OnceLock<Stability>,
}

impl<O: Draw> Recurrent<O, O::DefaultLink> {
    /// A network with one intercept per neuron, and the default link of its observations.
    pub fn new(observation: O, coupling: Coupling, intercept: impl Into<Vec<f64>>) -> Self {
        Recurrent {
            link: observation.default_link(),
            observation,
            coupling,
            intercept: intercept.into(),
            scale: None,
            history: None,
            rate_ceiling: 1e6,
            stability: OnceLock::new(),
        }
    }
}

impl<O: Draw, L: ScalarLink> Recurrent<O, L> {
    /// The network that a fit found, where the design is what `basis` made of the counts of all neurons.
    ///
    /// # Errors
    /// As [`Coupling::from_features`], and [`Error::HasOffset`].
    pub fn from_fitted(fitted: &FittedPopulationGlm<O, L>, basis: &Basis) -> Result<Self, Error> {
        Self::with_coupling_of(fitted, fitted.coef(), basis)
    }

    /// The network that a fit found, where one block of the design is what the basis made of the counts of all neurons.
    ///
    /// The other features times their coefficients are the drive of a run:
    /// `stimuli.to_array().dot(&fitted.coef_of("stimulus")?)`.
    ///
    /// # Errors
    /// [`Error::Glm`] if the features of the fit had no block with this label, [`Error::Basis`] if the basis has no such
    /// part, and as [`from_fitted`](Recurrent::from_fitted).
    pub fn from_fitted_part(fitted: &FittedPopulationGlm<O, L>, basis: &Basis, label: &str) -> Result<Self, Error> {
        Self::with_coupling_of(fitted, fitted.coef_of(label)?, basis.part(label)?)
    }

    fn with_coupling_of(fitted: &FittedPopulationGlm<O, L>, coef: ArrayView2<'_, f64>, basis: &Basis) -> Result<Self, Error> {
        if fitted.has_offset() {
            return Err(Error::HasOffset);
        }
        let coupling = Coupling::from_features(coef, basis)?;
        let network = Recurrent::new(fitted.observation().clone(), coupling, fitted.intercept().to_vec());
        Ok(network.link(fitted.link().clone()).scale(fitted.scale()))
    }
}

impl<O: Draw, L> Recurrent<O, L> {
    /// Takes another link.
    pub fn link<M: ScalarLink>(self, link: M) -> Recurrent<O, M> {
        Recurrent {
            observation: self.observation,
            coupling: self.coupling,
            intercept: self.intercept,
            link,
            scale: self.scale,
            history: self.history,
            rate_ceiling: self.rate_ceiling,
            stability: OnceLock::new(),
        }
    }

    /// Takes a scale (dispersion) for each neuron.
    pub fn scale(mut self, scale: impl Into<Vec<f64>>) -> Self {
        self.scale = Some(scale.into());
        self
    }

    /// Takes the counts before the first step: `[window, n_neurons]`, oldest first.
    pub fn history(mut self, history: Array2<f64>) -> Self {
        self.history = Some(history);
        self
    }

    /// Ends a run where the absolute value of a rate exceeds this.
    pub fn rate_ceiling(mut self, rate: f64) -> Self {
        self.rate_ceiling = rate;
        self
    }

    /// The coupling filters.
    pub fn coupling(&self) -> &Coupling {
        &self.coupling
    }
}

impl<O: Draw, L: ScalarLink> Recurrent<O, L> {
    /// How activity spreads at rest, before anything is run. Every run reports it too, and the first warns (through
    /// `tracing`) of a network that is not stable.
    ///
    /// # Errors
    /// If an option does not fit the network.
    pub fn stability(&self) -> Result<Stability, Error> {
        self.validate()?;
        Ok(*self.stability.get_or_init(|| {
            let stability = Stability::new(&self.coupling, &self.intercept, &self.link);
            if !stability.is_stable() {
                tracing::warn!(
                    "the network is unstable: at rest, activity changes by a factor of {:.3} in each step",
                    stability.spectral_radius
                );
            }
            stability
        }))
    }

    /// How activity spreads where this is added to the predictors, and nobody has fired: `[n_neurons]`.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::NotFinite`], or if an option does not fit the network.
    pub fn stability_under(&self, drive: &[f64]) -> Result<Stability, Error> {
        self.validate()?;
        check_shape("the drive", &[drive.len()], &[self.coupling.n_neurons()], "one per neuron")?;
        check_finite("the drive", aview1(drive))?;
        let predictor: Vec<f64> = self
            .intercept
            .iter()
            .zip(drive)
            .map(|(intercept, drive)| intercept + drive)
            .collect();
        Ok(Stability::new(&self.coupling, &predictor, &self.link))
    }

    /// Runs the network for as many steps as `drive` has rows.
    ///
    /// # Shapes
    /// drive `[n_steps, n_neurons]`: what is added to each predictor, zeros for nothing. See
    /// [`feedforward`](crate::feedforward) for features of each neuron's own.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::NotFinite`] if an array does not fit the network or holds a NaN or an infinity,
    /// [`Error::Scale`], [`Error::RateCeiling`]. A rate that grows without end is none: see [`End::Diverged`].
    pub fn run<'d, R: Rng + ?Sized>(&self, drive: impl Into<ArrayView2<'d, f64>>, rng: &mut R) -> Result<Simulation, Error> {
        let drive = drive.into();
        let ready = self.prepare()?;
        self.check_drive(drive)?;
        Ok(ready.run(drive, rng))
    }

    /// Runs the network once for each drive, in parallel, from the same history. Every trial has a generator of its own,
    /// seeded by `rng` in turn: what a trial draws does not depend on the number of processors, nor on the trials after it.
    ///
    /// # Errors
    /// As [`run`](Recurrent::run).
    pub fn run_trials<R: Rng + SeedableRng + Send>(&self, drives: &[ArrayView2<'_, f64>], rng: &mut R) -> Result<Vec<Simulation>, Error> {
        let ready = self.prepare()?;
        drives.iter().try_for_each(|drive| self.check_drive(*drive))?;
        let generators: Vec<R> = drives.iter().map(|_| R::from_rng(rng)).collect();
        let trials = drives.par_iter().zip(generators);
        Ok(trials.map(|(drive, mut rng)| ready.run(*drive, &mut rng)).collect())
    }

    fn prepare(&self) -> Result<Ready<'_, O, L>, Error> {
        let stability = self.stability()?;
        let n_neurons = self.coupling.n_neurons();
        let history: Vec<f64> = self.history.iter().flatten().copied().collect();
        Ok(Ready {
            network: self,
            scale: self
                .scale
                .clone()
                .unwrap_or_else(|| vec![self.observation.scale().start(); n_neurons]),
            ring: Ring::new(&self.coupling, &history),
            stability,
        })
    }

    fn validate(&self) -> Result<(), Error> {
        let (window, n_neurons) = (self.coupling.window(), self.coupling.n_neurons());
        check_shape("the list of intercepts", &[self.intercept.len()], &[n_neurons], "one per neuron")?;
        check_finite("an intercept", aview1(&self.intercept))?;
        if let Some(scale) = &self.scale {
            check_shape("the list of scales", &[scale.len()], &[n_neurons], "one per neuron")?;
            if let Some(neuron) = scale.iter().position(|scale| !(0.0..f64::INFINITY).contains(scale)) {
                return Err(Error::Scale {
                    neuron,
                    got: scale[neuron],
                });
            }
        }
        if let Some(history) = &self.history {
            check_shape(
                "the history",
                history.shape(),
                &[window, n_neurons],
                "the window of the coupling, and neurons",
            )?;
            check_finite("the history", history.view())?;
        }
        if !(self.rate_ceiling > 0.0 && self.rate_ceiling < f64::INFINITY) {
            return Err(Error::RateCeiling { got: self.rate_ceiling });
        }
        Ok(())
    }

    fn check_drive(&self, drive: ArrayView2<'_, f64>) -> Result<(), Error> {
        let expected = [drive.nrows(), self.coupling.n_neurons()];
        check_shape("the drive", drive.shape(), &expected, "steps and neurons")?;
        check_finite("the drive", drive)
    }
}

/// A network whose options were checked, before its first step.
struct Ready<'a, O, L> {
    network: &'a Recurrent<O, L>,
    scale: Vec<f64>,
    ring: Ring,
    stability: Stability,
}

impl<O: Draw, L: ScalarLink> Ready<'_, O, L> {
    fn run<R: Rng + ?Sized>(&self, drive: ArrayView2<'_, f64>, rng: &mut R) -> Simulation {
        let (n_steps, n_neurons) = drive.dim();
        let mut counts = with_room(n_steps * n_neurons);
        let mut rates = with_room(n_steps * n_neurons);
        let mut ring = self.ring.clone();
        let mut end = End::Finished;
        for (step, drive) in drive.rows().into_iter().enumerate() {
            let begin = counts.len();
            for (neuron, (&drive, &past)) in drive.iter().zip(ring.now()).enumerate() {
                let rate = self.network.link.rate_of(self.network.intercept[neuron] + drive + past);
                match self.draw(step, neuron, rate, rng) {
                    Ok(count) => counts.push(count),
                    Err(stop) => end = stop,
                }
                rates.push(rate);
                if end != End::Finished {
                    break;
                }
            }
            if end != End::Finished {
                counts.truncate(begin);
                rates.truncate(begin);
                break;
            }
            ring.advance(&self.network.coupling, &counts[begin..]);
        }
        let n_steps = counts.len().checked_div(n_neurons).unwrap_or(n_steps);
        let array = |values| Array2::from_shape_vec((n_steps, n_neurons), values).expect("whole steps only");
        Simulation {
            counts: array(counts),
            rates: array(rates),
            end,
            stability: self.stability,
        }
    }

    fn draw<R: Rng + ?Sized>(&self, step: usize, neuron: usize, rate: f64, rng: &mut R) -> Result<f64, End> {
        if rate.abs() > self.network.rate_ceiling {
            return Err(End::Diverged { step, neuron, rate });
        }
        let count = self.network.observation.draw(rate, self.scale[neuron], rng);
        if count.is_finite() {
            Ok(count)
        } else {
            Err(End::NoCounts { step, neuron, rate })
        }
    }
}
