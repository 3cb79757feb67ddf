//! Steps on one problem, row by row, to a proven end.

use crate::error::Error;
use crate::penalty::column::ColumnPenalty;
use crate::problem::row_problem::{RowLoss, RowProblem};
use crate::proof::border::{rows_at_border, with_barriers};
use crate::proof::least_squares::Step;
use crate::proof::point::{Losses, Point};
use crate::proof::recession::{Recession, Verdict};
use crate::proof::steps::{along, step_from};
use crate::run::outcome::{ColumnOutcome, Status};

// Proving that there is no minimum takes the most: a Newton step lowers rates that vanish by a factor of e.
const MAX_STEPS: usize = 120;
const MAX_TRIALS: usize = 60;
const FEW_TRIALS: usize = 2;
// A parabola falls by the decrement along a whole step, a line by twice that.
const STRAIGHT: f64 = 1.5;
// Steps without any gain after which there is none to be had.
const IDLE_STEPS: usize = 6;
// Where rounding ends a run, so many times the distance that counts as none is as close as coefficients can be written down.
const ROUNDED: f64 = 50.0;
// Doublings of an intercept in search of a place to start from.
const FAR_SHIFTS: i32 = 12;
const LOWEST_BARRIER: f64 = 1e-16;
// The distance to a minimum, as a share of the value, at which no doubt about it matters.
const VANISHED: f64 = 1e-30;
// The share of the largest curvature below which slope and curvature of a row count as none.
const FADED: f64 = 1e-10;
// How far a predictor may move for the second derivative of a link to hold.
const SHORT: f64 = 0.1;
// The share of the curvature along a step that may be gone at its end.
const HELD: f64 = 0.1;
// A loss that has fallen so far below where it began has no floor.
const BOTTOMLESS: f64 = 1e15;
// Steps once the minimum is near, where they cost nothing, features are so hard to tell apart that digits are few, or the caller
// asks for more.
const POLISH: usize = 3;
const LARGE: usize = 5_000;
const EASY: f64 = 100.0;
const EXACT: f64 = 1e-10;
// Of what a fit has left to fall, in nats in all.
const NATS: f64 = 1e-4;

/// What a proof may take.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) tolerance: f64,
    /// How often the rows may be looked at.
    pub(crate) looks: usize,
    /// Whether parameters may be moved at all.
    pub(crate) may_step: bool,
}

/// Proves how a problem ended that a solver left `here`, and steps on where it is not at its end; from the solver's own start, and along
/// barriers, where that fails.
pub(crate) fn prove(
    (problem, penalty): (&RowProblem<'_>, &ColumnPenalty),
    limits: Limits,
    (here, start): (&[f64], &[f64]),
    was: &ColumnOutcome,
) -> Result<Ended, Error> {
    let run = Run::new(problem, penalty, limits)?;
    let ended = run.from(here, was)?;
    if !limits.may_step || ended.is_done() || limits.looks <= MAX_STEPS {
        return Ok(ended);
    }
    // What led astray may have been the way there.
    let start = run.feasible(start)?;
    let ended = run.from(&start, was)?.or_better(ended);
    if ended.is_done() || !run.losses.is_convex {
        return Ok(ended);
    }
    Ok(match at_border((problem, penalty), limits, &start, was)? {
        Some(border) => border.or_better(ended),
        None => ended,
    })
}

/// How a run over one problem ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) status: Status,
    pub(crate) is_proven: bool,
    /// Nothing where the start was no place to look from.
    pub(crate) point: Option<Point>,
    pub(crate) decrement: f64,
    pub(crate) gradient_norm: f64,
    pub(crate) rank: usize,
    pub(crate) condition: f64,
    pub(crate) steps: usize,
    pub(crate) evaluations: usize,
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
        // That there is no maximum may be shown from another place than the best one.
        let shown_elsewhere = self.status == Status::NoMaximum && value(&other) < value(&self);
        let better = match self.is_done() || value(&self) < value(&other) {
            true if shown_elsewhere => Ended {
                status: self.status,
                is_proven: self.is_proven,
                ..other
            },
            true => self,
            false => other,
        };
        Ended {
            steps,
            evaluations,
            ..better
        }
    }
}

/// One problem, and when it is done.
struct Run<'a> {
    problem: &'a RowProblem<'a>,
    penalty: &'a ColumnPenalty,
    recession: Option<Recession>,
    losses: Losses,
    limits: Limits,
}

impl<'a> Run<'a> {
    fn new(problem: &'a RowProblem<'a>, penalty: &'a ColumnPenalty, limits: Limits) -> Result<Self, Error> {
        let recession = Recession::new(problem, penalty)?;
        Ok(Run {
            problem,
            penalty,
            recession,
            losses: Losses::new(problem)?,
            limits,
        })
    }

