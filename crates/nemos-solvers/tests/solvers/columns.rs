//! What a column ends with: by itself, at its limit, masked, and checked against the conditions of a minimum.

use ndarray::{Array2, Axis, s};
use nemos_solvers::{
    Auto, Bfgs, Error, Evaluation, ExpectedCurvature, GradientDescent, Groups, Lbfgs, ModelCurvature, Newton, NonlinearCg, Objective,
    Order, Parameters, Penalized, ProximalNewton, Regularizer, Request, Solution, Solver, Status, StepLength, Stopping, Strength, Svrg,
    begin, minimize,
};
use nemos_testkit::{HostObjective, Loss};

const N_ROWS: usize = 300;

fn design(n_features: usize) -> Array2<f64> {
    Array2::from_shape_fn((N_ROWS, n_features), |(t, i)| {
        ((t * (2 * i + 3)) as f64 * 0.37 + (i * i) as f64).sin() + 0.2 * i as f64
    })
}

fn objective() -> HostObjective {
    let design = design(6);
    let effects = Array2::from_shape_fn((6, 4), |(i, j)| if (i + j) % 3 == 0 { 0.4 } else { 0.0 });
    let noise = Array2::from_shape_fn((N_ROWS, 4), |(t, j)| ((t * t + 7 * j * t) % 11) as f64 / 4.0);
    let counts = (design.dot(&effects).mapv(f64::exp) + noise).mapv(f64::floor);
    HostObjective::new(design, counts, Loss::Poisson)
}

/// One problem of an objective, alone.
struct Alone<'a> {
    objective: &'a dyn Objective,
    expected: ExpectedCurvature,
    problem: usize,
}

impl Objective for Alone<'_> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let columns = [self.problem];
        self.objective.evaluate(
            at,
            Request {
                columns: &columns,
                ..request
            },
        )
    }

    fn n_rows(&self) -> usize {
        self.objective.n_rows()
    }

    fn expected_curvature(&self) -> Option<&ExpectedCurvature> {
        Some(&self.expected)
    }
}

fn alone(objective: &dyn Objective, problem: usize) -> Alone<'_> {
    let mut expected = objective.expected_curvature().expect("it knows its features").clone();
    expected.weight = expected.weight.select(Axis(1), &[problem]);
    Alone {
        objective,
        expected,
        problem,
    }
}

fn assert_company_does_not_matter((name, solver): (&str, &dyn Solver), stopping: Stopping, regularizer: &Regularizer) {
    let objective = objective();
    let start = objective.start();
    let together = minimize(&Penalized::new(&objective, regularizer), solver, stopping, &start).expect("the data are in memory");
    for problem in 0..4 {
        let one = alone(&objective, problem);
        let start = objective.start().select(&[problem]);
        let by_itself = minimize(&Penalized::new(&one, regularizer), solver, stopping, &start).expect("the data are in memory");
        let pairs = by_itself.parameters.column(0).iter().zip(together.parameters.column(problem));
        for (a, b) in pairs {
            assert!(
                (a - b).abs() <= COMPANY,
                "{name}: column {problem} ends at {a} alone and at {b} in company"
            );
        }
        assert_eq!(
            by_itself.outcome.columns[0].steps, together.outcome.columns[problem].steps,
            "{name}"
        );
    }
}

// Matrix products of several columns may round in another order than those of one.
const COMPANY: f64 = 1e-13;

#[test]
fn what_a_column_ends_with_does_not_depend_on_its_company() {
    let lasso = Regularizer::Lasso(0.1.into());
    let group = Regularizer::GroupLasso {
        strength: 0.1.into(),
        groups: Groups::Features(vec![vec![0, 1, 2], vec![3, 4]]),
    };
    let none = Regularizer::Unregularized;
    let default = Stopping::new();
    assert_company_does_not_matter(("L-BFGS", &Lbfgs::new()), default, &none);
    assert_company_does_not_matter(("Newton", &Newton::new()), default, &none);
    assert_company_does_not_matter(("BFGS", &Bfgs::new()), default, &none);
    assert_company_does_not_matter(("NCG", &NonlinearCg::new()), default, &none);
    let stochastic = Svrg::new().batch_size(20).step_length(0.02);
    for penalty in [&none, &lasso, &group] {
        assert_company_does_not_matter(("gradient descent", &GradientDescent::new()), default, penalty);
        assert_company_does_not_matter(("SVRG", &stochastic), default.max_steps(30), penalty);
    }
    for penalty in [&lasso, &group] {
        for curvature in [ModelCurvature::Exact, ModelCurvature::FromGradients] {
            assert_company_does_not_matter(("proximal Newton", &ProximalNewton::new().curvature(curvature)), default, penalty);
        }
    }
}

