//! Columns whose curvature is far from the expected one take few passes all the same.

use std::sync::Mutex;

use nemos_solvers::{
    Error, Evaluation, ExpectedCurvature, Lbfgs, Newton, Objective, Order, Parameters, Request, Solution, Stopping, minimize,
};
use nemos_testkit::{HostObjective, Loss, refractory};

/// Keeps account of what evaluations cost.
struct Costed<'a> {
    objective: &'a HostObjective,
    cost: Mutex<f64>,
}

impl Objective for Costed<'_> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        // In gradients of all columns on all rows. A gradient takes 4 n p products (predictor and its transpose), the
        // lower half of a curvature n p².
        let rows = request.rows.map_or(1.0, |rows| rows.len() as f64 / self.objective.n_rows() as f64);
        let columns = request.columns.len() as f64 / self.objective.counts.ncols() as f64;
        let curvature = match request.order {
            Order::Curvature => at.n_parameters() as f64 / 4.0,
            Order::CurvatureAmong(few) => ((few[0].len() + 1).pow(2) / (4 * at.n_parameters())) as f64,
            _ => 0.0,
        };
        *self.cost.lock().expect("no evaluation panics") += rows * columns * (1.0 + curvature);
        self.objective.evaluate(at, request)
    }

    fn n_rows(&self) -> usize {
        self.objective.n_rows()
    }

    fn expected_curvature(&self) -> Option<&ExpectedCurvature> {
        self.objective.expected_curvature()
    }
}

fn solve(objective: &HostObjective, solver: &dyn nemos_solvers::Solver) -> (Solution, f64) {
    let costed = Costed {
        objective,
        cost: Mutex::new(0.0),
    };
    let solution = minimize(&costed, solver, Stopping::new(), &objective.start()).expect("the data are in memory");
    let cost = *costed.cost.lock().expect("no evaluation panics");
    (solution, cost)
}

#[test]
fn a_refractory_cell_is_done_in_twenty_passes() {
    let objective = refractory(4_000, 20);
    let (solution, cost) = solve(&objective, &Lbfgs::new());
    let evaluations: Vec<usize> = solution.outcome.columns.iter().map(|column| column.evaluations).collect();
    println!("{evaluations:?}, {cost:.1} passes' worth of time");
    assert!(solution.outcome.all_converged(), "{:?}", solution.outcome);
    assert!(evaluations.iter().all(|&evaluations| evaluations <= 20), "{evaluations:?}");
    assert!(cost <= 20.0, "{cost}");
    // The first column is what it is about: it takes longer than the expected curvature is good for.
    assert!(
        evaluations[0] > 10 && evaluations[1..].iter().all(|&evaluations| evaluations <= 12),
        "{evaluations:?}"
    );
    let (reference, _) = solve(&objective, &Newton::new());
    for (column, (own, best)) in solution.outcome.columns.iter().zip(&reference.outcome.columns).enumerate() {
        let gap = (own.value - best.value) / best.value.abs();
        assert!(gap.abs() < 1e-9, "column {column}: {gap:e}");
    }
}

#[test]
fn where_all_are_refractory_all_are_done_in_twenty_passes() {
    for n_lags in [20, 60] {
        let HostObjective { design, counts, .. } = refractory(6_000, n_lags);
        let alone = counts.select(ndarray::Axis(1), &[0]);
        let (solution, cost) = solve(&HostObjective::new(design, alone, Loss::Poisson), &Lbfgs::new());
        let evaluations = solution.outcome.columns[0].evaluations;
        println!("{n_lags} lags: {evaluations} evaluations, {cost:.1} passes' worth of time");
        assert!(
            solution.outcome.all_converged() && evaluations > 10 && cost <= 20.0,
            "{evaluations}, {cost}"
        );
    }
}

#[test]
fn a_sample_of_long_data_tells_the_curvature() {
    let objective = refractory(12_000, 40);
    let (solution, cost) = solve(&objective, &Lbfgs::new());
    let evaluations: Vec<usize> = solution.outcome.columns.iter().map(|column| column.evaluations).collect();
    println!("{evaluations:?}, {cost:.1} passes' worth of time");
    assert!(solution.outcome.all_converged(), "{:?}", solution.outcome);
    assert!(evaluations[0] <= 20 && cost <= 12.0, "{evaluations:?}, {cost}");
}
