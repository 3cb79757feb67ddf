//! Ridges one after the other: the same minima as those of each alone, after fewer passes.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use nemos_solvers::{
    Auto, Error, Evaluation, ExpectedCurvature, Lbfgs, Objective, Parameters, Penalized, Regularizer, Request, Solver, Stopping, Strength,
    minimize, minimize_each, ridge,
};
use nemos_testkit::{HostObjective, Loss};

// Too many for a proof row by row, which would cost passes of its own.
const N_ROWS: usize = 20_000;
const N_FEATURES: usize = 12;

fn objective() -> HostObjective {
    let design = Array2::from_shape_fn((N_ROWS, N_FEATURES), |(t, i)| {
        ((t * (2 * i + 3)) as f64 * 0.37 + (i * i) as f64).sin()
    });
    let effects = Array2::from_shape_fn((N_FEATURES, 3), |(i, j)| if (i + j) % 3 == 0 { 0.6 } else { -0.1 });
    let noise = Array2::from_shape_fn((N_ROWS, 3), |(t, j)| ((t * t + 7 * j * t) % 11) as f64 / 11.0);
    let counts = (design.dot(&effects).mapv(f64::exp) + noise).mapv(f64::floor);
    HostObjective::new(design, counts, Loss::Poisson)
}

/// Counts the columns that are evaluated.
struct Counting<'a> {
    objective: &'a HostObjective,
    columns: AtomicUsize,
}

impl<'a> Counting<'a> {
    fn new(objective: &'a HostObjective) -> Self {
        Counting {
            objective,
            columns: AtomicUsize::new(0),
        }
    }
}

impl Objective for Counting<'_> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        self.columns.fetch_add(request.columns.len(), Ordering::Relaxed);
        self.objective.evaluate(at, request)
    }

    fn n_rows(&self) -> usize {
        self.objective.n_rows()
    }

    fn expected_curvature(&self) -> Option<&ExpectedCurvature> {
        self.objective.expected_curvature()
    }
}

fn ridges() -> Vec<Regularizer> {
    (0..12).map(|place| ridge(2.0 * 0.5_f64.powi(place))).collect()
}

fn assert_same_minima(penalties: &[Regularizer]) {
    let objective = objective();
    let start = Parameters::zeros(N_FEATURES + 1, 3);
    let solutions = minimize_each(&objective, penalties, &Auto::new(), Stopping::new(), &start).unwrap();
    for (solution, penalty) in solutions.iter().zip(penalties) {
        assert!(solution.outcome.all_converged(), "{penalty:?}");
        let alone = minimize(
            &Penalized::new(&objective, penalty),
            &Auto::new(),
            Stopping::new().tolerance(1e-14),
            &start,
        )
        .unwrap();
        for (column, other) in solution.outcome.columns.iter().zip(&alone.outcome.columns) {
            // The tolerance is 1e-10 of the value.
            assert!(
                (column.value - other.value).abs() <= 2e-10 * other.value.abs(),
                "{penalty:?}: {column:?} {other:?}"
            );
        }
        let pairs = solution.parameters.as_slice().iter().zip(alone.parameters.as_slice());
        assert!(pairs.clone().all(|(a, b)| (a - b).abs() < 1e-4), "{penalty:?}");
    }
}

#[test]
fn ridges_one_after_the_other_have_the_minima_of_each_alone() {
    assert_same_minima(&ridges());
    // From the weakest to the strongest as well.
    assert_same_minima(&ridges().into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn strengths_may_differ_between_problems_and_coefficients() {
    let per_problem = |scale: f64| Regularizer::Ridge(Strength::PerNeuron(vec![scale, 0.1 * scale, 3.0 * scale]));
    assert_same_minima(&[per_problem(1.0), per_problem(0.3), per_problem(0.1), per_problem(0.03)]);
    let per_feature = |scale: f64| Regularizer::Ridge(Strength::PerFeature((0..N_FEATURES).map(|i| scale * (1.0 + i as f64)).collect()));
    assert_same_minima(&[per_feature(1.0), per_feature(0.1), per_feature(0.01)]);
}

#[test]
fn other_penalties_among_them_are_minimised_too() {
    assert_same_minima(&[ridge(1.0), ridge(0.1), ridge(0.0), ridge(0.1)]);
    assert_same_minima(&[Regularizer::Lasso(0.1.into()), Regularizer::Lasso(0.01.into())]);
}

#[test]
fn ridges_one_after_the_other_take_few_passes() {
    let objective = objective();
    let passes = |solver: &dyn Solver| {
        let counting = Counting::new(&objective);
        let start = Parameters::zeros(N_FEATURES + 1, 3);
        minimize_each(&counting, &ridges(), solver, Stopping::new(), &start).unwrap();
        counting.columns.into_inner() as f64 / (3.0 * ridges().len() as f64)
    };
    let (together, each) = (passes(&Auto::new()), passes(&Lbfgs::new()));
    assert!(
        together < 4.0 && together < 0.6 * each,
        "{together} passes for each strength, and {each}"
    );
}