fn assert_stops_honestly(solver: &dyn Solver, max_steps: usize) {
    let objective = objective();
    let stopping = Stopping::new().max_steps(max_steps);
    let solution = minimize(&objective, solver, stopping, &objective.start()).expect("the data are in memory");
    assert!(
        solution.outcome.statuses().all(|status| status == Status::StepLimit),
        "{:?}",
        solution.outcome
    );
    assert!(
        solution.outcome.columns.iter().all(|column| column.decrement > 1e-6),
        "{:?}",
        solution.outcome
    );
}

#[test]
fn too_few_steps_end_at_the_step_limit() {
    assert_stops_honestly(&Lbfgs::new(), 1);
    assert_stops_honestly(&Newton::new(), 1);
    assert_stops_honestly(&Bfgs::new(), 1);
    assert_stops_honestly(&NonlinearCg::new(), 1);
    assert_stops_honestly(&ProximalNewton::new(), 1);
    assert_stops_honestly(&GradientDescent::new(), 2);
    assert_stops_honestly(&Svrg::new().batch_size(50), 2);
}

#[test]
fn steps_that_are_too_long_never_count_as_converged() {
    let objective = objective();
    for length in [1.0, 1e3, 1e6] {
        let fixed = GradientDescent::new().step_length(StepLength::Fixed(length));
        let stochastic = Svrg::new().step_length(length);
        for solver in [&fixed as &dyn Solver, &stochastic] {
            let stopping = Stopping::new().max_steps(20);
            let solution = minimize(&objective, solver, stopping, &objective.start()).expect("the data are in memory");
            let statuses: Vec<Status> = solution.outcome.statuses().collect();
            assert!(
                statuses
                    .iter()
                    .all(|status| matches!(status, Status::NonFinite | Status::StepLimit)),
                "{length}: {statuses:?}"
            );
            assert!(solution.parameters.as_slice().iter().all(|x| x.is_finite()), "{length}");
        }
    }
}

/// Largest violation of the conditions of a minimum: `w = prox(w − gradient(w))`, and no slope of the intercept.
fn violation(objective: &dyn Objective, regularizer: &Regularizer, at: &Parameters) -> f64 {
    let columns: Vec<usize> = (0..at.n_problems()).collect();
    let request = Request {
        columns: &columns,
        rows: None,
        order: Order::Gradient,
    };
    let gradient = objective.evaluate(at, request).expect("the data are in memory").gradient;
    let n_features = at.n_parameters() - 1;
    let mut worst: f64 = 0.0;
    for (problem, (w, g)) in at.columns().zip(gradient.columns()).enumerate() {
        let coef = Array2::from_shape_fn((n_features, 1), |(i, _)| w[i]);
        let mut moved = Array2::from_shape_fn((n_features, 1), |(i, _)| w[i] - g[i]);
        regularizer.proximal(moved.view_mut(), problem, 1.0);
        worst = (&moved - &coef).iter().fold(worst.max(g[n_features].abs()), |m, x| m.max(x.abs()));
    }
    worst
}

fn penalties() -> Vec<Regularizer> {
    vec![
        Regularizer::Lasso(0.1.into()),
        Regularizer::Lasso(Strength::PerNeuron(vec![0.0, 0.01, 0.1, 10.0])),
        Regularizer::ElasticNet {
            strength: 0.2.into(),
            lasso_share: 0.3,
        },
        Regularizer::GroupLasso {
            strength: 0.1.into(),
            groups: Groups::Features(vec![vec![0, 3], vec![1, 2, 5]]),
        },
        Regularizer::GroupLasso {
            strength: 0.05.into(),
            groups: Groups::All,
        },
    ]
}

fn solve(objective: &HostObjective, regularizer: &Regularizer, (solver, tolerance): (&dyn Solver, f64)) -> Solution {
    let stopping = Stopping::new().tolerance(tolerance);
    let penalized = Penalized::new(objective, regularizer);
    let solution = minimize(&penalized, solver, stopping, &objective.start()).expect("the data are in memory");
    assert!(solution.outcome.all_converged(), "{regularizer:?} {:?}", solution.outcome);
    solution
}

#[test]
fn solutions_meet_the_conditions_of_a_minimum() {
    let objective = objective();
    for penalty in penalties() {
        for curvature in [ModelCurvature::Exact, ModelCurvature::FromGradients] {
            let solver = ProximalNewton::new().curvature(curvature);
            let solution = solve(&objective, &penalty, (&solver, 1e-18));
            let violation = violation(&objective, &penalty, &solution.parameters);
            // The root of the decrement, times the root of the curvature (about ten).
            assert!(violation < 3e-8, "{penalty:?} {curvature:?}: {violation:e}");
            assert!(solution.outcome.columns.iter().all(|column| column.gradient_norm < 1e-7));
        }
    }
}

#[test]
fn proximal_newton_agrees_with_gradient_descent() {
    let objective = objective();
    for penalty in penalties() {
        let newton = solve(&objective, &penalty, (&ProximalNewton::new(), 1e-20));
        let gradient = solve(&objective, &penalty, (&GradientDescent::new(), 1e-19));
        let pairs = newton.parameters.as_slice().iter().zip(gradient.parameters.as_slice());
        pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-8, "{penalty:?}: {a} {b}"));
    }
}

