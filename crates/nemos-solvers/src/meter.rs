//! What is known of one column, for solvers whose own steps do not tell how far it is.

use crate::descent::{dot, scale};
use crate::gauge::Gauge;
use crate::{Progress, Status};

/// What is known of one column, and when it stops. Shared by the methods whose steps do not tell how far they are.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    pub(crate) status: Option<Status>,
    pub(crate) steps: usize,
    pub(crate) evaluations: usize,
    value: f64,
    start_value: f64,
    gradient_norm: f64,
    decrement: f64,
    flatness: f64,
    /// Least decrement so far, and steps since.
    best: (f64, usize),
    /// The cheap measure below which the distance is estimated next.
    look_below: f64,
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

impl Default for Meter {
    fn default() -> Self {
        Meter {
            status: None,
            steps: 0,
            evaluations: 0,
            value: f64::NAN,
            start_value: f64::NAN,
            gradient_norm: f64::NAN,
            decrement: f64::NAN,
            flatness: f64::INFINITY,
            best: (f64::INFINITY, 0),
            look_below: f64::INFINITY,
        }
    }
}

impl Meter {
    /// Lets the column go on, perhaps on other data.
    pub(crate) fn reopen(&mut self) {
        *self = Meter {
            steps: self.steps,
            evaluations: self.evaluations,
            ..Meter::default()
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
    pub(crate) fn follow(&mut self, gauge: &Gauge, (point, gradient): (&[f64], &[f64]), here: Point<'_>) {
        const EVERY: usize = 25;
        if self.steps.is_multiple_of(EVERY) {
            let moved: Vec<f64> = here.at.iter().zip(point).map(|(new, old)| new - old).collect();
            let change: Vec<f64> = here.gradient.iter().zip(gradient).map(|(new, old)| new - old).collect();
            self.flatness = gauge.flatness(here.problem, &moved, &change).min(self.flatness * 4.0);
        }
    }

    /// Measures the distance to the minimum, and stops the column where it is small. `beyond` is where a step of this
    /// length would end.
    pub(crate) fn judge(&mut self, gauge: &Gauge, here: Point<'_>, (beyond, length): (&[f64], f64), (tolerance, resolution): (f64, f64)) {
        self.arrive(here.value + gauge.penalty(here.problem, here.at));
        self.gradient_norm = gauge.gradient_norm(here.problem, here.at, here.gradient);
        let moved: Vec<f64> = beyond.iter().zip(here.at).map(|(x, y)| x - y).collect();
        // Below the distance itself, since steps are short: no need to look closer while this is large.
        let cheap = 0.5 * dot(&moved, &moved) / length;
        let scale = scale(self.value, self.start_value);
        self.decrement = cheap;
        if cheap <= tolerance * scale && cheap <= self.look_below {
            self.decrement = gauge.decrement(here.problem, here.at, here.gradient).unwrap_or(cheap);
            self.look_below = 0.25 * cheap;
            if self.decrement <= tolerance * scale {
                self.status = Some(Status::Converged);
            }
        }
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
        let scale = scale(self.value, self.start_value);
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
            flatness: self.flatness,
        }
    }
}
