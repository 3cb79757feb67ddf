//! From where a solver stopped to a proven end.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::error::Error;
use crate::penalty::column::ColumnPenalty;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::problem::penalized::nonsmooth_parts;
use crate::problem::row_problem::RowProblem;
use crate::proof::border::{rows_at_border, with_barriers};
use crate::proof::least_squares::Step;
use crate::proof::point::Point;
use crate::proof::recession::{Recession, Verdict};
use crate::proof::steps::{along, step_from};
use crate::run::outcome::{ColumnOutcome, Status};
use crate::run::stopping::Stopping;

// Products that the proofs of a fit may cost whatever the fit did, rows times parameters squared: some milliseconds.
const CHEAP: f64 = 2e7;
// And as a share of those that the fit cost, by how much there is to doubt.
const SHARE_WHERE_FADED: f64 = 0.2;
const SHARE_WHERE_GRAVE: f64 = 3.0;
const DEAR: f64 = 3e9;
// Rows times features that are copied.
const ROOM: f64 = 3e7;
// Proving that there is no minimum takes the most: a Newton step lowers rates that vanish by a factor of e.
const MAX_STEPS: usize = 120;
const MAX_TRIALS: usize = 60;
const FEW_TRIALS: usize = 2;
// A parabola falls by the decrement along a whole step, a line by twice that.
const STRAIGHT: f64 = 1.5;
// Steps without any gain after which there is none to be had.
const IDLE_STEPS: usize = 6;
// Where rounding ends a run, so many times the distance that counts as none is as close as coefficients can be written down.
const ROUNDED: f64 = 10.0;
// Doublings of an intercept in search of a place to start from.
const FAR_SHIFTS: i32 = 12;
const LOWEST_BARRIER: f64 = 1e-16;
// The distance to a minimum, as a share of the value, at which no doubt about it matters.
const VANISHED: f64 = 1e-30;
// A loss that has fallen so far below where it began has no floor.
const BOTTOMLESS: f64 = 1e15;
// Steps once the minimum is near.
const POLISH: usize = 3;
// Of what a fit has left to fall, in nats in all.
const NATS: f64 = 1e-4;

/// How much there is to doubt in what a solver says of a column.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    None,
    Some,
    Grave,
}

/// Looks at columns in doubt, and at all where that costs little; takes them to their minimum where they are not there, and
/// writes down how they ended. Says which it looked at.
pub(crate) fn finish(
    objective: &dyn Objective,
    stopping: Stopping,
    start: &Parameters,
    (parameters, columns): (&mut Parameters, &mut [ColumnOutcome]),
    doubts: &[Doubt],
) -> Result<Vec<bool>, Error> {
    let (n_parameters, n_problems) = (parameters.n_parameters(), parameters.n_problems());
    let (n_rows, n) = (objective.n_rows() as f64, n_parameters as f64);
    let mut looked_at = vec![false; n_problems];
    if n_rows * n > ROOM || objective.n_predictors() != 1 {
        return Ok(looked_at);
    }
    let cost = n_rows * n * n;
    let may_prove = |problem: &usize| {
        let column = &columns[*problem];
        let spent = column.evaluations as f64 * 4.0 * n_rows * n;
        let allowed = match doubts[*problem] {
            Doubt::None => 0.0,
            Doubt::Some => SHARE_WHERE_FADED * spent,
            Doubt::Grave => (SHARE_WHERE_GRAVE * spent).min(DEAR),
        };
        column.status != Status::Given && cost <= allowed.max(CHEAP / n_problems as f64)
    };
    let chosen: Vec<usize> = (0..n_problems).filter(may_prove).collect();
    let penalties = nonsmooth_parts(objective, n_parameters, n_problems);
    let finished = chosen.into_par_iter().map(|problem| {
        let Some(rows) = objective.by_row(problem)? else { return Ok(None) };
        let none;
        let penalty = match &penalties {
            Some(penalties) => &penalties[problem],
            None => {
                none = ColumnPenalty::none(n_parameters);
                &none
            }
        };
        let run = Run::new(&rows, penalty, stopping)?;
        let may_step = stopping.max_steps.is_none() || columns[problem].status == Status::Converged;
        let ended = run.from(parameters.column(problem), &columns[problem], may_step)?;
        let again = may_step && !ended.is_done();
        let ended = match again {
            // What led astray may have been the way there.
            true => run
                .from(&run.feasible(start.column(problem))?, &columns[problem], true)?
                .or_better(ended),
            false => ended,
        };
        let ended = match again && !ended.is_done() {
            true => at_border(&rows, penalty, stopping, (start.column(problem), &columns[problem]))?
                .map_or(ended.clone(), |border| border.or_better(ended)),
            false => ended,
        };
        Ok(Some((problem, ended)))
    });
    let finished: Vec<Option<(usize, Ended)>> = finished.collect::<Result<_, Error>>()?;
    for (problem, ended) in finished.into_iter().flatten() {
        let column = &mut columns[problem];
        column.steps += ended.steps;
        column.evaluations += ended.evaluations;
        let Some(point) = ended.point else { continue };
        looked_at[problem] = true;
        column.status = ended.status;
        column.is_proven = ended.is_proven;
        column.condition = Some(ended.condition).filter(|condition| condition.is_finite());
        column.decrement = ended.decrement;
        column.value = point.value;
        column.gradient_norm = ended.gradient_norm;
        column.rank = ended.rank;
        parameters.column_mut(problem).copy_from_slice(&point.at);
    }
    Ok(looked_at)
}

