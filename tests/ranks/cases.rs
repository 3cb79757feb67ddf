//! Fits of every penalty and of several models, of all rows or of the share of a process.

use ndarray::{Array2, Axis, Slice, s};
use nemos::core::{Backend, Design, Matrix, Segments, World};
use nemos::glm::{ObservationModel, Problems, SecondMoment};
use nemos::inference::{Clusters, Lag};
use nemos::prelude::*;
use nemos::solvers::{Newton, Objective, Order, Parameters, Request, Solver, Svrg};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// What a fit ended with, under its name.
pub(crate) type Found = (&'static str, Vec<f64>);

/// A recording on the host.
#[derive(Clone)]
pub(crate) struct Recording {
    features: Array2<f64>,
    counts: Array2<f64>,
    weights: Option<Array2<f64>>,
    offset: Option<Array2<f64>>,
    segments: Segments,
}

impl Recording {
    /// Neurons whose logarithm of the rate follows the features; some rows and counts are missing.
    pub(crate) fn new([n_rows, n_features, n_neurons]: [usize; 3]) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let mut features = Array2::from_shape_simple_fn((n_rows, n_features), || 0.5 * normal());
        let coef = Array2::from_shape_simple_fn((n_features, n_neurons), || 0.5 * normal());
        let mut draw = ChaCha8Rng::seed_from_u64(12);
        let mut counts = features.dot(&coef).mapv(|predictor| {
            let law = rand_distr::Poisson::new((predictor + 0.2).exp()).expect("rates are positive");
            law.sample(&mut draw)
        });
        for row in [7, n_rows / 2, n_rows - 3] {
            features[(row, row % n_features)] = f64::NAN;
            counts[(row - 2, row % n_neurons)] = f64::NAN;
        }
        let length = n_rows / 9;
        let lengths = (0..9).map(|segment| {
            if segment < 8 {
                length + segment % 3
            } else {
                n_rows - 8 * length - 7
            }
        });
        Recording {
            segments: Segments::from_lengths(lengths),
            features,
            counts,
            weights: None,
            offset: None,
        }
    }

    fn with_counts(&self, of: impl Fn(f64) -> f64) -> Self {
        let counts = self.counts.mapv(of);
        Recording { counts, ..self.clone() }
    }

    #[allow(dead_code, reason = "not all programs that share this file need it")]
    pub(crate) fn in_one_segment(self) -> Self {
        let segments = Segments::single(self.features.nrows());
        Recording { segments, ..self }
    }

    fn weighed(&self) -> Self {
        let n_rows = self.features.nrows();
        let column = |of: fn(usize) -> f64| Some(Array2::from_shape_fn((n_rows, 1), |(row, _)| of(row)));
        Recording {
            weights: column(|row| [1.0, 0.0, 2.0][row % 3]),
            offset: column(|row| 0.1 * (row % 5) as f64),
            ..self.clone()
        }
    }

    /// The rows of this process, or all.
    pub(crate) fn of<B: Backend>(&self, world: Option<&World>) -> Result<(Design<'static, B>, Matrix<B>), nemos::Error> {
        let share = world.map(|world| world.share_segments(&self.segments));
        let rows = share.as_ref().map_or(0..self.features.nrows(), |share| share.rows());
        let cut = |values: &Array2<f64>| Matrix::<B>::from_array(values.slice_axis(Axis(0), Slice::from(rows.clone())));
        let starts = self
            .segments
            .ranges()
            .iter()
            .filter(|range| rows.contains(&range.start))
            .map(std::ops::Range::len);
        let mut design = Design::from(cut(&self.features)).with_segments(Segments::from_lengths(starts))?;
        if let Some(weights) = &self.weights {
            design = design.with_weights(cut(weights))?;
        }
        if let Some(offset) = &self.offset {
            design = design.with_offset(cut(offset))?;
        }
        if let Some(share) = share {
            design = share.design(design)?;
        }
        Ok((design, cut(&self.counts)))
    }
}

/// Fits one model; everything that a user may ask it.
fn fit<B: Backend, O: ObservationModel, L: InverseLink>(
    model: PopulationGlm<O, L>,
    solver: &dyn Solver,
    (recording, world): (&Recording, Option<&World>),
) -> Result<Vec<f64>, nemos::Error> {
    let (design, counts) = recording.of::<B>(world)?;
    let fitted = model.fit_with(solver, &design, &counts)?;
    let mut found: Vec<f64> = fitted.coef().iter().copied().collect();
    found.extend(fitted.intercept());
    found.extend(fitted.scale());
    found.extend(fitted.dof_resid());
    found.extend(
        fitted
            .outcome()
            .columns
            .iter()
            .map(|column| f64::from(column.status == Status::Converged)),
    );
    found.push(fitted.score(&design, &counts, Score::Cohen)?);
    found.extend(fitted.score_by_neuron(&design, &counts, Score::LogLikelihood)?);
    found.extend(fitted.pearson_chi2(&design, &counts)?);
    Ok(found)
}

