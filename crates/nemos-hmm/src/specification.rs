//! Hidden Markov models as specifications: what a fit is asked for.

use nemos_core::{Backend, ToDesign};
use nemos_glm::{ClassifierPopulationGlm, Exp, InverseLink, ObservationModel, Poisson, PopulationGlm};

use crate::fit::data::Data;
use crate::options::{Acceleration, Concentration, Options, Part, PriorSd, Shared, Start};
use crate::state_model::{ClassStates, GlmStates, StateModel};
use crate::{Drive, Error, FittedGlmHmm, HmmParameters};

/// A hidden Markov model whose observations are generalized linear models: a few states that follow each other by chance, each of
/// which has coefficients of its own.
///
/// ```text
/// P(z_first = k) = π_k,    P(zₜ = j | zₜ₋₁ = i) = Aₜ[i, j]
/// counts[t, n] ~ observation model with mean link(design[t] · coef_kn + intercept_kn + offset[t]),  k = zₜ
/// ```
///
/// A fit maximises, by expectation and maximisation, the log-likelihood with its priors:
///
/// ```text
/// J = L − Σ_k ‖w_k − mean‖² / (2 sd²) + Σ_k (α_k − 1) ln π_k + Σᵢⱼ (αᵢⱼ − 1) ln A[i, j]
/// ```
///
/// Where transitions are driven, by weights W, `− ‖W‖² / (2 drive_sd²)` stands in place of the last sum.
///
/// The prior is on the *total* log-likelihood: with one state, a prior of standard deviation `sd` is a ridge of strength
/// `1 / (sd² n)` of [`Glm`](nemos_glm::Glm), whose penalty is on the mean over `n` rows.
///
/// # Shapes
/// design `[n_rows, n_features]`, counts `[n_rows, n_neurons]`. Segments of the design are sessions, which are independent of each
/// other; where it has one alone, those of the counts are. A missing count (NaN) says nothing of the state, and a row of the design
/// with a NaN says nothing at all: both stay rows of the chain, so that `m` missing rows in a row act as `A^m`. A trial without a choice, or
/// a gap of known length, are missing rows; a gap of unknown length is a border of sessions.
///
/// # Options
/// See [`Options`].
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::Poisson;
/// use nemos_hmm::GlmHmm;
/// // Ten quiet bins, ten loud ones, and so on.
/// let counts: Vec<f64> = (0..200).map(|bin| f64::from(bin % 3) + if bin / 10 % 2 == 1 { 9.0 } else { 0.0 }).collect();
/// let (design, counts) = (Matrix::<Cpu>::zeros([200, 1]), Matrix::from_column(counts));
/// let fitted = GlmHmm::new(2, Poisson).restarts(4).fit(&design, &counts)?;
/// assert!(fitted.is_converged());
/// let path = fitted.on(&design, &counts)?.decoded()?.path;
/// assert!(path[5] != path[15] && path[5] == path[25]);
/// # Ok::<(), nemos_hmm::Error>(())
/// ```
///
/// # References
/// Ashwood et al. (2022), *Nature Neuroscience* 25. doi:10.1038/s41593-021-01007-z
/// Escola et al. (2011), *Neural Computation* 23(5). doi:10.1162/NECO_a_00118
#[doc(alias("GLMHMM", "hidden Markov model"))]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct GlmHmm<S = GlmStates<Poisson, Exp>> {
    pub(crate) n_states: usize,
    pub(crate) states: S,
    pub(crate) options: Options,
}

impl<O: ObservationModel> GlmHmm<GlmStates<O, O::DefaultLink>> {
    /// So many states of counts under an observation model, with its default link.
    pub fn new(n_states: usize, observation: O) -> Self {
        GlmHmm {
            n_states,
            states: GlmStates(PopulationGlm::new(observation)),
            options: Options::default(),
        }
    }
}

impl GlmHmm<ClassStates> {
    /// So many states of labels of `n_classes` classes, whole numbers from zero up.
    pub fn of_classes(n_states: usize, n_classes: usize) -> Self {
        GlmHmm {
            n_states,
            states: ClassStates(ClassifierPopulationGlm::new(n_classes)),
            options: Options::default(),
        }
    }
}

impl<O: ObservationModel, L: InverseLink> GlmHmm<GlmStates<O, L>> {
    /// Takes another link.
    pub fn link<M: InverseLink>(self, link: M) -> GlmHmm<GlmStates<O, M>> {
        GlmHmm {
            n_states: self.n_states,
            states: GlmStates(self.states.0.link(link)),
            options: self.options,
        }
    }
}

impl<S: StateModel> GlmHmm<S> {
    /// Takes a Gaussian prior of this standard deviation on every coefficient (not on intercepts): a ridge of strength 1/sd² on the
    /// total log-likelihood. An infinite one is [none](GlmHmm::flat_prior).
    pub fn prior_sd(mut self, sd: f64) -> Self {
        self.options.prior_sd = if sd == f64::INFINITY { PriorSd::Flat } else { PriorSd::Sd(sd) };
        self
    }

    /// Takes no prior on coefficients.
    pub fn flat_prior(mut self) -> Self {
        self.options.prior_sd = PriorSd::Flat;
        self
    }

    /// Centres the prior on the coefficients of these parameters: those of one animal lean on those of all.
    pub fn prior_mean(mut self, mean: HmmParameters) -> Self {
        self.options.prior_mean = Some(mean);
        self
    }