/// How a run over one problem ended.
#[derive(Clone, Debug)]
struct Ended {
    status: Status,
    is_proven: bool,
    /// Nothing where the start was no place to look from.
    point: Option<Point>,
    decrement: f64,
    gradient_norm: f64,
    rank: usize,
    condition: f64,
    steps: usize,
    evaluations: usize,
}

impl Ended {
    fn note(&mut self, step: &Step) {
        (self.decrement, self.rank, self.condition) = (step.decrement, step.rank, step.condition);
    }

    fn is_done(&self) -> bool {
        matches!(self.status, Status::Converged | Status::NoMaximum)
    }

    /// The better one of two, and what both cost.
    fn or_better(self, other: Ended) -> Ended {
        let value = |ended: &Ended| ended.point.as_ref().map_or(f64::INFINITY, |point| point.value);
        let (steps, evaluations) = (self.steps + other.steps, self.evaluations + other.evaluations);
        let better = if self.is_done() || value(&self) < value(&other) {
            self
        } else {
            other
        };
        Ended {
            steps,
            evaluations,
            ..better
        }
    }
}

/// Along barriers that get lower and lower, to a minimum that may lie on the border; nothing where rows have none.
fn at_border(
    problem: &RowProblem<'_>,
    penalty: &ColumnPenalty,
    stopping: Stopping,
    (start, was): (&[f64], &ColumnOutcome),
) -> Result<Option<Ended>, Error> {
    let rows = rows_at_border(problem)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let slopes: f64 = rows.iter().map(|(_, slope)| slope).sum();
    let plain = Run::new(problem, penalty, stopping)?;
    let (mut at, mut weight) = (start.to_vec(), 0.1);
    let (mut steps, mut evaluations) = (0, 0);
    loop {
        let barriers = with_barriers(problem, &rows, weight);
        let ended = Run::new(&barriers, penalty, stopping)?.from(&at, was, true)?;
        (steps, evaluations) = (steps + ended.steps, evaluations + ended.evaluations);
        let Some(point) = ended.point.as_ref().filter(|_| ended.status == Status::Converged) else {
            return Ok(None);
        };
        at.clone_from(&point.at);
        let end = Point::new(problem, penalty, at.clone())?;
        let above = ended.decrement + weight * slopes;
        if above <= plain.goal(&end) {
            let (point, decrement) = (Some(end), above);
            return Ok(Some(Ended {
                point,
                decrement,
                steps,
                evaluations,
                ..ended
            }));
        }
        if weight < LOWEST_BARRIER {
            return Ok(None);
        }
        weight *= 0.1;
    }
}

/// One problem, and when it is done.
struct Run<'a> {
    problem: &'a RowProblem<'a>,
    penalty: &'a ColumnPenalty,
    recession: Option<Recession>,
    tolerance: f64,
}