/// All fits.
pub(crate) fn all(world: Option<&World>) -> Result<Vec<Found>, nemos::Error> {
    let recording = Recording::new([2000, 5, 3]);
    let stopping = Stopping::new().tolerance(1e-20);
    let poisson = || PopulationGlm::new(Poisson).stopping(stopping);
    let auto = nemos::solvers::Auto::new();
    let counts = (&recording, world);
    let (weighed, positive, binary) = (
        recording.weighed(),
        recording.with_counts(|count| count + 0.5),
        recording.with_counts(|count| count.min(1.0)),
    );
    let long = Recording::new([40_000, 12, 4]);
    let mut found = vec![
        ("unpenalised", fit::<Cpu, _, _>(poisson(), &auto, counts)?),
        ("ridge", fit::<Cpu, _, _>(poisson().regularizer(ridge(0.01)), &auto, counts)?),
        ("lasso", fit::<Cpu, _, _>(poisson().regularizer(lasso(0.05)), &auto, counts)?),
        (
            "elastic net",
            fit::<Cpu, _, _>(poisson().regularizer(elastic_net(0.05, 0.5)), &auto, counts)?,
        ),
        (
            "group lasso",
            fit::<Cpu, _, _>(
                poisson().regularizer(group_lasso(0.05, Groups::Features(vec![vec![0, 1], vec![2, 3, 4]]))),
                &auto,
                counts,
            )?,
        ),
        ("weights and offset", fit::<Cpu, _, _>(poisson(), &auto, (&weighed, world))?),
        ("softplus", fit::<Cpu, _, _>(poisson().link(Softplus), &Newton::new(), counts)?),
        (
            "Gamma",
            fit::<Cpu, _, _>(PopulationGlm::new(Gamma).link(Exp).stopping(stopping), &auto, (&positive, world))?,
        ),
        (
            "Gaussian",
            fit::<Cpu, _, _>(PopulationGlm::new(Gaussian).stopping(stopping), &auto, counts)?,
        ),
        (
            "Bernoulli",
            fit::<Cpu, _, _>(PopulationGlm::new(Bernoulli).stopping(stopping), &auto, (&binary, world))?,
        ),
        (
            "negative binomial",
            fit::<Cpu, _, _>(PopulationGlm::new(NegativeBinomial::estimated()).stopping(stopping), &auto, counts)?,
        ),
        (
            "many rows",
            fit::<Cpu, _, _>(poisson().regularizer(ridge(0.001)), &auto, (&long, world))?,
        ),
        (
            "many rows, lasso",
            fit::<Cpu, _, _>(poisson().regularizer(lasso(0.01)), &auto, (&long, world))?,
        ),
    ];
    found.push(("classes", classes(&recording, world)?));
    found.extend(evaluations(&recording, world)?);
    Ok(found)
}

/// Losses, gradients and curvatures, which proofs of fits would hide.
fn evaluations(recording: &Recording, world: Option<&World>) -> Result<Vec<Found>, nemos::Error> {
    let found = |objective: &dyn Objective, at: &Parameters, n: usize, order| {
        let columns: Vec<usize> = (0..n).collect();
        let request = Request {
            columns: &columns,
            rows: None,
            order,
        };
        let evaluation = objective.evaluate(at, request)?;
        let mut found = evaluation.values;
        found.extend(evaluation.gradient.as_slice());
        found.extend(evaluation.curvature.iter().flatten().flatten());
        Ok::<_, nemos::Error>(found)
    };
    let coef = |n: usize| Array2::from_shape_fn((5, n), |(i, j)| 0.1 * (i as f64 - 0.3 * j as f64));
    let (design, counts) = recording.of::<Cpu>(world)?;
    let poisson = PopulationGlm::new(Poisson).with_parameters(&coef(3), &[0.1, 0.2, 0.3])?;
    let of_poisson = poisson.objective(Problems::one_per_response(3), design, Design::from(counts))?;
    let (design, counts) = recording.of::<Cpu>(world)?;
    let surveyed = PopulationGlm::new(Poisson).objective_of(Problems::one_per_response(3), &design, &counts)?;
    let moments = &surveyed.expected_curvature().expect("features were surveyed").moments[0];
    let moments: Vec<f64> = moments.mean.iter().chain(&moments.covariance).copied().collect();
    let start = surveyed.start().as_slice().to_vec();
    let (design, labels) = recording.with_counts(|count| count.min(2.0)).of::<Cpu>(world)?;
    let classes = ClassifierPopulationGlm::new(3).with_parameters(&coef(9), &[0.1; 9])?;
    let of_classes = classes.objective(Problems::one_per_response(3), design, Design::from(labels))?;
    Ok(vec![
        ("moments", moments),
        ("a start", start),
        ("an evaluation", found(&of_poisson, poisson.parameters(), 3, Order::Gradient)?),
        (
            "an evaluation with curvatures",
            found(&of_poisson, poisson.parameters(), 3, Order::Curvature)?,
        ),
        (
            "an evaluation of classes",
            found(&of_classes, classes.parameters(), 3, Order::Gradient)?,
        ),
        (
            "one of classes with curvatures",
            found(&of_classes, classes.parameters(), 3, Order::Curvature)?,
        ),
    ])
}