    /// The distance that counts as none.
    fn goal(&self, point: &Point) -> f64 {
        let n = self.problem.features.nrows().max(1) as f64;
        // A stricter tolerance is the solver's to meet.
        let relative = self.limits.tolerance.clamp(1e-13, 1e-10) * point.value.abs().max(1.0 / n);
        if self.problem.nats > 0.0 {
            relative.min(NATS / self.problem.nats)
        } else {
            relative
        }
    }

    fn judge(&self, point: &Point, step: &Step, near: bool) -> Verdict {
        let verdict = self
            .recession
            .as_ref()
            .map_or(Verdict::Minimum, |recession| recession.judge(self.problem, point, step));
        // Where nothing is left to fall, the features are asked rather than the next steps.
        match verdict {
            Verdict::Open if near && self.recedes() => Verdict::Recedes,
            verdict => verdict,
        }
    }

    /// Whether rows whose slope and curvature have faded, or do not hold for as far as the step goes, could lie lower by more than nothing. Where
    /// rows may bend downwards, slopes that vanish with it say nothing of how far a minimum is.
    fn is_plateau(&self, point: &Point, step: &Step) -> bool {
        let largest = point.rows.iter().fold(0.0, |largest: f64, row| largest.max(row.curvature));
        // Where no row has any slope left, there is nothing to go by.
        if largest <= VANISHED {
            return false;
        }
        let rows = point.rows.iter().zip(&step.of_rows).zip(&self.losses.least);
        let has_faded = |row: &RowLoss| row.curvature.max(row.expected).max(row.slope.abs()) <= FADED * largest;
        let could_fall = rows.filter(|((row, change), _)| has_faded(row) || change.abs() > SHORT);
        let could_fall: f64 = could_fall.map(|((row, _), least)| (row.value - least).max(0.0)).sum();
        could_fall > self.goal(point)
    }

    /// Whether the curvature that bounds a step lasts for as long as the step: a single row with a huge feature may hold a fit back by a
    /// curvature that is gone a little further on, where the other rows have all of their way still to go.
    fn lasts(&self, point: &Point, step: &Step) -> Result<bool, Error> {
        let rows = || point.rows.iter().zip(&step.of_rows);
        let bend = |curvature: f64, change: f64| curvature * change * change;
        let far: f64 = rows()
            .filter(|(_, change)| change.abs() > SHORT)
            .map(|(row, change)| bend(row.curvature, *change))
            .sum();
        if far <= HELD * 2.0 * step.decrement {
            return Ok(true);
        }
        let end = Point::new(self.problem, self.penalty, along(point, step, 1.0))?;
        let at_end: f64 = end
            .rows
            .iter()
            .zip(&step.of_rows)
            .map(|(row, change)| bend(row.curvature, *change))
            .sum();
        let at_start: f64 = rows().map(|(row, change)| bend(row.curvature, *change)).sum();
        Ok(at_end >= (1.0 - HELD) * at_start)
    }

    /// Whether there is a minimum for certain, wherever it lies.
    fn has_minimum(&self) -> bool {
        self.recession.as_ref().is_none_or(|recession| recession.is_closed(self.problem))
    }

