//! Where fits start: never where states are the same, which is a stationary point of the objective.

use nemos_core::Backend;
use nemos_glm::{Scale, Support};
use nemos_solvers::{Moments, Parameters};
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::chain::paths::uniform;
use crate::error::check_shape;
use crate::fit::data::Data;
use crate::fit::em::Em;
use crate::fit::expectation::Expected;
use crate::fit::glms::Candidate;
use crate::fit::kmeans::k_means;
use crate::fit::priors::Priors;
use crate::fit::run::Run;
use crate::fit::seen::Seen;
use crate::options::{Options, Shared, Start};
use crate::{Error, HmmParameters, Transitions};

/// Newton steps of a generalized linear model: more than it needs.
const ENOUGH_STEPS: usize = 50;
/// Scales below this share of that of one state are on their floor.
const FLOOR: f64 = 1e-6;
/// The lowest scale of maximum likelihood that is searched for.
const LOWEST_SCALE: f64 = 1.001e-6;

/// Parameters of one state, the model of all rows: where starts and the floors of scales come from. Those that were given, of all their
/// states, where neither is asked for.
pub(crate) fn single_state<B: Backend>(data: &Data<'_, B>, options: &Options, seen: &Seen) -> Result<HmmParameters, Error> {
    if let (Start::Given(given), Scale::Fixed(_)) = (&options.start, data.observations.scale()) {
        // Neither is asked for.
        return Ok((**given).clone());
    }
    let plain = Data {
        drive: None,
        ..data.clone()
    };
    let options = Options {
        prior_sd: options.prior_sd,
        shared: Shared::None,
        newton_steps: ENOUGH_STEPS,
        ..Options::default()
    };
    let priors = Priors::new(&options, 1, &plain)?;
    let floors = vec![f64::MIN_POSITIVE; data.n_neurons()];
    let mut em = Em::new(&plain, (&options, priors), (seen, floors), (1, 1))?;
    let start = em.flat_start();
    let scale = data.observations.scale().start();
    let parameters = HmmParameters {
        initial: vec![1.0],
        transitions: Transitions::staying(1, 1.0)?,
        n_predictors: data.observations.n_predictors(),
        scales: vec![scale; start.n_problems()],
        glms: start,
    };
    em.look_for_constants(std::slice::from_ref(&parameters))?;
    let mut runs = [Run::new(parameters)];
    em.advance(&mut runs, 100)?;
    let [run] = runs;
    Ok(run.parameters)
}

/// `[n_neurons]`: the lowest scales that are let stand.
pub(crate) fn floors<B: Backend>(data: &Data<'_, B>, single: &HmmParameters) -> Vec<f64> {
    match data.observations.scale() {
        Scale::Fixed(_) => vec![0.0; data.n_neurons()],
        Scale::MaximumLikelihood => vec![LOWEST_SCALE; data.n_neurons()],
        _ => single.scales.iter().map(|scale| (FLOOR * scale).max(f64::MIN_POSITIVE)).collect(),
    }
}

/// What starts are made from.
pub(crate) struct Starts<'s> {
    pub(crate) options: &'s Options,
    pub(crate) n_states: usize,
    pub(crate) single: &'s HmmParameters,
    /// Of the features.
    pub(crate) moments: Option<&'s Moments>,
}

