//! A solver of one's own: a direction under a descent, or another method altogether.

use ndarray::Array2;
use nemos_solvers::{
    Auto, Descent, Direction, Error, Method, Objective, Order, Parameters, Penalized, Progress, Regularizer, Request, Solver, State,
    Status, Stopping, minimize,
};
use nemos_testkit::problems;

/// `step ← share · last step − gradient`
#[derive(Clone, Debug)]
struct HeavyBall {
    share: f64,
    last: Vec<f64>,
}

impl Direction for HeavyBall {
    fn direction(&mut self, _point: &[f64], gradient: &[f64], _curvature: Option<&Array2<f64>>) -> Vec<f64> {
        self.last.resize(gradient.len(), 0.0);
        gradient.iter().zip(&self.last).map(|(g, last)| self.share * last - g).collect()
    }

    fn update(&mut self, step: &[f64], _change: &[f64]) {
        self.last = step.to_vec();
    }

    fn reset(&mut self) -> bool {
        let rolled = self.last.iter().any(|x| *x != 0.0);
        self.last.clear();
        rolled
    }
}

impl Solver for HeavyBall {
    fn name(&self) -> &'static str {
        "heavy ball"
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        Descent::new(self.name(), objective, start, stopping, |_| self.clone()).map(State::new)
    }
}

fn heavy_ball() -> HeavyBall {
    HeavyBall {
        share: 0.3,
        last: Vec::new(),
    }
}

/// Plain gradient steps of a fixed length on the parameters, written without a descent, and blind to penalties.
#[derive(Clone, Debug)]
struct Plain {
    at: Parameters,
    progress: Vec<Progress>,
}

impl Method for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn step(&mut self, objective: &dyn Objective) -> Result<(), Error> {
        let columns: Vec<usize> = (0..self.progress.len()).filter(|&j| self.progress[j].status.is_none()).collect();
        let request = Request {
            columns: &columns,
            rows: None,
            order: Order::Gradient,
        };
        let gradient = objective.evaluate(&self.at.select(&columns), request)?.gradient;
        for (&problem, slopes) in columns.iter().zip(gradient.columns()) {
            let progress = &mut self.progress[problem];
            progress.steps += 1;
            progress.gradient_norm = slopes.iter().map(|g| g * g).sum::<f64>().sqrt();
            progress.status = (progress.gradient_norm < 1e-7).then_some(Status::Converged);
            let at = self.at.column_mut(problem);
            at.iter_mut().zip(slopes).for_each(|(w, g)| *w -= 0.2 * g);
        }
        Ok(())
    }

    fn parameters(&self) -> &Parameters {
        &self.at
    }

    fn progress(&self) -> Vec<Progress> {
        self.progress.clone()
    }
}

#[derive(Debug)]
struct PlainSteps;

impl Solver for PlainSteps {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn begin(&self, _objective: &dyn Objective, start: &Parameters, _stopping: Stopping) -> Result<State, Error> {
        Ok(State::new(Plain {
            at: start.clone(),
            progress: vec![Progress::default(); start.n_problems()],
        }))
    }

    fn max_steps(&self) -> usize {
        5_000
    }
}

#[test]
fn a_solver_of_ones_own_is_right_under_a_ridge_and_refused_under_a_lasso() {
    let problem = &problems()[0];
    let (ridge, lasso) = (Regularizer::Ridge(0.1.into()), Regularizer::Lasso(0.1.into()));
    let smooth = Penalized::new(&*problem.objective, &ridge);
    let nonsmooth = Penalized::new(&*problem.objective, &lasso);
    let best = minimize(&smooth, &Auto::new(), Stopping::new(), &problem.start).expect("the data are in memory");
    let solvers: [&dyn Solver; 2] = [&heavy_ball(), &PlainSteps];
    for solver in solvers {
        let own = minimize(&smooth, solver, Stopping::new(), &problem.start).expect("the data are in memory");
        assert!(own.outcome.all_converged(), "{:?}", own.outcome);
        assert_eq!(own.outcome.solver, solver.name());
        for (own, best) in own.parameters.as_slice().iter().zip(best.parameters.as_slice()) {
            assert!((own - best).abs() < 1e-4, "{}: {own} {best}", solver.name());
        }
        let refused = minimize(&nonsmooth, solver, Stopping::new(), &problem.start).unwrap_err();
        assert!(matches!(refused, Error::Penalty { penalty: "lasso", .. }), "{refused}");
        assert!(refused.to_string().contains("ProximalNewton"), "{refused}");
    }
}

/// Claims to handle every penalty, and does not.
#[derive(Debug)]
struct Liar;

impl Solver for Liar {
    fn name(&self) -> &'static str {
        "liar"
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        Descent::new(self.name(), objective, start, stopping, |_| heavy_ball()).map(State::new)
    }

    fn handles(&self, _penalty: &Regularizer) -> bool {
        true
    }
}

#[test]
fn no_direction_under_a_descent_can_drop_a_penalty() {
    let problem = &problems()[0];
    let lasso = Regularizer::Lasso(0.1.into());
    let penalized = Penalized::new(&*problem.objective, &lasso);
    let refused = minimize(&penalized, &Liar, Stopping::new(), &problem.start).unwrap_err();
    assert!(matches!(refused, Error::Penalty { solver: "liar", .. }), "{refused}");
}
