//! Gradient steps by columns, plain or accelerated, with or without a proximal map.
//!
//! ```text
//! y  = x + (t − 1)/t' · (x − x₋)               extrapolate, unless the method is plain
//! x₊ = prox(y − length · gradient(y), length)   step; a searched length halves until the model of the step holds
//! ```

use rayon::prelude::*;

use crate::gauge::Gauge;
use crate::meter::{Meter, Point};
use crate::stopping::Stopping;
use crate::{Error, Evaluation, Objective, Order, Parameters, Progress, Request};

/// How a gradient method gathers speed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acceleration {
    /// It does not: plain steps.
    Plain,
    /// Nesterov's momentum.
    Nesterov,
    /// Nesterov's momentum, dropped whenever it points uphill (O'Donoghue & Candès 2015).
    #[default]
    NesterovWithRestart,
}

/// How long the steps of a gradient method are.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum StepLength {
    /// Searched at every step, from one over the largest curvature that is foretold.
    #[default]
    Searched,
    /// This, always.
    Fixed(f64),
}

impl StepLength {
    pub(crate) fn validate(self) -> Result<(), Error> {
        match self {
            StepLength::Searched => Ok(()),
            StepLength::Fixed(length) => Error::check_positive("step length of the solver", length),
        }
    }
}

/// The options of a gradient method.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) stopping: Stopping,
    pub(crate) acceleration: Acceleration,
    pub(crate) step_length: StepLength,
}

/// The state of a gradient method.
#[derive(Clone, Debug)]
pub(crate) struct FirstOrder {
    gauge: Gauge,
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
struct Column {
    /// Where the last step began, while there is momentum.
    before: Option<Vec<f64>>,
    momentum: f64,
    length: f64,
    /// The last step of a fixed length, whose gradient the next one is compared with.
    last: Option<Step>,
    meter: Meter,
}

// Shortenings of one step; 2⁻⁶⁰ of any length is none.
const MAX_SHRINKS: usize = 60;
const SHRINK: f64 = 0.5;
const GROW: f64 = 1.1;

impl FirstOrder {
    pub(crate) fn new(objective: &dyn Objective, start: &Parameters, settings: Settings) -> Result<Self, Error> {
        settings.stopping.validate()?;
        settings.step_length.validate()?;
        let (n_parameters, n_problems) = (start.n_parameters(), start.n_problems());
        let gauge = Gauge::new(objective, n_parameters, n_problems)?;
        let column = |problem| Column {
            before: None,
            momentum: 1.0,
            length: match settings.step_length {
                StepLength::Fixed(length) => length,
                StepLength::Searched => gauge.step_length(problem, n_parameters),
            },
            last: None,
            meter: Meter::default(),
        };
        let columns = (0..n_problems).into_par_iter().map(column).collect();
        Ok(FirstOrder { gauge, columns })
    }

    /// Lets every column go on.
    pub(crate) fn reopen(&mut self) {
        for column in &mut self.columns {
            column.meter.reopen();
            column.last = None;
        }
    }

