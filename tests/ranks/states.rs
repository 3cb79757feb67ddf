//! Hidden Markov models of all sessions, or of those of a process.

use ndarray::{Array2, Axis, Slice};
use nemos::core::{Design, Matrix, Segments, World};
use nemos::hmm::{FittedGlmHmm, HmmParameters, Start, StateModel};
use nemos::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::cases::Found;

/// Sessions in which two neurons follow a feature, in two ways that take turns.
pub(crate) struct Sessions {
    features: Array2<f64>,
    counts: Array2<f64>,
    segments: Segments,
}

/// What a process has of them: features, counts, and what drives transitions.
type Mine = (Design<'static, Cpu>, Matrix<Cpu>, Matrix<Cpu>);

impl Sessions {
    pub(crate) fn new() -> Self {
        let segments = Segments::from_lengths([90, 140, 60, 110, 75, 100, 130, 45, 120, 80, 105]);
        let n_rows = segments.n_rows();
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let mut features = Array2::from_shape_simple_fn((n_rows, 2), &mut normal);
        let mut draw = ChaCha8Rng::seed_from_u64(6);
        let mut counts = Array2::from_shape_fn((n_rows, 2), |(row, neuron)| {
            let sign = if (row / 23 + row / 61) % 2 == 0 { 1.0 } else { -1.0 };
            let predictor = 0.4 * sign * features[(row, neuron)] + if neuron == 0 { sign } else { 0.3 };
            let law = rand_distr::Poisson::new(f64::exp(predictor)).expect("rates are positive");
            law.sample(&mut draw)
        });
        for row in [5, 700, n_rows - 4] {
            counts[(row, row % 2)] = f64::NAN;
            features[(row + 1, 0)] = f64::NAN;
        }
        Sessions {
            features,
            counts,
            segments,
        }
    }

    fn with_counts(&self, of: impl Fn(f64) -> f64) -> Self {
        Sessions {
            features: self.features.clone(),
            counts: self.counts.mapv(of),
            segments: self.segments.clone(),
        }
    }

    /// Nothing is missing, and no feature varies.
    fn without_features(&self) -> Self {
        let counts = self.counts.mapv(|count| if count.is_nan() { 1.0 } else { count });
        Sessions {
            features: Array2::zeros((counts.nrows(), 1)),
            counts,
            segments: self.segments.clone(),
        }
    }

    /// The sessions of this process, or all.
    fn of(&self, world: Option<&World>) -> Result<Mine, nemos::Error> {
        let share = world.map(|world| world.share_segments(&self.segments));
        let rows = share.as_ref().map_or(0..self.features.nrows(), |share| share.rows());
        let cut = |values: &Array2<f64>| Matrix::<Cpu>::from_array(values.slice_axis(Axis(0), Slice::from(rows.clone())));
        let ranges = self.segments.ranges();
        let lengths = ranges.iter().filter(|range| rows.contains(&range.start)).map(std::ops::Range::len);
        let mut design = Design::from(cut(&self.features)).with_segments(Segments::from_lengths(lengths))?;
        if let Some(share) = share {
            design = share.design(design)?;
        }
        let drive = Matrix::from_column(rows.clone().map(|row| 3.0 + (row as f64 * 0.37).sin()).collect());
        Ok((design, cut(&self.counts), drive))
    }
}

fn of_parameters(parameters: &HmmParameters) -> Vec<f64> {
    let transitions = parameters.transitions();
    let mut found = parameters.initial().to_vec();
    found.extend(transitions.baseline().iter().chain(&transitions.weights()));
    for state in (0..parameters.n_states()).map(|state| parameters.state(state)) {
        found.extend(state.coef.iter().chain(&state.intercept).chain(&state.scale));
    }
    found
}

fn of_fit<S: StateModel>(fitted: &FittedGlmHmm<S>) -> Vec<f64> {
    let mut found = of_parameters(fitted.parameters());
    found.extend(fitted.history().iter().chain(fitted.occupancy()));
    found.extend(fitted.restarts().iter().map(|restart| restart.objective));
    found.extend([fitted.findings().len() as f64, fitted.bic(), fitted.n_observed_rows() as f64]);
    found
}

/// A fit, and what it says of the sessions: sums over all, and the probabilities of states, wherever they are.
fn fit<S: StateModel>(model: &GlmHmm<S>, sessions: &Sessions, world: Option<&World>) -> Result<Vec<f64>, nemos::Error> {
    let (design, counts, drive) = sessions.of(world)?;
    let is_driven = model.options().drive.is_some();
    let fitted = match is_driven {
        true => model.fit_driven(&design, &counts, &drive)?,
        false => model.fit(&design, &counts)?,
    };
    let mut found = of_fit(&fitted);
    let seen = match is_driven {
        true => fitted.on_driven(&design, &counts, &drive)?,
        false => fitted.on(&design, &counts)?,
    };
    found.push(seen.log_likelihood()?);
    found.extend(seen.expected_transitions()?);
    let smoothed: Vec<f64> = seen.smoothed_array()?.iter().copied().collect();
    found.extend(match world {
        Some(world) => world.gather(&smoothed)?.concat(),
        None => smoothed,
    });
    Ok(found)
}

/// All fits.
pub(crate) fn fits(world: Option<&World>) -> Result<Vec<Found>, nemos::Error> {
    let sessions = Sessions::new();
    let binary = sessions.with_counts(|count| count.min(1.0));
    let classes = sessions.with_counts(|count| count.min(2.0));
    let real = sessions.with_counts(|count| count + 0.1 * count.sin());
    let few = |model: GlmHmm| model.max_iterations(12);
    let poisson = || few(GlmHmm::new(2, Poisson));
    Ok(vec![
        ("counts", fit(&poisson().restarts(6), &sessions, world)?),
        ("groups", fit(&poisson().start(Start::KMeans), &sessions, world)?),
        ("no features", fit(&poisson().restarts(3), &sessions.without_features(), world)?),
        ("driven", fit(&poisson().driven(Drive::PerState, 1.0), &sessions, world)?),
        (
            "shared",
            fit(&poisson().driven(Drive::Shared, 1.0).share_columns([1]), &sessions, world)?,
        ),
        ("choices", fit(&GlmHmm::new(2, Bernoulli).max_iterations(12), &binary, world)?),
        ("classes", fit(&GlmHmm::of_classes(2, 3).max_iterations(8), &classes, world)?),
        ("real numbers", fit(&GlmHmm::new(2, Gaussian).max_iterations(12), &real, world)?),
        (
            "overdispersed",
            fit(&GlmHmm::new(2, NegativeBinomial::estimated()).max_iterations(5), &sessions, world)?,
        ),
    ])
}

/// Standard errors: from differences of slopes, which lose digits.
#[allow(dead_code, reason = "not all programs that share this file need it")]
pub(crate) fn errors(world: Option<&World>) -> Result<Vec<Found>, nemos::Error> {
    let sessions = Sessions::new();
    let (design, counts, drive) = sessions.of(world)?;
    let fitted = GlmHmm::new(2, Poisson).fit(&design, &counts)?;
    let errors = fitted.standard_errors(&design, &counts)?;
    let mut plain: Vec<f64> = errors.transitions().iter().copied().chain(errors.initial()).collect();
    plain.extend(errors.state(0).coef);
    let model = GlmHmm::new(2, Poisson).driven(Drive::PerState, 1.0);
    let fitted = model.fit_driven(&design, &counts, &drive)?;
    let errors = fitted.standard_errors_driven(&design, &counts, &drive)?;
    let driven = errors.weights().iter().copied().chain(errors.state(1).intercept).collect();
    Ok(vec![("standard errors", plain), ("standard errors, driven", driven)])
}