impl<'a> Run<'a> {
    fn new(problem: &'a RowProblem<'a>, penalty: &'a ColumnPenalty, stopping: Stopping) -> Result<Self, Error> {
        let recession = match penalty.is_none() {
            true => Recession::new(problem)?,
            false => None,
        };
        Ok(Run {
            problem,
            penalty,
            recession,
            // A stricter one is the solver's to meet.
            tolerance: stopping.tolerance.clamp(1e-13, 1e-10),
        })
    }

    /// The distance that counts as none.
    fn goal(&self, point: &Point) -> f64 {
        let n = self.problem.features.nrows().max(1) as f64;
        let relative = self.tolerance * point.value.abs().max(1.0 / n);
        if self.problem.nats > 0.0 {
            relative.min(NATS / self.problem.nats)
        } else {
            relative
        }
    }

    fn judge(&self, point: &Point, step: &Step) -> Verdict {
        self.recession
            .as_ref()
            .map_or(Verdict::Minimum, |recession| recession.judge(self.problem, point, step))
    }

    /// A start like this one at which the value is finite, if an intercept gives one: an offset may lead to where a link has no
    /// rate.
    fn feasible(&self, start: &[f64]) -> Result<Vec<f64>, Error> {
        let mut at = start.to_vec();
        let intercept = at.len() - 1;
        let size = at[intercept].abs().max(1.0);
        let shifts = (0..FAR_SHIFTS).flat_map(|power| [1.0, -1.0].map(|sign| sign * size * 2.0_f64.powi(power)));
        for shift in std::iter::once(0.0).chain(shifts) {
            at[intercept] = start[intercept] + shift;
            if Point::new(self.problem, self.penalty, at.clone())?.is_finite() {
                return Ok(at);
            }
        }
        Ok(start.to_vec())
    }

    fn from(&self, start: &[f64], was: &ColumnOutcome, may_step: bool) -> Result<Ended, Error> {
        let mut here = Point::new(self.problem, self.penalty, start.to_vec())?;
        let mut ended = Ended {
            status: was.status,
            is_proven: false,
            point: None,
            decrement: f64::NAN,
            gradient_norm: f64::NAN,
            rank: was.rank,
            condition: f64::NAN,
            steps: 0,
            evaluations: 1,
        };
        if !here.is_finite() {
            return Ok(ended);
        }
        // The best point that is near enough, with its step; and steps taken since one was.
        let mut reached: Option<(Point, Step)> = None;
        // The nearest that was seen, if none was near enough, and steps since without gain.
        let mut nearest: Option<(Point, Step)> = None;
        let (mut idle, mut least) = (0, f64::INFINITY);
        let begun = here.value;
        let mut polished = 0;
        let mut cautious = false;
        loop {
            let seen = if cautious { here.cautious() } else { here.clone() };
            let Some(step) = step_from(self.problem, self.penalty, &seen) else {
                ended.status = Status::Stalled;
                break;
            };
            let shorter = if step.is_whole {
                None
            } else {
                step_from(self.problem, self.penalty, &here.cautious())
            };
            // The distance is known where the curvature is the second derivative and says all.
            let is_known = step.is_whole && !cautious;
            let step = shorter.unwrap_or(step);
            if cautious && step.decrement <= self.goal(&here) {
                cautious = false;
                continue;
            }
            let near = is_known && step.decrement <= self.goal(&here);
            let verdict = self.judge(&here, &step);
            if verdict == Verdict::Lost {
                ended.status = Status::Stalled;
                ended.note(&step);
                break;
            }
            if verdict == Verdict::Recedes {
                (ended.status, ended.is_proven) = (Status::NoMaximum, true);
                // There is no better place than where the solver stopped.
                here = Point::new(self.problem, self.penalty, start.to_vec())?;
                ended.decrement = step_from(self.problem, self.penalty, &here).map_or(f64::NAN, |step| step.decrement);
                break;
            }
            if here.value < -BOTTOMLESS * begun.abs().max(1.0) {
                ended.status = Status::NoMaximum;
                ended.note(&step);
                break;
            }
            // Steps that never shorten would have shown a direction of recession by now, if there were one: what is left is a
            // minimum so far away, and so little lower, that nothing tells the two places apart.
            if is_known && verdict == Verdict::Open && step.decrement <= VANISHED * here.value.abs() {
                reached = Some((here.clone(), step));
                break;
            }
            if is_known && verdict == Verdict::Minimum && nearest.as_ref().is_none_or(|(_, nearest)| step.decrement < nearest.decrement) {
                nearest = Some((here.clone(), step.clone()));
            }
            if step.decrement < 0.5 * least {
                (least, idle) = (step.decrement, 0);
            }
            // Newton's method doubles the digits: what little is left to gain costs a step or two.
            let gained = |(_, best): &(Point, Step)| step.decrement < 0.25 * best.decrement;
            let is_better = reached.as_ref().is_none_or(gained);
            if near && verdict == Verdict::Minimum && is_better {
                reached = Some((here.clone(), step.clone()));
            } else if reached.is_some() {
                break;
            }
            if reached.is_some() && (step.decrement == 0.0 || polished == POLISH || !may_step) {
                break;
            }
            polished += usize::from(reached.is_some());
            if !may_step || ended.steps == MAX_STEPS {
                ended.status = if may_step { Status::StepLimit } else { was.status };
                ended.note(&step);
                break;
            }
            // Values differ by less than rounding: the decrement alone tells whether a step was any good.
            let unresolved = step.decrement <= here.blur;
            let trials = ended.evaluations;
            let Some(next) = self.search(&here, &step, unresolved, &mut ended.evaluations)? else {
                ended.status = Status::Stalled;
                ended.note(&step);
                break;
            };
            // Where the second derivative has faded, its steps lead far astray.
            cautious = ended.evaluations - trials > FEW_TRIALS;
            idle = if next.value < here.value - here.blur { 0 } else { idle + 1 };
            here = next;
            ended.steps += 1;
            if idle == IDLE_STEPS {
                ended.status = Status::Stalled;
                ended.note(&step);
                break;
            }
        }
        if let Some((point, step)) = reached.or_else(|| nearest.filter(|(point, step)| step.decrement <= ROUNDED * self.goal(point))) {
            (ended.status, ended.is_proven) = (Status::Converged, true);
            ended.note(&step);
            here = point;
        }
        ended.gradient_norm = self.gradient_norm(&here);
        ended.point = Some(here);
        Ok(ended)
    }