    /// Takes concentrations of the Dirichlet prior on the first state: one for all, or one for each.
    pub fn initial_concentration(mut self, concentration: impl Into<Concentration>) -> Self {
        self.options.initial_concentration = concentration.into();
        self
    }

    /// Takes concentrations of the Dirichlet priors on transitions: one for all, or one for each pair of states, row after row. Driven
    /// transitions have none.
    pub fn transition_concentration(mut self, concentration: impl Into<Concentration>) -> Self {
        self.options.transition_concentration = concentration.into();
        self
    }

    /// Adds so much to the concentration of staying. Driven transitions have none.
    pub fn stickiness(mut self, stickiness: f64) -> Self {
        self.options.stickiness = stickiness;
        self
    }

    /// Lets covariates drive the transitions, with a Gaussian prior of this standard deviation on their weights; see
    /// [`fit_driven`](GlmHmm::fit_driven).
    pub fn driven(mut self, drive: Drive, sd: f64) -> Self {
        (self.options.drive, self.options.drive_sd) = (Some(drive), sd);
        self
    }

    /// Gives these columns of the design the same coefficients in all states. Where a start or a prior mean has others in each, those of the
    /// first state are taken.
    pub fn share_columns(mut self, columns: impl Into<Vec<usize>>) -> Self {
        self.options.shared = Shared::Columns(columns.into());
        self
    }

    /// Gives the blocks of these names the same coefficients in all states, as [`share_columns`](GlmHmm::share_columns).
    pub fn share<N: Into<String>>(mut self, blocks: impl IntoIterator<Item = N>) -> Self {
        self.options.shared = Shared::Blocks(blocks.into_iter().map(Into::into).collect());
        self
    }

    /// Leaves these parts of the parameters as they start, and no others.
    ///
    /// # Example
    /// ```
    /// use nemos_glm::Poisson;
    /// use nemos_hmm::{GlmHmm, Part};
    /// let model = GlmHmm::new(2, Poisson).hold([Part::Coef, Part::Initial]);
    /// assert!(model.options().held.coef && !model.options().held.transitions);
    /// ```
    pub fn hold(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.options.held = parts.into_iter().collect();
        self
    }

    /// Says where fits start.
    pub fn start(mut self, start: Start) -> Self {
        self.options.start = start;
        self
    }

    /// Starts fits from these parameters.
    pub fn start_from(self, parameters: HmmParameters) -> Self {
        self.start(Start::Given(Box::new(parameters)))
    }

    /// Fits from so many starts at once, and keeps the best.
    pub fn restarts(mut self, restarts: usize) -> Self {
        self.options.restarts = restarts;
        self
    }

    /// Takes the seed of the noise of starts.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// Stops when so many nats per row with an observation are still to be gained.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.options.tolerance = tolerance;
        self
    }

    /// Gives up after so many iterations.
    pub fn max_iterations(mut self, iterations: usize) -> Self {
        self.options.max_iterations = iterations;
        self
    }

    /// Takes up to so many Newton steps in an iteration: one is enough for a fit, many solve each maximisation step fully.
    pub fn newton_steps(mut self, steps: usize) -> Self {
        self.options.newton_steps = steps;
        self
    }

    /// Takes steps further along their way where that is a gain, or not: fewer iterations to the same maximum, or expectation and
    /// maximisation alone.
    pub fn acceleration(mut self, acceleration: Acceleration) -> Self {
        self.options.acceleration = acceleration;
        self
    }

    /// Takes all options at once: those of another model, or of a file.
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// All options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How many states.
    pub fn n_states(&self) -> usize {
        self.n_states
    }

    /// The same model with another number of states.
    pub fn with_states(&self, n_states: usize) -> Self {
        GlmHmm { n_states, ..self.clone() }
    }

    /// What the states are models of.
    pub fn states(&self) -> &S {
        &self.states
    }

    /// Fits the model.
    ///
    /// Not converging is no error: see [`FittedGlmHmm::status`].
    ///
    /// Of a design whose sessions [processes share](nemos_core::World::share_segments) it is the fit to all of them: every process makes the same calls.
    ///
    /// # Errors
    /// If design and counts differ in rows or times, are empty, infinite, or missing in every row; if a neuron is never observed, or counts
    /// have no probability; if options or start parameters are out of range or do not fit; if no path of states has a probability; if the
    /// transitions are driven ([`fit_driven`](GlmHmm::fit_driven)).
    pub fn fit<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedGlmHmm<S>, Error> {
        let data = Data::new(self.states.observations::<B>()?, design.to_design(), counts.to_design(), None)?;
        crate::fit::fit(self, &data)
    }

    /// Fits the model where `drive` drives the transitions: its row `t` the transition *into* row `t`. That of a session's first row is never
    /// used. Who wants the last trial's outcome to drive a switch shifts the column first.
    ///
    /// # Errors
    /// As [`fit`](GlmHmm::fit), and if what drives transitions is missing in a row.
    pub fn fit_driven<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
        drive: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedGlmHmm<S>, Error> {
        let data = Data::new(
            self.states.observations::<B>()?,
            design.to_design(),
            counts.to_design(),
            Some(drive.to_design()),
        )?;
        crate::fit::fit(self, &data)
    }

    /// A fitted model with these parameters, as if a fit had ended there: to infer with, to predict, to simulate.
    ///
    /// # Errors
    /// [`Error::Shape`] if the parameters are of another number of states or classes, or driven otherwise.
    pub fn with_parameters(&self, parameters: HmmParameters) -> Result<FittedGlmHmm<S>, Error> {
        FittedGlmHmm::given(self.clone(), parameters)
    }
}