/// What looks at neighbouring rows, or takes sums of its own: the same in all processes, but for rounding whatever their number.
pub(crate) fn close(world: Option<&World>) -> Result<Vec<Found>, nemos::Error> {
    let recording = Recording::new([2000, 5, 3]);
    Ok(vec![
        ("standard errors", standard_errors(&recording, world)?),
        ("second moments", second_moments(&recording, world)?),
    ])
}

#[allow(dead_code, reason = "not all programs that share this file need it")]
/// Fits that end where rounding led them: in single precision, and by steps on some rows at a time.
pub(crate) fn rough(world: Option<&World>) -> Result<Vec<Found>, nemos::Error> {
    let recording = Recording::new([2000, 5, 3]);
    let model = || PopulationGlm::new(Poisson).regularizer(ridge(0.01));
    let single = fit::<Cpu<f32>, _, _>(model(), &nemos::solvers::Auto::new(), (&recording, world))?;
    let softplus = model().link(Softplus);
    let some_rows = fit::<Cpu, _, _>(softplus, &Svrg::new(), (&recording, world))?;
    Ok(vec![("single precision", single), ("some rows at a time", some_rows)])
}

fn classes(recording: &Recording, world: Option<&World>) -> Result<Vec<f64>, nemos::Error> {
    let (design, labels) = recording.with_counts(|count| count.min(2.0)).of::<Cpu>(world)?;
    let model = ClassifierPopulationGlm::new(3)
        .regularizer(ridge(0.01))
        .stopping(Stopping::new().tolerance(1e-20));
    let fitted = model.fit(&design, &labels)?;
    let mut found: Vec<f64> = fitted.parameters().as_slice().to_vec();
    found.extend(fitted.deviances(&design, &labels)?.concat());
    Ok(found)
}

fn second_moments(recording: &Recording, world: Option<&World>) -> Result<Vec<f64>, nemos::Error> {
    let (design, counts) = recording.of::<Cpu>(world)?;
    let coef = Array2::from_shape_fn((5, 3), |(i, j)| 0.1 * (i as f64 - j as f64));
    let fitted = PopulationGlm::new(Poisson).with_parameters(&coef, &[0.1, 0.2, 0.3])?;
    let segments = design.segments();
    let objective = fitted.objective(Problems::one_per_response(3), design, Design::from(counts))?;
    let kinds = [
        SecondMoment::Scores,
        SecondMoment::ScoresBySegment(segments.clone()),
        SecondMoment::ScoresOverLags(segments, 3),
    ];
    let mut found = Vec::new();
    for kind in &kinds {
        let moments = objective.second_moments(fitted.parameters(), kind)?;
        found.extend(
            moments
                .iter()
                .flat_map(|moments| moments.slice(s![.., ..]).into_iter().copied().collect::<Vec<_>>()),
        );
    }
    Ok(found)
}

fn standard_errors(recording: &Recording, world: Option<&World>) -> Result<Vec<f64>, nemos::Error> {
    let (design, counts) = recording.of::<Cpu>(world)?;
    let fitted = PopulationGlm::new(Poisson)
        .stopping(Stopping::new().tolerance(1e-20))
        .fit(&design, &counts)?;
    let inference = fitted.inference(&design, &counts)?;
    let kinds = [
        Covariance::Model,
        Covariance::Hc0,
        Covariance::Hc3,
        Covariance::Cluster(Clusters::segments()),
        Covariance::Hac(Lag::RuleOfThumb),
    ];
    let mut found = Vec::new();
    for kind in &kinds {
        found.extend(inference.estimates(kind)?.standard_errors());
    }
    let criteria = inference.criteria()?;
    found.extend(
        criteria
            .iter()
            .flat_map(|criteria| [criteria.aic(), criteria.bic(), criteria.deviance_explained()]),
    );
    Ok(found)
}

/// The names of findings that differ in any bit.
#[allow(dead_code, reason = "not all programs that share this file need it")]
pub(crate) fn that_differ(a: &[Found], b: &[Found]) -> Vec<&'static str> {
    let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<u64>>();
    let differ = |(x, y): &(&Found, &Found)| bits(&x.1) != bits(&y.1);
    a.iter().zip(b).filter(differ).map(|(x, _)| x.0).collect()
}

/// The largest difference between two lists of findings, as a share of the larger number.
pub(crate) fn difference(a: &[Found], b: &[Found]) -> (f64, &'static str) {
    let apart = |x: f64, y: f64| match x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()) {
        true => 0.0,
        false => (x - y).abs() / x.abs().max(y.abs()).max(1.0),
    };
    let of = |((name, x), (_, y)): (&Found, &Found)| {
        let farthest = x.iter().zip(y).map(|(x, y)| apart(*x, *y)).fold(0.0, f64::max);
        (if x.len() == y.len() { farthest } else { f64::INFINITY }, *name)
    };
    let each = a.iter().zip(b).map(of);
    each.fold((0.0, "none"), |worst, one| if one.0 > worst.0 { one } else { worst })
}
