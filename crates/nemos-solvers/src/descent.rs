//! Descent by columns: every pass over the data moves each column, or shortens its step, on its own.
//!
//! A pass evaluates all columns that are on their way, each at its own trial point. A trial is accepted or judged too
//! long column by column, so that no column waits for another one's line search.

use ndarray::Array2;
use rayon::prelude::*;

use crate::line_search::{Along, Verdict, judge};
use crate::space::Space;
use crate::{Error, Objective, Order, Parameters, Progress, Request, Status};

/// Where a column goes next: what tells L-BFGS from Newton's method.
pub(crate) trait Direction: Clone + Send {
    /// What an evaluation must bring.
    const ORDER: Order;

    /// The direction of descent from a point with this gradient and curvature.
    fn direction(&self, gradient: &[f64], curvature: Option<&Array2<f64>>) -> Vec<f64>;

    /// Learns from a step taken and the change of gradient over it.
    fn learn(&mut self, step: Vec<f64>, change: Vec<f64>);

    /// Forgets what was learnt; returns whether there was anything.
    fn forget(&mut self) -> bool;
}

/// The state of a descent: a column for each problem.
#[derive(Clone, Debug)]
pub(crate) struct Descent<D> {
    space: Space,
    tolerance: f64,
    columns: Vec<Column<D>>,
}

#[derive(Clone, Debug)]
struct Column<D> {
    rule: D,
    /// Expected curvature along each dimension: the measure of steps.
    expected: Vec<f64>,
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    heading: Vec<f64>,
    slope: f64,
    length: f64,
    trials: usize,
    start_value: f64,
    steps: usize,
    evaluations: usize,
    decrement: f64,
    flatness: f64,
    status: Option<Status>,
}

/// What a pass over the data says of one column at its trial point.
struct Trial<'a> {
    value: f64,
    gradient: Vec<f64>,
    curvature: Option<&'a Array2<f64>>,
}

impl<D: Direction> Descent<D> {
    /// Evaluates the start and heads off; `rule` makes the direction rule of a column from its expected curvature.
    pub(crate) fn new(objective: &dyn Objective, start: &Parameters, tolerance: f64, rule: impl Fn(Vec<f64>) -> D) -> Result<Self, Error> {
        Error::check_positive("tolerance of the solver", tolerance)?;
        let space = Space::new(objective.gram(), start.n_parameters())?;
        let points = space.point_of(start);
        let columns = (0..start.n_problems()).map(|problem| Column::new(points.column(problem).to_vec(), space.curvature(problem), &rule));
        let mut descent = Descent {
            columns: columns.collect(),
            space,
            tolerance,
        };
        descent.evaluate(objective, |column, trial| column.arrive(trial, tolerance))?;
        Ok(descent)
    }

    /// One pass over the data: a trial of every column that is on its way.
    pub(crate) fn step(&mut self, objective: &dyn Objective, at: &mut Parameters) -> Result<(), Error> {
        let (tolerance, resolution) = (self.tolerance, objective.resolution());
        self.evaluate(objective, |column, trial| column.judge(trial, tolerance, resolution))?;
        let mut parameters = self.space.parameters_at(&Parameters::from_columns(
            self.space.dimension(),
            self.columns.iter().map(|c| &c.point[..]),
        ));
        if self.columns.iter().all(|column| column.status.is_some()) {
            self.space.least_norm(&mut parameters);
        }
        *at = parameters;
        Ok(())
    }

    /// Evaluates all columns on their way at their trial points, and lets `act` decide for each.
    fn evaluate(&mut self, objective: &dyn Objective, act: impl Fn(&mut Column<D>, Trial<'_>) + Sync) -> Result<(), Error> {
        let active: Vec<usize> = (0..self.columns.len())
            .filter(|&problem| self.columns[problem].status.is_none())
            .collect();
        if active.is_empty() {
            return Ok(());
        }
        let trials: Vec<Vec<f64>> = active.iter().map(|&problem| self.columns[problem].trial()).collect();
        let at = self
            .space
            .parameters_at(&Parameters::from_columns(self.space.dimension(), trials.iter().map(Vec::as_slice)));
        let evaluation = objective.evaluate(
            &at,
            Request {
                columns: &active,
                rows: None,
                order: D::ORDER,
            },
        )?;
        let gradients = self.space.gradient(evaluation.gradient);
        let curvatures: Option<Vec<_>> = evaluation
            .curvature
            .map(|all| all.into_par_iter().map(|one| self.space.hessian(one)).collect());
        let on_their_way = self.columns.iter_mut().filter(|column| column.status.is_none());
        let jobs: Vec<_> = on_their_way.zip(evaluation.values).enumerate().collect();
        jobs.into_par_iter().for_each(|(index, (column, value))| {
            column.evaluations += 1;
            let gradient = gradients.column(index).to_vec();
            act(
                column,
                Trial {
                    value,
                    gradient,
                    curvature: curvatures.as_ref().map(|all| &all[index]),
                },
            );
        });
        Ok(())
    }

    /// How far each column is.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        let rank = self.space.rank();
        let progress = |column: &Column<D>| Progress {
            status: column.status,
            steps: column.steps,
            evaluations: column.evaluations,
            value: column.value,
            gradient_norm: norm(&column.gradient),
            decrement: column.decrement,
            rank,
            flatness: column.flatness,
        };
        self.columns.iter().map(progress).collect()
    }
}

