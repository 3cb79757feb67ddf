//! The convergence monitor of one column, for methods whose own steps do not tell how far it is.
//!
//! A short step of length `h` along a (proximal) gradient from `x` to `x₊` bounds the distance to the minimum from below,
//! `‖x₊ − x‖² / 2h`, for as long as `h` is below one over the largest curvature: it costs nothing, and while it is large
//! there is no need to look closer. Once it is small, the distance by the expected curvature decides, which sees
//! directions of little curvature that short steps hardly move along. That is dear (a quadratic model is minimised),
//! so that it is asked again only when the cheap one has fallen to a quarter.

use crate::gradients::optimality::Optimality;
use crate::linear::vector::{difference, dot};
use crate::run::outcome::Status;
use crate::run::progress::{Progress, relative_scale};

/// What is known of one column, and when it stops.
#[derive(Clone, Debug)]
pub(crate) struct Monitor {
    pub(crate) status: Option<Status>,
    pub(crate) steps: usize,
    pub(crate) evaluations: usize,
    value: f64,
    start_value: f64,
    /// What takes values to nats.
    nats: f64,
    gradient_norm: f64,
    decrement: f64,
    curvature_share: f64,
    /// Least decrement so far, and steps since.
    best: (f64, usize),
    /// The cheap bound below which the distance is estimated next.
    estimate_below: f64,
}

// Steps without progress after which what values cannot resolve counts as settled.
const SETTLED_AFTER: usize = 30;

/// A centred point of one column, with the value and gradient of the smooth part.
#[derive(Copy, Clone)]
pub(crate) struct Point<'a> {
    pub(crate) problem: usize,
    pub(crate) at: &'a [f64],
    pub(crate) gradient: &'a [f64],
    pub(crate) value: f64,
}

impl Monitor {
    /// Nothing is known yet, but what takes values to nats.
    pub(crate) fn new(nats: f64) -> Self {
        Monitor {
            status: None,
            steps: 0,
            evaluations: 0,
            value: f64::NAN,
            start_value: f64::NAN,
            nats,
            gradient_norm: f64::NAN,
            decrement: f64::NAN,
            curvature_share: f64::INFINITY,
            best: (f64::INFINITY, 0),
            estimate_below: f64::INFINITY,
        }
    }

    /// Lets the column go on, perhaps on other data.
    pub(crate) fn reopen(&mut self) {
        // Values of one batch say nothing of another: only what was done stays.
        *self = Monitor {
            steps: self.steps,
            evaluations: self.evaluations,
            ..Monitor::new(self.nats)
        };
    }

    /// Takes note of the objective.
    pub(crate) fn arrive(&mut self, value: f64) {
        self.value = value;
        if self.start_value.is_nan() {
            self.start_value = value;
        }
    }

    /// Stops the column if its objective is not finite.
    pub(crate) fn check_finite(&mut self, value: f64, gradient: &[f64]) -> bool {
        let finite = value.is_finite() && gradient.iter().all(|slope| slope.is_finite());
        if !finite {
            self.status = Some(Status::NonFinite);
        }
        finite
    }

    /// Follows how curved the objective is between an earlier point, with its gradient, and this one.
    pub(crate) fn follow(&mut self, optimality: &Optimality, (point, gradient): (&[f64], &[f64]), here: Point<'_>) {
        // A product with the covariances: as dear as many steps of one column, and no news from step to step.
        const EVERY: usize = 25;
        if self.steps.is_multiple_of(EVERY) {
            let (moved, change) = (difference(here.at, point), difference(here.gradient, gradient));
            let share = optimality.curvature_share(here.problem, &moved, &change);
            self.curvature_share = share.min(self.curvature_share * 4.0);
        }
    }

    /// Measures the distance to the minimum, and stops the column where it is small. `beyond` is where a step of this
    /// length would end.
    pub(crate) fn judge(
        &mut self,
        optimality: &Optimality,
        here: Point<'_>,
        (beyond, length): (&[f64], f64),
        (tolerance, resolution): (f64, f64),
    ) {
        self.arrive(here.value + optimality.penalty(here.problem, here.at));
        self.gradient_norm = optimality.gradient_norm(here.problem, here.at, here.gradient);
        let moved = difference(beyond, here.at);
        let cheap = 0.5 * dot(&moved, &moved) / length;
        let scale = relative_scale(self.value, self.start_value, self.nats);
        self.decrement = cheap;
        if cheap <= tolerance * scale && cheap <= self.estimate_below {
            self.decrement = optimality.decrement(here.problem, here.at, here.gradient).unwrap_or(cheap);
            self.estimate_below = 0.25 * cheap;
            if self.decrement <= tolerance * scale {
                self.status = Some(Status::Converged);
            }
        }
        // Rounding may keep the estimate above the tolerance for ever: what has not fallen for long, and is less than
        // values resolve, has settled.
        self.best = if self.decrement < self.best.0 {
            (self.decrement, 0)
        } else {
            (self.best.0, self.best.1 + 1)
        };
        if self.best.1 >= SETTLED_AFTER && self.best.0 <= resolution * scale {
            self.status = Some(Status::Converged);
        }
    }

    /// Stops a column whose steps lead nowhere, however short.
    pub(crate) fn give_up(&mut self, resolution: f64, value: f64) {
        let scale = relative_scale(self.value, self.start_value, self.nats);
        self.status = Some(if !value.is_finite() {
            Status::NonFinite
        } else if self.decrement <= resolution * scale {
            Status::Converged
        } else {
            Status::Stalled
        });
    }

    pub(crate) fn progress(&self, rank: usize) -> Progress {
        Progress {
            status: self.status,
            steps: self.steps,
            evaluations: self.evaluations,
            value: self.value,
            gradient_norm: self.gradient_norm,
            decrement: self.decrement,
            rank,
            curvature_share: self.curvature_share,
        }
    }
}