    /// One step of every column on its way: its gradient, then as many trials as its length needs.
    pub(crate) fn step(&mut self, objective: &dyn Objective, at: &mut Parameters, settings: Settings) -> Result<(), Error> {
        let mut active: Vec<usize> = (0..self.columns.len())
            .filter(|&problem| self.columns[problem].meter.status.is_none())
            .collect();
        let start = self.gauge.space.point_of(&at.select(&active));
        let ahead: Vec<Vec<f64>> = active
            .iter()
            .zip(start.columns())
            .map(|(&problem, x)| self.columns[problem].extrapolate(x, settings.acceleration))
            .collect();
        let (values, gradients) = self.evaluate(objective, &active, &ahead)?;
        let mut steps: Vec<Step> = Vec::with_capacity(active.len());
        for (index, &problem) in active.iter().enumerate() {
            let meter = &mut self.columns[problem].meter;
            let value = values[index];
            meter.arrive(value + self.gauge.penalty(problem, &ahead[index]));
            steps.push(Step {
                start: start.column(index).to_vec(),
                ahead: ahead[index].clone(),
                value,
                gradient: gradients.column(index).to_vec(),
            });
        }
        let mut waiting: Vec<(usize, Step)> = active.drain(..).zip(steps).collect();
        waiting.retain(|(problem, step)| self.columns[*problem].meter.check_finite(step.value, &step.gradient));
        if let StepLength::Fixed(_) = settings.step_length {
            self.take_fixed(at, waiting, settings, objective.resolution());
            return Ok(());
        }
        for trial in 0..MAX_SHRINKS {
            if waiting.is_empty() {
                break;
            }
            waiting = self.search(objective, at, (waiting, trial), settings)?;
        }
        for (problem, step) in waiting {
            self.columns[problem].meter.give_up(objective.resolution(), step.value);
        }
        Ok(())
    }

    /// Steps of a fixed length.
    fn take_fixed(&mut self, at: &mut Parameters, steps: Vec<(usize, Step)>, settings: Settings, resolution: f64) {
        for (problem, step) in steps {
            let column = &mut self.columns[problem];
            let next = step.next(&self.gauge, problem, column.length);
            let here = Point {
                problem,
                at: &step.ahead,
                gradient: &step.gradient,
                value: step.value,
            };
            if let Some(last) = &column.last {
                column.meter.follow(&self.gauge, (&last.ahead, &last.gradient), here);
            }
            let limits = (settings.stopping.tolerance, resolution);
            column.meter.judge(&self.gauge, here, (&next, column.length), limits);
            // The distance was measured where the gradient was: a column that stops, stops there.
            let end = if column.meter.status.is_some() { &step.ahead } else { &next };
            write(&self.gauge, at, problem, end);
            column.remember(&step, &next, settings.acceleration);
            column.last = Some(step);
        }
    }

    /// One trial of each of these steps; returns those that were too long.
    fn search(
        &mut self,
        objective: &dyn Objective,
        at: &mut Parameters,
        (steps, trial): (Vec<(usize, Step)>, usize),
        settings: Settings,
    ) -> Result<Vec<(usize, Step)>, Error> {
        let problems: Vec<usize> = steps.iter().map(|(problem, _)| *problem).collect();
        let next: Vec<Vec<f64>> = steps
            .iter()
            .map(|(problem, step)| step.next(&self.gauge, *problem, self.columns[*problem].length))
            .collect();
        let (values, gradients) = self.evaluate(objective, &problems, &next)?;
        let mut too_long = Vec::new();
        for (index, (problem, step)) in steps.into_iter().enumerate() {
            let column = &mut self.columns[problem];
            let (next, gradient, value) = (&next[index], gradients.column(index), values[index]);
            if !step.holds(next, (value, gradient), column.length, objective.resolution()) {
                column.length *= SHRINK;
                too_long.push((problem, step));
                continue;
            }
            let length = column.length;
            let mut beyond: Vec<f64> = next.iter().zip(gradient).map(|(x, g)| x - length * g).collect();
            self.gauge.shrink(problem, &mut beyond, length);
            let here = Point {
                problem,
                at: next,
                gradient,
                value,
            };
            column.meter.follow(&self.gauge, (&step.ahead, &step.gradient), here);
            let limits = (settings.stopping.tolerance, objective.resolution());
            column.meter.judge(&self.gauge, here, (&beyond, length), limits);
            write(&self.gauge, at, problem, next);
            column.remember(&step, next, settings.acceleration);
            if trial == 0 {
                column.length *= GROW;
            }
        }
        Ok(too_long)
    }

