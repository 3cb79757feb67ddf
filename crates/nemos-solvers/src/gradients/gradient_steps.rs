//! Gradient steps by columns, plain or accelerated, with or without a proximal map.
//!
//! ```text
//! y  = x + (t − 1)/t' · (x − x₋)               extrapolate, unless the method is plain
//! x₊ = prox(y − length · gradient(y), length)   step; a searched length halves until the model of the step holds
//! ```

use rayon::prelude::*;

use crate::error::Error;
use crate::gradients::monitor::{Monitor, Point};
use crate::gradients::optimality::Optimality;
use crate::gradients::step_length::StepLength;
use crate::problem::objective::{Evaluation, Objective, Order, Request};
use crate::problem::parameters::Parameters;
use crate::run::method::Method;
use crate::run::progress::Progress;
use crate::run::stopping::Stopping;

/// How a gradient method gathers speed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

/// The options of a gradient method.
#[derive(Copy, Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Settings {
    pub(crate) acceleration: Acceleration,
    pub(crate) step_length: StepLength,
}

/// A gradient method that is running.
#[derive(Clone, Debug)]
pub(crate) struct GradientSteps {
    name: &'static str,
    settings: Settings,
    tolerance: f64,
    optimality: Optimality,
    parameters: Parameters,
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
    monitor: Monitor,
}

// Shortenings of one step; 2⁻⁶⁰ of any length is none.
const MAX_SHRINKS: usize = 60;
const SHRINK: f64 = 0.5;
const GROW: f64 = 1.1;

impl GradientSteps {
    pub(crate) fn new(
        name: &'static str,
        settings: Settings,
        objective: &dyn Objective,
        start: &Parameters,
        stopping: Stopping,
    ) -> Result<Self, Error> {
        stopping.validate()?;
        settings.step_length.validate()?;
        let (n_parameters, n_problems) = (start.n_parameters(), start.n_problems());
        let optimality = Optimality::new(objective, n_parameters, n_problems)?;
        let column = |problem| Column {
            before: None,
            momentum: 1.0,
            length: match settings.step_length {
                StepLength::Fixed(length) => length,
                StepLength::Searched => optimality.step_length(problem, n_parameters),
            },
            last: None,
            monitor: Monitor::new(objective.nats(problem)),
        };
        let columns = (0..n_problems).into_par_iter().map(column).collect();
        Ok(GradientSteps {
            name,
            settings,
            tolerance: stopping.tolerance,
            columns,
            optimality,
            parameters: start.clone(),
        })
    }

    /// Where each column on its way starts, and the gradient where its momentum takes it; a column that is not finite stops.
    fn look_ahead(&mut self, objective: &dyn Objective) -> Result<Vec<(usize, Step)>, Error> {
        let active: Vec<usize> = (0..self.columns.len())
            .filter(|&problem| self.columns[problem].monitor.status.is_none())
            .collect();
        // A step on nothing would be an evaluation of no columns.
        if active.is_empty() {
            return Ok(Vec::new());
        }
        let start = self.optimality.space.point_of(&self.parameters.select(&active), &active);
        let ahead: Vec<Vec<f64>> = active
            .iter()
            .zip(start.columns())
            .map(|(&problem, x)| self.columns[problem].extrapolate(x, self.settings.acceleration))
            .collect();
        let (values, gradients) = self.evaluate(objective, &active, &ahead)?;
        let mut steps: Vec<Step> = Vec::with_capacity(active.len());
        for (index, &problem) in active.iter().enumerate() {
            let monitor = &mut self.columns[problem].monitor;
            let value = values[index];
            // Reported values include the penalty; the model of a step is of the smooth part alone.
            monitor.arrive(value + self.optimality.penalty(problem, &ahead[index]));
            steps.push(Step {
                start: start.column(index).to_vec(),
                ahead: ahead[index].clone(),
                value,
                gradient: gradients.column(index).to_vec(),
            });
        }
        let mut waiting: Vec<(usize, Step)> = active.into_iter().zip(steps).collect();
        waiting.retain(|(problem, step)| self.columns[*problem].monitor.check_finite(step.value, &step.gradient));
        Ok(waiting)
    }

    /// Steps of a fixed length.
    fn take_fixed(&mut self, steps: Vec<(usize, Step)>, resolution: f64) {
        for (problem, step) in steps {
            let column = &mut self.columns[problem];
            let next = step.next(&self.optimality, problem, column.length);
            let here = Point {
                problem,
                at: &step.ahead,
                gradient: &step.gradient,
                value: step.value,
            };
            if let Some(last) = &column.last {
                column.monitor.follow(&self.optimality, (&last.ahead, &last.gradient), here);
            }
            let limits = (self.tolerance, resolution);
            column.monitor.judge(&self.optimality, here, (&next, column.length), limits);
            // The distance was measured where the gradient was: a column that stops, stops there.
            let end = if column.monitor.status.is_some() { &step.ahead } else { &next };
            write(&self.optimality, &mut self.parameters, problem, end);
            column.remember(&step, &next, self.settings.acceleration);
            column.last = Some(step);
        }
    }

