//! One column of a descent: its point, the step that it tries, and what it decides after each trial.

use ndarray::Array2;

use crate::descent::direction::Direction;
use crate::descent::few_axes::FewAxes;
use crate::descent::line_search::{Along, Verdict, judge};
use crate::descent::own_axes::OwnAxes;
use crate::linear::vector::{difference, dot, norm};
use crate::penalty::column::ColumnPenalty;
use crate::run::outcome::Status;
use crate::run::progress::relative_scale;

/// One column and the nonsmooth part of its penalty.
#[derive(Clone, Debug)]
pub(crate) struct Column<D> {
    method: D,
    penalty: Option<ColumnPenalty>,
    /// The change of variables that the column found for itself; points and gradients here are in it.
    own: Option<Own>,
    point: Vec<f64>,
    pub(crate) value: f64,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    slope: f64,
    length: f64,
    trials: usize,
    start_value: f64,
    /// What takes values to nats.
    nats: f64,
    pub(crate) steps: usize,
    pub(crate) evaluations: usize,
    pub(crate) decrement: f64,
    start_decrement: f64,
    pub(crate) curvature_share: f64,
    pub(crate) status: Option<Status>,
}

/// Axes of a column's own.
#[derive(Clone, Debug)]
enum Own {
    /// From its curvature.
    All(OwnAxes),
    /// From its curvature among a few features.
    Few(FewAxes),
}

impl Own {
    /// A change between the space and own coordinates.
    fn changed(&self, v: &[f64], change: fn(&OwnAxes, &[f64]) -> Vec<f64>) -> Vec<f64> {
        match self {
            Own::All(axes) => change(axes, v),
            Own::Few(axes) => axes.changed(v, change),
        }
    }
}

/// What a pass over the data says of one column at its trial point.
pub(crate) struct Trial<'a> {
    pub(crate) value: f64,
    /// In the space.
    pub(crate) gradient: &'a [f64],
    pub(crate) curvature: Option<&'a Array2<f64>>,
    /// Axes that suit the curvature there.
    pub(crate) axes: Option<&'a FewAxes>,
}

/// When a column stops, and what curvature was expected of it.
#[derive(Copy, Clone)]
pub(crate) struct Limits {
    pub(crate) tolerance: f64,
    pub(crate) resolution: f64,
}

// Trials of a step whose promise no value resolves: gradients of that precision have then said all that they can.
const TRIALS_BELOW_RESOLUTION: usize = 8;
// How fast the share of the expected curvature that was seen may rise again from one step to the next.
const FORGET: f64 = 4.0;

impl<D: Direction> Column<D> {
    pub(crate) fn new(point: Vec<f64>, method: D, penalty: Option<ColumnPenalty>, nats: f64) -> Self {
        Column {
            method,
            penalty,
            own: None,
            direction: vec![0.0; point.len()],
            gradient: vec![0.0; point.len()],
            point,
            slope: f64::NAN,
            length: 1.0,
            trials: 0,
            start_value: f64::NAN,
            nats,
            value: f64::NAN,
            steps: 0,
            evaluations: 0,
            decrement: f64::NAN,
            start_decrement: f64::NAN,
            curvature_share: f64::INFINITY,
            status: None,
        }
    }

    pub(crate) fn method(&self) -> &D {
        &self.method
    }

    /// Whether it keeps axes of its own, as many as there are dimensions.
    pub(crate) fn has_own_axes(&self) -> bool {
        matches!(self.own, Some(Own::All(_)))
    }

    /// The point reached, in the space.
    pub(crate) fn point(&self) -> Vec<f64> {
        self.in_space(&self.point)
    }

    /// The point to try, in the space.
    pub(crate) fn trial(&self) -> Vec<f64> {
        self.in_space(&self.own_trial())
    }

    fn own_trial(&self) -> Vec<f64> {
        self.point.iter().zip(&self.direction).map(|(x, d)| x + self.length * d).collect()
    }

    fn in_space(&self, own: &[f64]) -> Vec<f64> {
        match &self.own {
            Some(axes) => axes.changed(own, OwnAxes::point),
            None => own.to_vec(),
        }
    }

    fn in_own(&self, gradient: &[f64]) -> Vec<f64> {
        match &self.own {
            Some(axes) => axes.changed(gradient, OwnAxes::gradient),
            None => gradient.to_vec(),
        }
    }

    /// The nonsmooth part of the penalty.
    pub(crate) fn penalty_at(&self, point: &[f64]) -> f64 {
        self.penalty.as_ref().map_or(0.0, |penalty| penalty.value(point))
    }

    /// Norm of the gradient in the space, or of the least subgradient.
    pub(crate) fn gradient_norm(&self) -> f64 {
        match (&self.penalty, &self.own) {
            (None, None) => norm(&self.gradient),
            (None, Some(axes)) => norm(&axes.changed(&self.gradient, OwnAxes::gradient_back)),
            (Some(penalty), _) => penalty.least_subgradient(&self.gradient, &self.point),
        }
    }

    /// Slope of the objective along the direction where it has this gradient, the rise of the penalty over the whole
    /// direction included.
    fn slope(&self, gradient: &[f64]) -> f64 {
        match &self.penalty {
            None => dot(gradient, &self.direction),
            Some(penalty) => penalty.slope(gradient, &self.point, &self.direction),
        }
    }