impl Starts<'_> {
    /// Parameters of every start.
    pub(crate) fn all<B: Backend>(&self, em: &mut Em<'_, '_, B>) -> Result<Vec<HmmParameters>, Error> {
        let n = self.options.restarts;
        match &self.options.start {
            Start::Glm { noise } => {
                if !(*noise >= 0.0 && noise.is_finite()) {
                    let (option, expected) = ("noise of the start", "zero or more");
                    return Err(Error::Option {
                        option,
                        got: *noise,
                        expected,
                    });
                }
                Ok((0..n)
                    .map(|start| self.with_noise(em, &self.copied(em.data)?, *noise, start))
                    .collect::<Result<_, Error>>()?)
            }
            Start::KMeans => (0..n).map(|start| self.by_groups(em, start)).collect(),
            Start::Given(given) => {
                em.data.check(given)?;
                check_shape("the start", &[given.n_states()], &[self.n_states], "state")?;
                // Without noise, what is shared is still made the same in all states.
                let noise = |start| if start == 0 { 0.0 } else { 0.2 };
                (0..n).map(|start| self.with_noise(em, given, noise(start), start)).collect()
            }
        }
    }

    fn rng(&self, start: usize) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.options.seed);
        rng.set_stream(start as u64);
        rng
    }

    /// The model of all rows in every state, which stay.
    fn copied<B: Backend>(&self, data: &Data<'_, B>) -> Result<HmmParameters, Error> {
        let n = self.n_states;
        let columns = (0..n).flat_map(|_| self.single.glms.columns());
        let transitions = Transitions::staying(n, 0.95 + 0.05 / n as f64)?;
        Ok(HmmParameters {
            initial: vec![1.0 / n as f64; n],
            transitions: self.driven(data, transitions),
            glms: Parameters::from_columns(self.single.glms.n_parameters(), columns),
            scales: self.single.scales.repeat(n),
            n_predictors: self.single.n_predictors,
        })
    }

    fn driven<B: Backend>(&self, data: &Data<'_, B>, transitions: Transitions) -> Transitions {
        match (self.options.drive, &data.drive) {
            (Some(drive), Some(inputs)) => transitions.to_driven(drive, inputs.n_inputs),
            _ => transitions,
        }
    }

    /// Adds noise to predictors: along standardised features and intercepts; that of shared features is the same in all states.
    fn with_noise<B: Backend>(&self, em: &Em<'_, '_, B>, from: &HmmParameters, noise: f64, start: usize) -> Result<HmmParameters, Error> {
        let mut rng = self.rng(start);
        let mut parameters = from.clone();
        if self.n_states == 1 {
            return Ok(parameters);
        }
        let (width, n_neurons) = (from.n_features() + 1, from.n_neurons());
        for problem in 0..parameters.glms.n_problems() {
            // Residuals set the scale of predictors that are means themselves.
            let unit = if em.data.observations.support() == Support::Real {
                from.scales[problem].sqrt()
            } else {
                1.0
            };
            let first = problem % n_neurons;
            for predictor in 0..from.n_predictors {
                for feature in 0..width {
                    let draw = noise * unit * normal(&mut rng);
                    let place = predictor * width + feature;
                    if feature + 1 == width {
                        parameters.glms.column_mut(problem)[place] += draw;
                        continue;
                    }
                    let (mean, sd) = self.moments.map_or((0.0, 1.0), |moments| {
                        (moments.mean[feature], moments.covariance[(feature, feature)].max(0.0).sqrt())
                    });
                    if em.priors.shared[feature] && problem != first {
                        // What the first state has.
                        let shared = parameters.glms.column(first)[place];
                        let column = parameters.glms.column_mut(problem);
                        column[predictor * width + width - 1] -= (shared - column[place]) * mean;
                        column[place] = shared;
                    } else if sd > 0.0 {
                        let column = parameters.glms.column_mut(problem);
                        column[place] += draw / sd;
                        column[predictor * width + width - 1] -= draw / sd * mean;
                    }
                }
            }
        }
        Ok(parameters)
    }

    /// A model for each group of rows that k-means finds.
    fn by_groups<B: Backend>(&self, em: &mut Em<'_, '_, B>, start: usize) -> Result<HmmParameters, Error> {
        let (n, n_rows) = (self.n_states, em.data.n_rows());
        let groups = k_means(em.data, n, &mut self.rng(start))?;
        // Mostly the group's own: a model whose rows are all alike should not be sure of it.
        let (own, other) = (0.9, 0.1 / (n.max(2) - 1) as f64);
        let mass = |group: Option<usize>, state: usize| match group {
            _ if n == 1 => 1.0,
            None => 1.0 / n as f64,
            Some(group) if group == state => own,
            Some(_) => other,
        };
        let smoothed = (0..n_rows).flat_map(|row| (0..n).map(move |state| (row, state)));
        let mut expected = Expected {
            smoothed: smoothed.map(|(row, state)| mass(groups[row], state)).collect(),
            first: vec![1.0; n],
            pairs: vec![1.0; n * n],
            ..Expected::default()
        };
        let mut seen = vec![0.0; n + n * n];
        for session in &em.data.sessions {
            for row in session.clone() {
                let Some(group) = groups[row] else { continue };
                if row == session.start {
                    seen[group] += 1.0;
                } else if let Some(before) = groups[row - 1] {
                    seen[n + before * n + group] += 1.0;
                }
            }
        }
        let seen = em.data.total("groups that follow each other", Ok(vec![(0, seen)]), n + n * n)?;
        let places = expected.first.iter_mut().chain(&mut expected.pairs);
        places.zip(seen).for_each(|(place, seen)| *place += seen);
        let mut parameters = self.copied(em.data)?;
        parameters.initial = law(&expected.first);
        let steps = expected.pairs.chunks_exact(n).flat_map(law).collect();
        let transitions = Transitions {
            baseline: steps,
            ..Transitions::staying(n, 1.0)?
        };
        parameters.transitions = self.driven(em.data, transitions);
        let mut candidate = Candidate::new(0, parameters, vec![false; n * em.data.n_neurons()]);
        em.fit_states(&mut candidate, &expected.smoothed, ENOUGH_STEPS)?;
        Ok(candidate.parameters)
    }
}

fn law(masses: &[f64]) -> Vec<f64> {
    let total: f64 = masses.iter().sum();
    masses.iter().map(|mass| mass / total).collect()
}

/// Mean zero, variance one (Box and Muller, 1958).
pub(crate) fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    let (radius, turn) = (1.0 - uniform(rng), uniform(rng));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}