#[test]
fn a_masked_fit_is_the_fit_of_the_selected_features() {
    let full = objective();
    let free = Array2::from_shape_fn((6, 4), |(feature, problem)| feature < 3 || problem == 1);
    let masked = full.clone().free(free);
    let selected = HostObjective::new(full.design.slice(s![.., ..3]).to_owned(), full.counts.clone(), Loss::Poisson);
    for penalty in [
        Regularizer::Unregularized,
        Regularizer::Ridge(0.1.into()),
        Regularizer::Lasso(0.05.into()),
    ] {
        let tight: (&dyn Solver, f64) = (&Auto::new(), 1e-18);
        let (a, b) = (solve(&masked, &penalty, tight), solve(&selected, &penalty, tight));
        for problem in [0, 2, 3] {
            let (masked, selected) = (a.parameters.column(problem), b.parameters.column(problem));
            assert_eq!(masked[3..6], [0.0; 3]);
            let pairs = masked[..3].iter().chain(&masked[6..]).zip(selected);
            pairs.for_each(|(x, y)| assert!((x - y).abs() < 1e-7, "{penalty:?}: {masked:?} {selected:?}"));
            assert_eq!(a.outcome.columns[problem].rank, 3);
        }
        assert_eq!(a.outcome.columns[1].rank, 6);
    }
}

#[test]
fn batches_of_data_bring_a_stochastic_solver_to_the_fit() {
    let full = objective();
    let batches: Vec<HostObjective> = (0..3)
        .map(|batch| {
            let rows: Vec<usize> = (0..N_ROWS).filter(|row| row % 3 == batch).collect();
            HostObjective::new(
                full.design.select(Axis(0), &rows),
                full.counts.select(Axis(0), &rows),
                Loss::Poisson,
            )
        })
        .collect();
    let best = minimize(&full, &Newton::new(), Stopping::new(), &full.start()).expect("the data are in memory");
    let search = GradientDescent::new();
    let fixed = GradientDescent::new().step_length(StepLength::Fixed(0.02));
    let svrg = Svrg::new().step_length(2e-3).batch_size(10);
    assert!(gap(&search, &batches, &full, &best) < 0.05);
    assert!(gap(&fixed, &batches, &full, &best) < 0.05);
    assert!(gap(&svrg, &batches, &full, &best) < 0.05);
}

/// A batch of which nothing is known before it is stepped on.
struct Batch<'a>(&'a HostObjective);

impl Objective for Batch<'_> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        self.0.evaluate(at, request)
    }

    fn n_rows(&self) -> usize {
        self.0.n_rows()
    }
}

/// How far above the best the mean objective is after many passes over batches.
fn gap(solver: &dyn Solver, batches: &[HostObjective], full: &HostObjective, best: &Solution) -> f64 {
    let mut state = begin(&batches[0], solver, Stopping::new(), &full.start()).expect("the data are in memory");
    for _ in 0..60 {
        for batch in batches {
            state.reopen().expect("it can be given other data");
            state.step(&Batch(batch)).expect("the data are in memory");
        }
    }
    let at = state.parameters();
    let request = Request {
        columns: &[0, 1, 2, 3],
        rows: None,
        order: Order::Gradient,
    };
    let values = full.evaluate(at, request).expect("the data are in memory").values;
    let excess = values.iter().zip(&best.outcome.columns).map(|(value, best)| value - best.value);
    excess.fold(0.0, f64::max)
}

#[test]
fn solvers_that_keep_what_they_saw_refuse_other_data() {
    let objective = objective();
    let solvers: [&dyn Solver; 3] = [&Lbfgs::new(), &Newton::new(), &ProximalNewton::new()];
    for solver in solvers {
        let mut state = begin(&objective, solver, Stopping::new(), &objective.start()).expect("the data are in memory");
        let error = state.reopen().unwrap_err();
        assert!(matches!(error, Error::Batches { solver } if solver == state.name()), "{error}");
    }
}

#[test]
fn solvers_of_smooth_problems_name_those_that_can() {
    let objective = objective();
    let lasso = Regularizer::Lasso(0.1.into());
    let penalized = Penalized::new(&objective, &lasso);
    for result in [
        begin(&penalized, &Lbfgs::new(), Stopping::new(), &objective.start()),
        // Even where nobody asked the solver.
        Lbfgs::new().begin(&penalized, &objective.start(), Stopping::new()),
    ] {
        let error = result.unwrap_err();
        assert!(error.to_string().contains("ProximalNewton"), "{error}");
    }
    let solution = minimize(&penalized, &Auto::new(), Stopping::new(), &objective.start()).expect("the data are in memory");
    assert_eq!(solution.outcome.solver, "proximal Newton");
}
