//! Every solver meets every problem of the zoo, and ends at the same place or says why not.

use ndarray::{Array2, s};
use nemos_solvers::{
    Acceleration, Auto, Bfgs, Callback, Error, GradientDescent, Lbfgs, ModelCurvature, Newton, NonlinearCg, Objective, Order, Parameters,
    Penalized, ProximalNewton, Request, Solution, Solver, Status, StepLength, Stopping, Svrg, minimize,
};
use nemos_testkit::{Digits, Problem, problems};

/// A solver of the zoo, and how close it comes.
struct Entry {
    name: &'static str,
    solver: Box<dyn Solver>,
    stopping: Stopping,
    smooth_only: bool,
    /// Whether badly conditioned problems may be too much for it.
    first_order: bool,
    /// Whether its steps are short throughout: nothing for badly conditioned problems.
    small_steps: bool,
    /// Whether it draws rows: its objectives must know how fast gradients change.
    stochastic: bool,
    /// Error of the objective relative to its scale.
    close: f64,
}

fn entry(name: &'static str, solver: impl Solver + 'static, smooth_only: bool) -> Entry {
    Entry {
        name,
        solver: Box::new(solver),
        stopping: Stopping::new(),
        smooth_only,
        first_order: false,
        small_steps: false,
        stochastic: false,
        close: FAST,
    }
}

fn first_order(name: &'static str, solver: impl Solver + 'static) -> Entry {
    Entry {
        first_order: true,
        close: SLOW,
        ..entry(name, solver, false)
    }
}

fn small_steps(name: &'static str, solver: impl Solver + 'static, max_steps: usize) -> Entry {
    Entry {
        small_steps: true,
        stopping: Stopping::new().max_steps(max_steps),
        ..first_order(name, solver)
    }
}

fn stochastic(name: &'static str, solver: impl Solver + 'static) -> Entry {
    Entry {
        stochastic: true,
        small_steps: true,
        ..first_order(name, solver)
    }
}

// Solvers stop at an estimated relative distance of 1e-10; the estimate is off by the change of curvature, a factor of ten.
const FAST: f64 = 1e-9;
// As above, and the curvature is the one expected at the start.
const SLOW: f64 = 1e-8;
// Values have seven digits, of which a sum over rows loses one.
const SINGLE: f64 = 3e-6;

fn solvers() -> Vec<Entry> {
    vec![
        entry("Auto", Auto::new(), false),
        entry("L-BFGS", Lbfgs::new(), true),
        entry("Newton", Newton::new(), true),
        entry("BFGS", Bfgs::new(), true),
        entry("nonlinear conjugate gradients", NonlinearCg::new(), true),
        entry("with a callback", Callback::new(Auto::new(), |_| ()), false),
        entry("proximal Newton", ProximalNewton::new(), false),
        entry(
            "proximal Newton, exact",
            ProximalNewton::new().curvature(ModelCurvature::Exact),
            false,
        ),
        entry(
            "proximal Newton, from gradients",
            ProximalNewton::new().curvature(ModelCurvature::FromGradients),
            false,
        ),
        first_order("gradient descent", GradientDescent::new()),
        small_steps(
            "gradient descent, Nesterov",
            GradientDescent::new().acceleration(Acceleration::Nesterov),
            10_000,
        ),
        small_steps(
            "gradient descent, plain",
            GradientDescent::new().acceleration(Acceleration::Plain),
            4_000,
        ),
        small_steps(
            "gradient descent, fixed",
            GradientDescent::new().step_length(StepLength::Fixed(0.02)),
            4_000,
        ),
        stochastic("SVRG", Svrg::new()),
        stochastic("SVRG, batches", Svrg::new().batch_size(40)),
    ]
}

#[test]
fn every_solver_meets_every_problem() {
    let mut failures = Vec::new();
    for problem in problems() {
        let objective = Penalized::new(&*problem.objective, &problem.regularizer);
        let reference = reference(&problem, &objective);
        for solver in solvers() {
            let unknown = objective.smoothness().expect("the data are in memory").is_none() || !problem.without_minimum.is_empty();
            if (solver.small_steps && problem.hard.is_some()) || (solver.stochastic && unknown) {
                continue;
            }
            let begin = std::time::Instant::now();
            if let Err(why) = meet(&solver, &problem, &objective, &reference) {
                failures.push(format!("({}, {}): {why}", solver.name, problem.name));
            }
            if std::env::var_os("ZOO_TIMES").is_some() {
                println!("{:>8.3} s  {} / {}", begin.elapsed().as_secs_f64(), solver.name, problem.name);
            }
        }
    }
    assert!(failures.is_empty(), "{} pairs failed:\n{}", failures.len(), failures.join("\n"));
}

