//! Whether a minimum exists: proven one way or the other by a Newton step.
//!
//! A convex loss has no minimum if, and only if, there is a direction along which no row's loss ever rises and one falls for
//! ever (a direction of recession; Rockafellar 1970, *Convex Analysis*, theorem 27.1). A row without spikes allows its predictor
//! to fall, one with spikes pins it down; a choice allows one side. By Stiemke's lemma there is no such direction if
//! multipliers exist, each above zero, that balance the rows: `Σₜ λₜ zₜ = 0`. Both proofs come with a Newton step `d`:
//!
//! * The slopes after the step, `λₜ = sₜ + hₜ zₜ·d`, balance exactly. Where each keeps the sign of its slope, they are such
//!   multipliers: there is a minimum.
//! * Where there is none, Newton steps never shorten: along the direction of recession each is about one. Once all else has
//!   settled, `d` *is* that direction, which is seen in the rows.
//!
//! Where slopes have vanished beyond what numbers hold, the features are asked instead ([`cone`]).

use std::cell::OnceCell;

use ndarray::Axis;

use crate::error::Error;
use crate::penalty::column::ColumnPenalty;
use crate::problem::row_problem::{RowLoss, RowProblem};
use crate::proof::cone::{Cone, Way, cone};
use crate::proof::least_squares::{Step, rank_of_rows};
use crate::proof::point::Point;

/// Which way the predictor of each row may go for ever.
pub(crate) struct Recession {
    rows: Vec<Way>,
    /// Whether all of them are known.
    is_known: bool,
    /// Coefficients that cannot go for ever, because they are penalised, or may not move at all.
    held: Vec<bool>,
    /// Directions of the features that the rows tell apart when all weigh the same.
    rank: usize,
    /// What the features say, once they were asked.
    cone: OnceCell<Cone>,
}

/// What a Newton step says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is a minimum.
    Minimum,
    /// The step is a direction of recession.
    Recedes,
    /// Neither is proven here.
    Open,
    /// Nothing can be proven here: rates have vanished beyond what numbers hold.
    Lost,
}

// Far enough for every loss to be at its asymptote, and near enough for exponentials to be numbers.
const FAR: f64 = 700.0;
const NO_SLOPE: f64 = 1e-60;
// How far a direction of recession may lead the wrong way, beside how far it leads the right one: a maximum that lies this far
// away, if there is one, is lower by nothing that shows.
const ASTRAY: f64 = 1e-7;
// The share of its slope that a row may lose by a step and still count as above zero.
const KEEPS: f64 = 0.5;
// A slope this small beside the steepest may be lost in the rounding of a step.
const VANISHED: f64 = 1e-8;

impl Recession {
    /// Nothing where a minimum is certain: every coefficient is penalised, or no row lets its predictor go.
    pub(crate) fn new(problem: &RowProblem<'_>, penalty: &ColumnPenalty) -> Result<Option<Self>, Error> {
        let smooth = penalty.smooth_places();
        let held: Vec<bool> = (0..problem.free.len())
            .map(|feature| !problem.free[feature] || problem.ridge[feature] > 0.0 || !smooth[feature])
            .collect();
        if held.iter().all(|held| *held) {
            return Ok(None);
        }
        let n = problem.features.nrows();
        let at = |predictor: f64| (problem.losses)(&vec![predictor; n]);
        let (below, near, above) = (at(-FAR)?, at(0.0)?, at(FAR)?);
        // A slope that has gone, or that never changes, goes on for ever.
        let lasts = |far: &RowLoss, near: &RowLoss| {
            let size = if near.slope.is_finite() { near.slope.abs().max(1e-30) } else { 1.0 };
            far.value.is_finite() && (far.slope.abs() <= NO_SLOPE * size || far.slope == near.slope)
        };
        let way = |row: usize| match (&below[row], &above[row]) {
            (far, _) if far.slope >= 0.0 && lasts(far, &near[row]) => Way::Down,
            (_, far) if far.slope <= 0.0 && lasts(far, &near[row]) => Way::Up,
            _ => Way::Pinned,
        };
        let rows: Vec<Way> = (0..n).map(way).collect();
        // What a loss does where it is no number is not known.
        let is_known = below.iter().chain(&above).all(|row| !row.slope.is_nan());
        if is_known && rows.iter().all(|way| *way == Way::Pinned) {
            return Ok(None);
        }
        let rank = rank_of_rows(problem);
        let cone = OnceCell::new();
        Ok(Some(Recession {
            rows,
            is_known,
            held,
            rank,
            cone,
        }))
    }

    /// Whether the features leave a direction of recession open, wherever the problem is looked at from.
    pub(crate) fn recedes(&self, problem: &RowProblem<'_>) -> bool {
        self.cone(problem) == Cone::Open
    }

    /// Whether the features prove that there is a minimum.
    pub(crate) fn is_closed(&self, problem: &RowProblem<'_>) -> bool {
        self.is_known && self.cone(problem) == Cone::Closed
    }

    fn cone(&self, problem: &RowProblem<'_>) -> Cone {
        *self.cone.get_or_init(|| {
            let may_move: Vec<usize> = (0..self.held.len()).filter(|&feature| !self.held[feature]).collect();
            cone(problem.features.select(Axis(1), &may_move).view(), &self.rows)
        })
    }

    pub(crate) fn judge(&self, problem: &RowProblem<'_>, point: &Point, step: &Step) -> Verdict {
        let keeps = |row: usize| {
            let (slope, curvature) = (point.rows[row].slope, point.rows[row].curvature);
            // In an exponential tail slope and curvature are the same number, however small.
            let reach = if curvature > 0.0 && slope != 0.0 {
                (slope / curvature).abs()
            } else {
                1.0
            };
            step.of_rows[row].abs() <= KEEPS * reach
        };
        let may_go = || (0..self.rows.len()).filter(|&row| self.rows[row] != Way::Pinned);
        // Rows that have gone so far that their curvature is lost tell nothing of the directions that they alone see.
        if step.rank < self.rank {
            return if self.recedes(problem) { Verdict::Recedes } else { Verdict::Lost };
        }
        if may_go().all(keeps) {
            let steepest = point.rows.iter().fold(0.0, |steepest: f64, row| steepest.max(row.slope.abs()));
            let has_vanished = may_go().any(|row| point.rows[row].slope.abs() < VANISHED * steepest);
            let recedes = has_vanished && self.recedes(problem);
            return if recedes { Verdict::Recedes } else { Verdict::Minimum };
        }
        let longest = step.of_rows.iter().fold(0.0, |a: f64, x| a.max(x.abs()));
        let astray = |row: usize| match self.rows[row] {
            Way::Pinned => step.of_rows[row].abs(),
            Way::Down => step.of_rows[row].max(0.0),
            Way::Up => (-step.of_rows[row]).max(0.0),
        };
        let receding = (0..self.rows.len()).all(|row| astray(row) <= ASTRAY * longest);
        // What is penalised, and is still moving, may be all that moves.
        let stays = |feature: usize| {
            let column = problem.features.column(feature);
            let (low, high) = column
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
            (step.change[feature] * (high - low)).abs() <= ASTRAY * longest
        };
        let mut held = (0..self.held.len()).filter(|&feature| self.held[feature]);
        match receding && held.all(stays) {
            // The step may be off by more than what holds it back.
            true if self.is_closed(problem) => Verdict::Open,
            true => Verdict::Recedes,
            false => Verdict::Open,
        }
    }
}