impl<D: Direction> Column<D> {
    fn new(point: Vec<f64>, expected: Vec<f64>, rule: impl Fn(Vec<f64>) -> D) -> Self {
        Column {
            rule: rule(expected.clone()),
            heading: vec![0.0; point.len()],
            gradient: vec![0.0; point.len()],
            expected,
            point,
            value: f64::NAN,
            slope: 0.0,
            length: 1.0,
            trials: 0,
            start_value: f64::NAN,
            steps: 0,
            evaluations: 0,
            decrement: f64::NAN,
            flatness: f64::INFINITY,
            status: None,
        }
    }

    fn trial(&self) -> Vec<f64> {
        self.point.iter().zip(&self.heading).map(|(x, d)| x + self.length * d).collect()
    }

    /// Takes the start in.
    fn arrive(&mut self, trial: Trial<'_>, tolerance: f64) {
        (self.start_value, self.value) = (trial.value, trial.value);
        self.gradient = trial.gradient;
        if !self.value.is_finite() || self.gradient.iter().any(|slope| !slope.is_finite()) {
            self.status = Some(Status::NonFinite);
        } else {
            self.head_off(trial.curvature, tolerance);
        }
    }

    /// Takes the trial for the next point, or shortens the step.
    fn judge(&mut self, trial: Trial<'_>, tolerance: f64, resolution: f64) {
        self.trials += 1;
        let start = Along {
            value: self.value,
            slope: self.slope,
        };
        let end = Along {
            value: trial.value,
            slope: dot(&trial.gradient, &self.heading),
        };
        match judge(start, end, self.length, self.trials, resolution) {
            Verdict::Accept => {
                let step: Vec<f64> = self.heading.iter().map(|d| self.length * d).collect();
                let change: Vec<f64> = trial.gradient.iter().zip(&self.gradient).map(|(new, old)| new - old).collect();
                let foretold: f64 = step.iter().zip(&self.expected).map(|(s, p)| s * s * p).sum();
                self.flatness = (dot(&step, &change) / foretold).min(self.flatness * 4.0);
                self.point = self.trial();
                self.rule.learn(step, change);
                (self.value, self.gradient) = (trial.value, trial.gradient);
                self.steps += 1;
                self.head_off(trial.curvature, tolerance);
            }
            Verdict::Retry(length) => self.length = length,
            Verdict::GiveUp if self.rule.forget() => self.head_off(None, tolerance),
            Verdict::GiveUp => {
                self.status = Some(if trial.value.is_finite() {
                    Status::Stalled
                } else {
                    Status::NonFinite
                })
            }
        }
    }

    /// Chooses the next direction, or stops here.
    fn head_off(&mut self, curvature: Option<&Array2<f64>>, tolerance: f64) {
        (self.length, self.trials) = (1.0, 0);
        self.heading = self.rule.direction(&self.gradient, curvature);
        self.slope = dot(&self.gradient, &self.heading);
        let downhill = |slope: f64| slope < 0.0;
        if !downhill(self.slope) && self.rule.forget() {
            self.heading = self.rule.direction(&self.gradient, None);
            self.slope = dot(&self.gradient, &self.heading);
        }
        self.decrement = -0.5 * self.slope;
        let scale = self.value.abs().max(self.start_value - self.value);
        if self.decrement <= tolerance * scale {
            self.status = Some(Status::Converged);
        } else if !downhill(self.slope) {
            self.status = Some(Status::Stalled);
        }
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}
