//! Descent by columns: every pass over the data moves each column, or shortens its step, on its own.
//!
//! A pass evaluates all columns that are on their way, each at its own trial point. A trial is accepted or judged too
//! long column by column, so that no column waits for another one's line search.

use ndarray::Array2;
use rayon::prelude::*;

use crate::frame::Frame;
use crate::kinks::ColumnPenalty;
use crate::line_search::{Along, Verdict, judge};
use crate::{Error, Objective, Order, Parameters, Progress, Request, Status};

/// Where a column goes next: what tells one method from another.
pub(crate) trait Rule: Clone + Send {
    /// The step to try from a point with this gradient and curvature.
    fn heading(&mut self, point: &[f64], gradient: &[f64], curvature: Option<&Array2<f64>>) -> Vec<f64>;

    /// Learns from a step taken and the change of gradient over it.
    fn learn(&mut self, step: &[f64], change: Vec<f64>);

    /// Forgets what was learnt; returns whether there was anything.
    fn forget(&mut self) -> bool;

    /// Curvature along a step, times its squared length, as the Gram matrix foretold it.
    fn foretold(&self, step: &[f64]) -> f64;

    /// Estimated distance to the minimum, where the slope along the heading is this.
    fn decrement(&self, _gradient: &[f64], slope: f64) -> f64 {
        -0.5 * slope
    }
}

/// The state of a descent: a column for each problem.
#[derive(Clone, Debug)]
pub(crate) struct Descent<R> {
    frame: Frame,
    tolerance: f64,
    order: Order,
    /// Evaluations after which columns get exact curvatures, if ever.
    patience: Option<usize>,
    columns: Vec<Column<R>>,
}

/// One column and the penalty on it whose part without a gradient is handled here.
#[derive(Clone, Debug)]
struct Column<R> {
    rule: R,
    penalty: Option<ColumnPenalty>,
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

/// When a column stops.
#[derive(Copy, Clone)]
struct Limits {
    tolerance: f64,
    resolution: f64,
}

// Trials of a step whose promise no value resolves: gradients of that precision have then said all that they can.
const TRIALS_BELOW_RESOLUTION: usize = 8;

impl<R: Rule> Descent<R> {
    /// Evaluates the start and heads off; `rule` makes the rule of each column.
    pub(crate) fn new(
        objective: &dyn Objective,
        start: &Parameters,
        (frame, tolerance, order): (Frame, f64, Order),
        rule: impl Fn(usize) -> (R, Option<ColumnPenalty>),
    ) -> Result<Self, Error> {
        Error::check_positive("tolerance of the solver", tolerance)?;
        let problems: Vec<usize> = (0..start.n_problems()).collect();
        let points = frame.point_of(start, &problems);
        let columns = problems
            .iter()
            .map(|&problem| Column::new(points.column(problem).to_vec(), rule(problem)));
        let mut descent = Descent {
            columns: columns.collect(),
            frame,
            tolerance,
            order,
            patience: None,
        };
        let limits = descent.limits(objective);
        descent.evaluate(objective, |column, trial| column.arrive(trial, limits))?;
        Ok(descent)
    }

    /// Gives columns that are still on their way after so many evaluations exact curvatures.
    pub(crate) fn patience(mut self, evaluations: usize) -> Self {
        self.patience = Some(evaluations);
        self
    }

    /// One pass over the data: a trial of every column that is on its way.
    pub(crate) fn step(&mut self, objective: &dyn Objective, at: &mut Parameters) -> Result<(), Error> {
        let limits = self.limits(objective);
        self.evaluate(objective, |column, trial| column.judge(trial, limits))?;
        let dimension = self.columns.first().map_or(0, |column| column.point.len());
        let points = Parameters::from_columns(dimension, self.columns.iter().map(|c| &c.point[..]));
        let problems: Vec<usize> = (0..self.columns.len()).collect();
        let mut parameters = self.frame.parameters_at(&points, &problems);
        if self.columns.iter().all(|column| column.status.is_some()) {
            self.frame.least_norm(&mut parameters);
        }
        *at = parameters;
        Ok(())
    }

    fn limits(&self, objective: &dyn Objective) -> Limits {
        Limits {
            tolerance: self.tolerance,
            resolution: objective.resolution(),
        }
    }