    /// Takes the start in.
    pub(crate) fn arrive(&mut self, trial: &Trial<'_>, limits: Limits) {
        (self.start_value, self.value) = (trial.value, trial.value);
        self.gradient = self.in_own(trial.gradient);
        if !self.value.is_finite() || self.gradient.iter().any(|slope| !slope.is_finite()) {
            self.status = Some(Status::NonFinite);
        } else {
            self.choose_direction(trial.curvature, limits);
            self.start_decrement = self.decrement;
        }
    }

    /// Whether more than `evaluations` lie ahead, if the decrement goes on to fall by the same factor at each of them.
    pub(crate) fn is_far(&self, evaluations: f64, limits: Limits) -> bool {
        let goal = limits.tolerance * self.scale();
        // Decrements of a linearly convergent method fall on a line in their logarithm.
        let (fallen, left) = ((self.start_decrement / self.decrement).ln(), (self.decrement / goal).ln());
        left * self.evaluations as f64 > evaluations * fallen
    }

    /// Takes the trial for the next point, or shortens the step. `expected` is the expected curvature along a step in the
    /// space.
    pub(crate) fn judge(&mut self, trial: &Trial<'_>, limits: Limits, expected: impl Fn(&[f64]) -> f64) {
        self.trials += 1;
        let gradient = self.in_own(trial.gradient);
        let start = Along {
            value: self.value,
            slope: self.slope,
        };
        let end = Along {
            value: trial.value,
            slope: self.slope(&gradient),
        };
        // The fall that is promised is less than two values can differ by: no trial can tell any more.
        let unresolved = self.decrement <= limits.resolution * self.scale();
        match judge(start, end, self.length, self.trials, limits.resolution) {
            Verdict::Accept => {
                let step: Vec<f64> = self.direction.iter().map(|d| self.length * d).collect();
                let change = difference(&gradient, &self.gradient);
                // Curvature along a step is a number of the step alone, in whatever coordinates.
                let share = dot(&step, &change) / expected(&self.in_space(&step));
                self.curvature_share = share.min(self.curvature_share * FORGET);
                self.point = self.own_trial();
                self.method.update(&step, &change);
                (self.value, self.gradient) = (trial.value, gradient);
                self.steps += 1;
                match trial.axes {
                    Some(axes) => self.turn_to(Own::Few(axes.clone()), limits),
                    None => self.choose_direction(trial.curvature, limits),
                }
            }
            Verdict::Retry(_) if unresolved && self.trials >= TRIALS_BELOW_RESOLUTION => self.status = Some(Status::Converged),
            Verdict::Retry(length) => self.length = length,
            // What was learnt may be what leads astray: once more without it, along minus the gradient.
            Verdict::GiveUp if self.method.reset() => self.choose_direction(None, limits),
            Verdict::GiveUp => {
                self.status = Some(match (trial.value.is_finite(), unresolved) {
                    (true, true) => Status::Converged,
                    (true, false) => Status::Stalled,
                    (false, _) => Status::NonFinite,
                })
            }
        }
    }

    /// Goes on from the point reached under another ridge, which is stronger by `added` along each dimension; `act` says what that
    /// changes in the method.
    pub(crate) fn go_on(&mut self, added: &[f64], limits: Limits, act: impl FnOnce(&mut D)) {
        for ((slope, &at), &added) in self.gradient.iter_mut().zip(&self.point).zip(added) {
            self.value += 0.5 * added * at * at;
            *slope += added * at;
        }
        self.start_value = self.value;
        (self.steps, self.evaluations, self.status) = (0, 0, None);
        act(&mut self.method);
        self.choose_direction(None, limits);
        self.start_decrement = self.decrement;
    }

    /// Goes on in coordinates in which this curvature, of the space at the point reached, is one along every axis.
    pub(crate) fn whiten_by(&mut self, curvature: &Array2<f64>, limits: Limits) {
        if let Some(axes) = OwnAxes::new(curvature) {
            self.turn_to(Own::All(axes), limits);
        }
    }

    /// Goes on in other coordinates from the point reached.
    fn turn_to(&mut self, axes: Own, limits: Limits) {
        let (point, gradient) = match &self.own {
            Some(old) => (
                old.changed(&self.point, OwnAxes::point),
                old.changed(&self.gradient, OwnAxes::gradient_back),
            ),
            None => (self.point.clone(), self.gradient.clone()),
        };
        (self.point, self.gradient) = (axes.changed(&point, OwnAxes::own), axes.changed(&gradient, OwnAxes::gradient));
        self.own = Some(axes);
        // Pairs and directions are in the old coordinates.
        self.method.reset();
        self.choose_direction(None, limits);
    }

    /// Chooses the next direction, or stops here.
    fn choose_direction(&mut self, curvature: Option<&Array2<f64>>, limits: Limits) {
        (self.length, self.trials) = (1.0, 0);
        let choose = |column: &mut Self, curvature| {
            column.direction = column.method.direction(&column.point, &column.gradient, curvature);
            column.slope = column.slope(&column.gradient);
        };
        let downhill = |slope: f64| slope < 0.0;
        choose(self, curvature);
        // Not `>= 0`: a slope that is NaN is no descent either.
        if !downhill(self.slope) && self.method.reset() {
            choose(self, None);
        }
        self.decrement = self.method.decrement(&self.gradient, self.slope);
        if self.decrement <= limits.tolerance * self.scale() {
            self.status = Some(Status::Converged);
        } else if !downhill(self.slope) {
            let unresolved = self.decrement <= limits.resolution * self.scale();
            self.status = Some(if unresolved { Status::Converged } else { Status::Stalled });
        }
    }

    fn scale(&self) -> f64 {
        relative_scale(self.value, self.start_value, self.nats)
    }
}