    fn recedes(&self) -> bool {
        self.recession.as_ref().is_some_and(|recession| recession.recedes(self.problem))
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

    fn from(&self, start: &[f64], was: &ColumnOutcome) -> Result<Ended, Error> {
        let mut here = Point::new(self.problem, self.penalty, start.to_vec())?;
        let was_status = match was.status {
            Status::NoMaximum if self.has_minimum() => Status::Stalled,
            status => status,
        };
        let mut ended = Ended {
            status: was_status,
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
        let may_step = self.limits.may_step;
        let stuck = if may_step { Status::Stalled } else { was_status };
        // The best point that is near enough, with its step, and steps taken since one was.
        let (mut reached, mut polished): (Option<(Point, Step)>, usize) = (None, 0);
        // The nearest point that was seen, with its step, if none was near enough.
        let mut nearest: Option<(Point, Step)> = None;
        // The least decrement so far, and steps that gained nothing since.
        let (mut least, mut idle) = (f64::INFINITY, 0);
        let begun = here.value;
        // Whether steps are shortened by the expected curvature, and whether there are no others.
        let (mut cautious, mut is_blind) = (false, false);
        loop {
            let seen = if cautious { here.cautious() } else { here.clone() };
            let Some(step) = step_from(self.problem, self.penalty, &seen) else {
                // The expected curvature may say more.
                if !cautious {
                    (cautious, is_blind) = (true, true);
                    continue;
                }
                ended.status = stuck;
                break;
            };
            let shorter = if step.is_whole || cautious {
                None
            } else {
                step_from(self.problem, self.penalty, &here.cautious())
            };
            // The distance is known where the curvature is the second derivative and says all.
            let holds = match self.losses.is_convex {
                true => step.decrement > ROUNDED * self.goal(&here) || self.lasts(&here, &step)?,
                false => !self.is_plateau(&here, &step),
            };
            let is_known = step.is_whole && !cautious && holds;
            let step = shorter.unwrap_or(step);
            if cautious && !is_blind && step.decrement <= self.goal(&here) {
                cautious = false;
                continue;
            }
            let near = is_known && step.decrement + here.grain <= self.goal(&here);
            let verdict = self.judge(&here, &step, near);
            if verdict == Verdict::Lost {
                ended.status = stuck;
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
            if here.value < -BOTTOMLESS * begun.abs().max(1.0) && !self.has_minimum() {
                ended.status = Status::NoMaximum;
                ended.note(&step);
                break;
            }
            // Steps that never shorten would have shown a direction of recession by now, if there were one: what is left is a
            // minimum so far away, and so little lower, that nothing tells the two places apart.
            if near && verdict == Verdict::Open && step.decrement <= VANISHED * here.value.abs() {
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
            let is_large = self.problem.features.len() > LARGE;
            let exact_enough = is_large && step.condition < EASY && self.limits.tolerance >= EXACT;
            if reached.is_some() && (step.decrement == 0.0 || polished == POLISH || exact_enough || !may_step) {
                break;
            }
            polished += usize::from(reached.is_some());
            if !may_step || ended.steps == self.limits.looks.min(MAX_STEPS) {
                // Where looks were few, what the solver said stands.
                ended.status = if ended.steps == MAX_STEPS { Status::StepLimit } else { was_status };
                ended.note(&step);
                break;
            }
            // Values differ by less than rounding: the decrement alone tells whether a step was any good.
            let unresolved = step.decrement <= here.blur;
            let Some((next, rejected)) = self.search(&here, &step, unresolved, &mut ended.evaluations)? else {
                ended.status = Status::Stalled;
                ended.note(&step);
                break;
            };
            // Where the second derivative has faded, its steps lead far astray.
            (cautious, is_blind) = (rejected >= FEW_TRIALS, false);
            idle = if next.value < here.value - here.blur { 0 } else { idle + 1 };
            here = next;
            ended.steps += 1;
            if idle == IDLE_STEPS {
                ended.status = Status::Stalled;
                ended.note(&step);
                break;
            }
        }
        let rounded =
            |(point, step): &(Point, Step)| ended.status == Status::Stalled && step.decrement + point.grain <= ROUNDED * self.goal(point);
        if let Some((point, step)) = reached.or_else(|| nearest.filter(rounded)) {
            (ended.status, ended.is_proven) = (Status::Converged, self.losses.is_convex && point.is_convex);
            ended.note(&step);
            ended.decrement += point.grain;
            here = point;
        } else if may_step && matches!(ended.status, Status::Stalled | Status::StepLimit) && self.recedes() {
            (ended.status, ended.is_proven) = (Status::NoMaximum, true);
        }
        ended.gradient_norm = self.gradient_norm(&here);
        ended.point = Some(here);
        Ok(ended)
    }

    /// The first point along the step, from its end towards its start, that lies low enough.
    /// Also how many before it did not.
    fn search(&self, here: &Point, step: &Step, unresolved: bool, evaluations: &mut usize) -> Result<Option<(Point, usize)>, Error> {
        let mut length = 1.0;
        for rejected in 0..MAX_TRIALS {
            *evaluations += 1;
            let trial = Point::new(self.problem, self.penalty, along(here, step, length))?;
            // Armijo's rule: twice the decrement is the slope.
            let low = trial.value <= here.value - 2e-4 * length * step.decrement;
            let even = unresolved && trial.value <= here.value + here.blur;
            if trial.is_finite() && (low || even) {
                let reached = match unresolved {
                    true => trial,
                    false => self.go_on(here, step, (trial, length), evaluations)?,
                };
                return Ok(Some((reached, rejected)));
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

/// Along barriers that get lower and lower, to a minimum that may lie on the border; nothing where rows have none.
fn at_border(
    (problem, penalty): (&RowProblem<'_>, &ColumnPenalty),
    limits: Limits,
    start: &[f64],
    was: &ColumnOutcome,
) -> Result<Option<Ended>, Error> {
    let rows = rows_at_border(problem)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let slopes: f64 = rows.iter().map(|(_, slope)| slope).sum();
    let plain = Run::new(problem, penalty, limits)?;
    let (mut at, mut weight) = (start.to_vec(), 0.1);
    let (mut steps, mut evaluations) = (0, 0);
    loop {
        let barriers = with_barriers(problem, &rows, weight);
        let ended = Run::new(&barriers, penalty, limits)?.from(&at, was)?;
        (steps, evaluations) = (steps + ended.steps, evaluations + ended.evaluations);
        let Some(point) = ended.point.as_ref().filter(|_| ended.status == Status::Converged) else {
            return Ok(None);
        };
        at.clone_from(&point.at);
        let end = Point::new(problem, penalty, at.clone())?;
        let above = ended.decrement + weight * slopes;
        if above <= plain.goal(&end) {
            let gradient_norm = plain.gradient_norm(&end);
            let (point, decrement) = (Some(end), above);
            return Ok(Some(Ended {
                point,
                decrement,
                gradient_norm,
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