/// The solution that all others are compared with, and checked by itself: the best of exact proximal Newton steps.
fn reference(problem: &Problem, objective: &dyn Objective) -> Solution {
    let solver = ProximalNewton::new().curvature(ModelCurvature::Exact);
    minimize(objective, &solver, Stopping::new().tolerance(1e-14), &problem.start)
        .unwrap_or_else(|error| panic!("{}: {error}", problem.name))
}

fn meet(solver: &Entry, problem: &Problem, objective: &dyn Objective, reference: &Solution) -> Result<(), String> {
    let result = minimize(objective, &*solver.solver, solver.stopping, &problem.start);
    if solver.smooth_only && objective.penalty().is_some() {
        return match result {
            Err(Error::Penalty { .. }) => Ok(()),
            other => Err(format!("should refuse the penalty, not {other:?}")),
        };
    }
    let solution = result.map_err(|error| error.to_string())?;
    let values = totals(objective, &solution.parameters);
    let starts = totals(objective, &problem.start);
    let best = totals(objective, &reference.parameters);
    for column in 0..values.len() {
        let outcome = &solution.outcome.columns[column];
        if problem.without_minimum.contains(&column) {
            // Short steps may run out before the objective has flattened enough to tell.
            let ran_out = solver.small_steps && outcome.status == Status::StepLimit;
            if outcome.status != Status::NoMaximum && !ran_out {
                return Err(format!(
                    "column {column}: {:?}, though there is no minimum; {outcome:?}",
                    outcome.status
                ));
            }
            continue;
        }
        // What is too badly conditioned for first-order steps must end without a claim.
        if solver.first_order && problem.hard.is_some() && outcome.status == Status::StepLimit {
            continue;
        }
        if outcome.status != Status::Converged {
            return Err(format!("column {column}: {outcome:?}"));
        }
        let scale = best[column].abs().max(starts[column] - best[column]);
        let close = if problem.digits == Digits::Single { SINGLE } else { solver.close };
        let gap = (values[column] - best[column]) / scale;
        if gap.is_nan() || gap > close {
            return Err(format!("column {column}: relative gap {gap:e}; {outcome:?}"));
        }
        if gap < -1e-11 && problem.digits == Digits::Double {
            return Err(format!("column {column}: better than the reference by {gap:e}"));
        }
        let distance = distance(problem, &solution.parameters, &reference.parameters, column);
        // Objectives are flat at a minimum: predictors differ by the root of the gap.
        if distance > 10.0 * close.sqrt() {
            return Err(format!("column {column}: predictors differ by {distance:e}"));
        }
    }
    Ok(())
}

/// Objective with its whole penalty.
fn totals(objective: &dyn Objective, at: &Parameters) -> Vec<f64> {
    let columns: Vec<usize> = (0..at.n_problems()).collect();
    let request = Request {
        columns: &columns,
        rows: None,
        order: Order::Gradient,
    };
    let values = objective.evaluate(at, request).expect("the data are in memory").values;
    let n_predictors = objective.n_predictors();
    let n_features = at.n_parameters() / n_predictors - 1;
    let nonsmooth = |column: usize| match objective.penalty() {
        None => 0.0,
        Some(regularizer) => {
            let coef = Array2::from_shape_fn((n_features, n_predictors), |(i, predictor)| {
                at.column(column)[predictor * (n_features + 1) + i]
            });
            // The ridge of an elastic net is part of the objective already.
            let ridge = match objective.expected_curvature().and_then(|expected| expected.ridge.as_ref()) {
                Some(ridge) => coef
                    .indexed_iter()
                    .map(|((i, predictor), w)| 0.5 * ridge[(predictor * n_features + i, column)] * w * w)
                    .sum(),
                None => 0.0,
            };
            regularizer.value(coef.view(), column) - ridge
        }
    };
    values.iter().enumerate().map(|(column, value)| value + nonsmooth(column)).collect()
}

/// Largest difference of the predictors, those of classes less their mean, relative to the largest predictor.
fn distance(problem: &Problem, a: &Parameters, b: &Parameters, column: usize) -> f64 {
    let n_predictors = problem.objective.n_predictors();
    let width = a.n_parameters() / n_predictors;
    let predictors = |at: &Parameters| {
        let coef = Array2::from_shape_fn((width, n_predictors), |(i, predictor)| at.column(column)[predictor * width + i]);
        let mut all = problem.design.dot(&coef.slice(s![..width - 1, ..])) + coef.row(width - 1);
        if n_predictors > 1 {
            for mut row in all.rows_mut() {
                let mean = row.mean().expect("there are classes");
                row -= mean;
            }
        }
        all
    };
    let (a, b) = (predictors(a), predictors(b));
    let largest = b.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
    (&a - &b).iter().fold(0.0, |m: f64, x| m.max(x.abs())) / largest
}
