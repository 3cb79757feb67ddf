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

use ndarray::Array2;

use crate::error::Error;
use crate::penalty::column::ColumnPenalty;
use crate::problem::row_problem::RowProblem;
use crate::proof::cone::{Cone, cone};
use crate::proof::least_squares::{Step, rank_of_rows};
use crate::proof::point::Point;

/// Which way the predictor of each row may go for ever.
pub(crate) struct Recession {
    rows: Vec<Way>,
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

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Way {
    Pinned,
    Down,
    Up,
}

// Far enough for every loss to be at its asymptote, and near enough for exponentials to be numbers.
const FAR: f64 = 300.0;
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
        let slopes = |predictor: f64| -> Result<Vec<f64>, Error> {
            let rows = (problem.losses)(&vec![predictor; n])?;
            Ok(rows.iter().map(|row| row.slope).collect())
        };
        let (below, near, above) = (slopes(-FAR)?, slopes(0.0)?, slopes(FAR)?);
        let bounded = |slope: f64, near: f64| slope.abs() <= NO_SLOPE * if near.is_finite() { near.abs().max(1e-30) } else { 1.0 };
        let way = |row: usize| match (below[row], above[row]) {
            (slope, _) if slope >= 0.0 && bounded(slope, near[row]) => Way::Down,
            (_, slope) if slope <= 0.0 && bounded(slope, near[row]) => Way::Up,
            _ => Way::Pinned,
        };
        let rows: Vec<Way> = (0..n).map(way).collect();
        if rows.iter().all(|way| *way == Way::Pinned) {
            return Ok(None);
        }
        let rank = rank_of_rows(problem);
        let cone = OnceCell::new();
        Ok(Some(Recession { rows, held, rank, cone }))
    }

    /// Whether the features leave a direction of recession open, wherever the problem is looked at from.
    pub(crate) fn recedes(&self, problem: &RowProblem<'_>) -> bool {
        let cone = self.cone.get_or_init(|| {
            let may_move: Vec<usize> = (0..self.held.len()).filter(|&feature| !self.held[feature]).collect();
            let center: Vec<f64> = may_move.iter().map(|&feature| problem.features[(0, feature)]).collect();
            // About the first row, where differences are exact that matter; the intercept takes up the rest.
            let differences = |row: usize| {
                may_move
                    .iter()
                    .zip(&center)
                    .map(move |(&feature, center)| problem.features[(row, feature)] - center)
            };
            let mut size = vec![0.0_f64; may_move.len()];
            for row in 0..self.rows.len() {
                size.iter_mut()
                    .zip(differences(row))
                    .for_each(|(size, x)| *size = size.max(x.abs()));
            }
            let scaled = |row: usize, sign: f64| {
                let scaled = differences(row)
                    .zip(&size)
                    .map(|(x, size)| if *size > 0.0 { x / size } else { 0.0 });
                scaled.chain([1.0]).map(|x| sign * x).collect::<Vec<f64>>()
            };
            let stack = |rows: Vec<Vec<f64>>| {
                let shape = (rows.len(), may_move.len() + 1);
                Array2::from_shape_fn(shape, |(row, column)| rows[row][column])
            };
            let signed = |way: Way| match way {
                Way::Down => Some(1.0),
                Way::Up => Some(-1.0),
                Way::Pinned => None,
            };
            let pinned = (0..self.rows.len())
                .filter(|&row| self.rows[row] == Way::Pinned)
                .map(|row| scaled(row, 1.0));
            let free = (0..self.rows.len()).filter_map(|row| signed(self.rows[row]).map(|sign| scaled(row, -sign)));
            cone(&stack(pinned.collect()), &stack(free.collect()))
        });
        *cone == Cone::Open
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
            true => Verdict::Recedes,
            false => Verdict::Open,
        }
    }
}