    /// One trial of each of these steps; returns those that were too long.
    fn search(&mut self, objective: &dyn Objective, (steps, trial): (Vec<(usize, Step)>, usize)) -> Result<Vec<(usize, Step)>, Error> {
        let problems: Vec<usize> = steps.iter().map(|(problem, _)| *problem).collect();
        let next: Vec<Vec<f64>> = steps
            .iter()
            .map(|(problem, step)| step.next(&self.optimality, *problem, self.columns[*problem].length))
            .collect();
        let (values, gradients) = self.evaluate(objective, &problems, &next)?;
        let mut too_long = Vec::new();
        for (index, (problem, step)) in steps.into_iter().enumerate() {
            let column = &mut self.columns[problem];
            let (next, gradient, value) = (&next[index], gradients.column(index), values[index]);
            // Backtracking: the length stays short for the next step, which is likely to need it too.
            if !step.holds(next, (value, gradient), column.length, objective.resolution()) {
                column.length *= SHRINK;
                too_long.push((problem, step));
                continue;
            }
            let length = column.length;
            let mut beyond: Vec<f64> = next.iter().zip(gradient).map(|(x, g)| x - length * g).collect();
            self.optimality.shrink(problem, &mut beyond, length);
            let here = Point {
                problem,
                at: next,
                gradient,
                value,
            };
            column.monitor.follow(&self.optimality, (&step.ahead, &step.gradient), here);
            let limits = (self.tolerance, objective.resolution());
            column.monitor.judge(&self.optimality, here, (&beyond, length), limits);
            write(&self.optimality, &mut self.parameters, problem, next);
            column.remember(&step, next, self.settings.acceleration);
            // Curvatures fall as well as rise: a length that held at once may grow, by less than it would shrink.
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
        problems.iter().for_each(|&problem| self.columns[problem].monitor.evaluations += 1);
        let request = Request {
            columns: problems,
            rows: None,
            order: Order::Gradient,
        };
        let Evaluation { values, gradient, .. } = objective.evaluate(&self.optimality.space.parameters_at(&points, problems), request)?;
        Ok((values, self.optimality.space.gradient(gradient, problems)))
    }
}

impl Method for GradientSteps {
    fn name(&self) -> &'static str {
        self.name
    }

    /// Gradients, then as many trials as each column's length needs.
    fn step(&mut self, objective: &dyn Objective) -> Result<(), Error> {
        let mut waiting = self.look_ahead(objective)?;
        if let StepLength::Fixed(_) = self.settings.step_length {
            self.take_fixed(waiting, objective.resolution());
            return Ok(());
        }
        for trial in 0..MAX_SHRINKS {
            if waiting.is_empty() {
                break;
            }
            waiting = self.search(objective, (waiting, trial))?;
        }
        // No length, however short, satisfied the model: rounding error is all that is left, or the objective is not finite.
        for (problem, step) in waiting {
            self.columns[problem].monitor.give_up(objective.resolution(), step.value);
        }
        Ok(())
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn progress(&self) -> Vec<Progress> {
        let progress = |(problem, column): (usize, &Column)| column.monitor.progress(self.optimality.space.rank(problem));
        self.columns.iter().enumerate().map(progress).collect()
    }

    fn reopen(&mut self) -> Result<(), Error> {
        for column in &mut self.columns {
            column.monitor.reopen();
            column.last = None;
        }
        Ok(())
    }
}

/// Writes a centred point into a column of parameters.
fn write(optimality: &Optimality, at: &mut Parameters, problem: usize, point: &[f64]) {
    let one = optimality
        .space
        .parameters_at(&Parameters::from_columns(point.len(), [point]), &[problem]);
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
    fn next(&self, optimality: &Optimality, problem: usize, length: f64) -> Vec<f64> {
        let mut next: Vec<f64> = self.ahead.iter().zip(&self.gradient).map(|(y, g)| y - length * g).collect();
        optimality.shrink(problem, &mut next, length);
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
        // f(x₊) ≤ f(y) + gradient · (x₊ − y) + ‖x₊ − y‖²/2h, which holds for every h up to one over the curvature.
        let allowed = 0.5 * square / length;
        let blur = resolution * self.value.abs();
        if !value.is_finite() {
            false
        } else if allowed > 10.0 * blur {
            value <= self.value + linear + allowed
        } else {
            // Below the resolution of values: the change of gradient along the step, less than ‖x₊ − y‖²/h.
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
        self.monitor.steps += 1;
        // The gradient step points back against the move: momentum has carried the column past the minimum.
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