    /// Values and centred gradients of the smooth part at centred points.
    fn evaluate(&mut self, objective: &dyn Objective, problems: &[usize], points: &[Vec<f64>]) -> Result<(Vec<f64>, Parameters), Error> {
        let n_parameters = points.first().map_or(0, Vec::len);
        let points = Parameters::from_columns(n_parameters, points.iter().map(Vec::as_slice));
        problems.iter().for_each(|&problem| self.columns[problem].meter.evaluations += 1);
        let request = Request {
            columns: problems,
            rows: None,
            order: Order::Gradient,
        };
        let Evaluation { values, gradient, .. } = objective.evaluate(&self.gauge.space.parameters_at(&points), request)?;
        Ok((values, self.gauge.space.gradient(gradient, problems)))
    }

    /// How far each column is.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        let progress = |(problem, column): (usize, &Column)| column.meter.progress(self.gauge.space.rank(problem));
        self.columns.iter().enumerate().map(progress).collect()
    }
}

/// Writes a centred point into a column of parameters.
fn write(gauge: &Gauge, at: &mut Parameters, problem: usize, point: &[f64]) {
    let one = gauge.space.parameters_at(&Parameters::from_columns(point.len(), [point]));
    at.column_mut(problem).copy_from_slice(one.column(0));
}

/// A step under way: where it starts, where its gradient was taken, and what was found there.
#[derive(Clone, Debug)]
struct Step {
    start: Vec<f64>,
    ahead: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

impl Step {
    fn next(&self, gauge: &Gauge, problem: usize, length: f64) -> Vec<f64> {
        let mut next: Vec<f64> = self.ahead.iter().zip(&self.gradient).map(|(y, g)| y - length * g).collect();
        gauge.shrink(problem, &mut next, length);
        next
    }

    /// Whether the objective lies below its model at the end of the step (Beck & Teboulle 2009, eq. 2.8).
    ///
    /// Where values cannot tell, the gradients at both ends do.
    fn holds(&self, next: &[f64], (value, gradient): (f64, &[f64]), length: f64, resolution: f64) -> bool {
        let (mut linear, mut square, mut curved) = (0.0, 0.0, 0.0);
        for (place, (x, y)) in next.iter().zip(&self.ahead).enumerate() {
            linear += self.gradient[place] * (x - y);
            square += (x - y) * (x - y);
            curved += (gradient[place] - self.gradient[place]) * (x - y);
        }
        let allowed = 0.5 * square / length;
        let blur = resolution * self.value.abs();
        if !value.is_finite() {
            false
        } else if allowed > 10.0 * blur {
            value <= self.value + linear + allowed
        } else {
            curved <= 2.0 * allowed + resolution * resolution
        }
    }
}

impl Column {
    fn extrapolate(&self, x: &[f64], acceleration: Acceleration) -> Vec<f64> {
        match (&self.before, acceleration) {
            (Some(before), Acceleration::Nesterov | Acceleration::NesterovWithRestart) => {
                let share = (self.momentum - 1.0) / next_momentum(self.momentum);
                x.iter().zip(before).map(|(x, before)| x + share * (x - before)).collect()
            }
            _ => x.to_vec(),
        }
    }

    fn remember(&mut self, step: &Step, next: &[f64], acceleration: Acceleration) {
        self.meter.steps += 1;
        let uphill = step
            .ahead
            .iter()
            .zip(next)
            .zip(&step.start)
            .map(|((y, x), start)| (y - x) * (x - start))
            .sum::<f64>()
            > 0.0;
        if uphill && acceleration == Acceleration::NesterovWithRestart {
            (self.before, self.momentum) = (None, 1.0);
        } else {
            self.momentum = if self.before.is_some() { next_momentum(self.momentum) } else { 1.0 };
            self.before = Some(step.start.clone());
        }
    }
}

/// `t' = (1 + √(1 + 4t²)) / 2`
fn next_momentum(t: f64) -> f64 {
    0.5 * (1.0 + (1.0 + 4.0 * t * t).sqrt())
}