    /// Evaluates all columns on their way at their trial points, and lets `act` decide for each.
    fn evaluate(&mut self, objective: &dyn Objective, act: impl Fn(&mut Column<R>, Trial<'_>) + Sync) -> Result<(), Error> {
        let active = (0..self.columns.len()).filter(|&problem| self.columns[problem].status.is_none());
        let stubborn = |problem: &usize| self.patience.is_some_and(|patience| self.columns[*problem].evaluations >= patience);
        let (stubborn, others): (Vec<usize>, Vec<usize>) = active.partition(stubborn);
        self.evaluate_some(objective, (&others, self.order), &act)?;
        self.evaluate_some(objective, (&stubborn, Order::Curvature), &act)
    }

    fn evaluate_some(
        &mut self,
        objective: &dyn Objective,
        (active, order): (&[usize], Order),
        act: &(impl Fn(&mut Column<R>, Trial<'_>) + Sync),
    ) -> Result<(), Error> {
        let Some(&first) = active.first() else { return Ok(()) };
        let trials: Vec<Vec<f64>> = active.iter().map(|&problem| self.columns[problem].trial()).collect();
        let points = Parameters::from_columns(self.columns[first].point.len(), trials.iter().map(Vec::as_slice));
        let request = Request {
            columns: active,
            rows: None,
            order,
        };
        let evaluation = objective.evaluate(&self.frame.parameters_at(&points, active), request)?;
        let gradients = self.frame.gradient(evaluation.gradient, active);
        let curvatures: Option<Vec<_>> = evaluation.curvature.map(|all| {
            let jobs: Vec<_> = active.iter().zip(all).collect();
            jobs.into_par_iter()
                .map(|(&problem, one)| self.frame.hessian(one, problem))
                .collect()
        });
        let mut index_of = vec![None; self.columns.len()];
        active
            .iter()
            .enumerate()
            .for_each(|(index, &problem)| index_of[problem] = Some(index));
        let jobs: Vec<_> = self
            .columns
            .iter_mut()
            .zip(index_of)
            .filter_map(|(column, index)| Some((column, index?)))
            .collect();
        jobs.into_par_iter().for_each(|(column, index)| {
            column.evaluations += 1;
            let penalty = column.penalty.as_ref().map_or(0.0, |penalty| penalty.value(points.column(index)));
            let trial = Trial {
                value: evaluation.values[index] + penalty,
                gradient: gradients.column(index).to_vec(),
                curvature: curvatures.as_ref().map(|all| &all[index]),
            };
            act(column, trial);
        });
        Ok(())
    }

    /// How far each column is.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        let progress = |(problem, column): (usize, &Column<R>)| Progress {
            status: column.status,
            steps: column.steps,
            evaluations: column.evaluations,
            value: column.value,
            gradient_norm: column.gradient_norm(),
            decrement: column.decrement,
            rank: self.frame.rank(problem),
            flatness: column.flatness,
        };
        self.columns.iter().enumerate().map(progress).collect()
    }
}

impl<R: Rule> Column<R> {
    fn new(point: Vec<f64>, (rule, penalty): (R, Option<ColumnPenalty>)) -> Self {
        Column {
            rule,
            penalty,
            heading: vec![0.0; point.len()],
            gradient: vec![0.0; point.len()],
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

    fn gradient_norm(&self) -> f64 {
        match &self.penalty {
            None => norm(&self.gradient),
            Some(penalty) => penalty.least_subgradient(&self.gradient, &self.point),
        }
    }

    /// Slope of the objective along the heading where it has this gradient, the rise of the penalty over the whole
    /// heading included.
    fn slope(&self, gradient: &[f64]) -> f64 {
        match &self.penalty {
            None => dot(gradient, &self.heading),
            Some(penalty) => penalty.slope(gradient, &self.point, &self.heading),
        }
    }

    /// Takes the start in.
    fn arrive(&mut self, trial: Trial<'_>, limits: Limits) {
        (self.start_value, self.value) = (trial.value, trial.value);
        self.gradient = trial.gradient;
        if !self.value.is_finite() || self.gradient.iter().any(|slope| !slope.is_finite()) {
            self.status = Some(Status::NonFinite);
        } else {
            self.head_off(trial.curvature, limits);
        }
    }

    /// Takes the trial for the next point, or shortens the step.
    fn judge(&mut self, trial: Trial<'_>, limits: Limits) {
        self.trials += 1;
        let start = Along {
            value: self.value,
            slope: self.slope,
        };
        let end = Along {
            value: trial.value,
            slope: self.slope(&trial.gradient),
        };
        let unresolved = self.decrement <= limits.resolution * self.scale();
        match judge(start, end, self.length, self.trials, limits.resolution) {
            Verdict::Accept => {
                let step: Vec<f64> = self.heading.iter().map(|d| self.length * d).collect();
                let change: Vec<f64> = trial.gradient.iter().zip(&self.gradient).map(|(new, old)| new - old).collect();
                self.flatness = (dot(&step, &change) / self.rule.foretold(&step)).min(self.flatness * 4.0);
                self.point = self.trial();
                self.rule.learn(&step, change);
                (self.value, self.gradient) = (trial.value, trial.gradient);
                self.steps += 1;
                self.head_off(trial.curvature, limits);
            }
            Verdict::Retry(_) if unresolved && self.trials >= TRIALS_BELOW_RESOLUTION => self.status = Some(Status::Converged),
            Verdict::Retry(length) => self.length = length,
            Verdict::GiveUp if self.rule.forget() => self.head_off(None, limits),
            Verdict::GiveUp => {
                self.status = Some(match (trial.value.is_finite(), unresolved) {
                    (true, true) => Status::Converged,
                    (true, false) => Status::Stalled,
                    (false, _) => Status::NonFinite,
                })
            }
        }
    }

    /// Chooses the next direction, or stops here.
    fn head_off(&mut self, curvature: Option<&Array2<f64>>, limits: Limits) {
        (self.length, self.trials) = (1.0, 0);
        let head = |column: &mut Self, curvature| {
            column.heading = column.rule.heading(&column.point, &column.gradient, curvature);
            column.slope = column.slope(&column.gradient);
        };
        let downhill = |slope: f64| slope < 0.0;
        head(self, curvature);
        if !downhill(self.slope) && self.rule.forget() {
            head(self, None);
        }
        self.decrement = self.rule.decrement(&self.gradient, self.slope);
        if self.decrement <= limits.tolerance * self.scale() {
            self.status = Some(Status::Converged);
        } else if !downhill(self.slope) {
            let unresolved = self.decrement <= limits.resolution * self.scale();
            self.status = Some(if unresolved { Status::Converged } else { Status::Stalled });
        }
    }

    /// What the distance to the minimum is measured against.
    fn scale(&self) -> f64 {
        scale(self.value, self.start_value)
    }
}

/// What the distance to the minimum is measured against: the objective, or its fall since the start. An objective that
/// has risen is no excuse to stop.
pub(crate) fn scale(value: f64, start_value: f64) -> f64 {
    value.min(start_value).abs().max(start_value - value)
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(crate) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// `to += factor · from`
pub(crate) fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}