    /// The first point along the step, from its end towards its start, that lies low enough.
    fn search(&self, here: &Point, step: &Step, unresolved: bool, evaluations: &mut usize) -> Result<Option<Point>, Error> {
        let mut length = 1.0;
        for _ in 0..MAX_TRIALS {
            *evaluations += 1;
            let trial = Point::new(self.problem, self.penalty, along(here, step, length))?;
            // Armijo's rule: twice the decrement is the slope.
            let low = trial.value <= here.value - 2e-4 * length * step.decrement;
            let even = unresolved && trial.value <= here.value + here.blur;
            if trial.is_finite() && (low || even) {
                return Ok(Some(if unresolved {
                    trial
                } else {
                    self.go_on(here, step, (trial, length), evaluations)?
                }));
            }
            length *= if trial.is_finite() { 0.5 } else { 0.25 };
        }
        Ok(None)
    }

    /// Twice as far, again and again, for as long as the value falls faster than a curved one would: losses whose curvature
    /// sits in kinks far apart are straight in between.
    fn go_on(&self, here: &Point, step: &Step, (mut trial, mut length): (Point, f64), evaluations: &mut usize) -> Result<Point, Error> {
        while length >= 1.0 && here.value - trial.value > STRAIGHT * length * step.decrement {
            *evaluations += 1;
            length *= 2.0;
            let further = Point::new(self.problem, self.penalty, along(here, step, length))?;
            if !further.is_finite() || further.value >= trial.value {
                break;
            }
            trial = further;
        }
        Ok(trial)
    }

    /// Of the slopes in the parameters themselves, or of the least subgradient.
    fn gradient_norm(&self, point: &Point) -> f64 {
        let width = point.at.len();
        let mut gradient = vec![0.0; width];
        for (features, row) in self.problem.features.rows().into_iter().zip(&point.rows) {
            for (feature, x) in features.iter().enumerate().filter(|(feature, _)| self.problem.free[*feature]) {
                gradient[feature] += row.slope * x;
            }
            gradient[width - 1] += row.slope;
        }
        for (feature, ridge) in self.problem.ridge.iter().enumerate() {
            gradient[feature] += ridge * point.at[feature];
        }
        self.penalty.least_subgradient(&gradient, &point.at)
    }
}
