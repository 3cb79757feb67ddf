//! Stochastic gradient steps whose variance a full gradient reduces, by columns.
//!
//! ```text
//! once per epoch:  full = gradient(reference), over all rows
//! many times:      g = gradient(w, rows) − gradient(reference, rows) + full      rows drawn with replacement
//!                  w ← prox(w − length g, length)
//! ```

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::Error;
use crate::gradients::monitor::{Monitor, Point};
use crate::gradients::optimality::Optimality;
use crate::gradients::step_length::StepLength;
use crate::linear::vector::add;
use crate::problem::objective::{Objective, Order, Request, Smoothness};
use crate::problem::parameters::Parameters;
use crate::run::method::Method;
use crate::run::progress::Progress;
use crate::run::stopping::Stopping;

/// The options of a variance-reduced method.
#[derive(Copy, Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Settings {
    pub(crate) step_length: StepLength,
    pub(crate) batch_size: Option<usize>,
    pub(crate) seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            step_length: StepLength::Searched,
            batch_size: None,
            seed: 123,
        }
    }
}

/// A variance-reduced method that is running.
#[derive(Clone, Debug)]
pub(crate) struct VarianceReduced {
    name: &'static str,
    tolerance: f64,
    parameters: Parameters,
    optimality: Optimality,
    monitors: Vec<Monitor>,
    /// Point and gradient at the start of the last epoch, by columns.
    last: Vec<Option<(Vec<f64>, Vec<f64>)>>,
    rng: ChaCha8Rng,
    batch_size: usize,
    length: f64,
}

// Where nothing is known of how fast gradients change.
const DEFAULT_LENGTH: f64 = 1e-3;

impl VarianceReduced {
    pub(crate) fn new(
        name: &'static str,
        settings: Settings,
        objective: &dyn Objective,
        start: &Parameters,
        stopping: Stopping,
    ) -> Result<Self, Error> {
        stopping.validate()?;
        settings.step_length.validate()?;
        if settings.batch_size == Some(0) {
            return Err(Error::Option {
                option: "batch size of the solver",
                got: 0.0,
                expected: "at least one row",
            });
        }
        let n_rows = objective.n_rows();
        let bounds = objective.smoothness()?;
        let ridge = objective.expected_curvature().and_then(|expected| expected.ridge.as_ref());
        // A ridge is what makes the objective strongly convex for certain.
        let convexity = ridge.map_or(0.0, |ridge| ridge.iter().copied().fold(f64::INFINITY, f64::min));
        let batch_size = settings
            .batch_size
            .unwrap_or_else(|| bounds.map_or(1, |bounds| batch_size(bounds, n_rows as f64, convexity)));
        let length = match (settings.step_length, bounds) {
            (StepLength::Fixed(length), _) => length,
            (StepLength::Searched, Some(bounds)) => step_length(bounds, n_rows as f64, batch_size as f64),
            (StepLength::Searched, None) => DEFAULT_LENGTH,
        };
        Ok(VarianceReduced {
            name,
            tolerance: stopping.tolerance,
            optimality: Optimality::new(objective, start.n_parameters(), start.n_problems())?,
            monitors: (0..start.n_problems())
                .map(|problem| Monitor::new(objective.nats(problem)))
                .collect(),
            last: vec![None; start.n_problems()],
            rng: ChaCha8Rng::seed_from_u64(settings.seed),
            batch_size,
            length,
            parameters: start.clone(),
        })
    }

    fn active(&self) -> Vec<usize> {
        (0..self.monitors.len())
            .filter(|&problem| self.monitors[problem].status.is_none())
            .collect()
    }

    /// Measures the distance of each column to its minimum.
    fn measure(&mut self, active: &[usize], (at, gradient, values): (&Parameters, &Parameters, &[f64]), limits: (f64, f64)) {
        let points = self.optimality.space.point_of(at, active);
        let gradients = self.optimality.space.gradient(gradient.clone(), active);
        for (index, &problem) in active.iter().enumerate() {
            let monitor = &mut self.monitors[problem];
            monitor.evaluations += 1;
            let here = Point {
                problem,
                at: points.column(index),
                gradient: gradients.column(index),
                value: values[index],
            };
            if monitor.check_finite(here.value, here.gradient) {
                let mut beyond: Vec<f64> = here.at.iter().zip(here.gradient).map(|(x, g)| x - self.length * g).collect();
                self.optimality.shrink(problem, &mut beyond, self.length);
                if let Some((point, gradient)) = &self.last[problem] {
                    monitor.follow(&self.optimality, (point, gradient), here);
                }
                monitor.judge(&self.optimality, here, (&beyond, self.length), limits);
                self.last[problem] = Some((here.at.to_vec(), here.gradient.to_vec()));
            }
        }
    }

    /// The steps of one epoch: as many as there are batches in the data.
    fn epoch(
        &mut self,
        objective: &dyn Objective,
        problems: &[usize],
        reference: &Parameters,
        full: &Parameters,
    ) -> Result<Parameters, Error> {
        let mut at = reference.clone();
        let n_rows = objective.n_rows();
        // An objective that is no mean over rows has nothing to draw from: a plain gradient step.
        if n_rows == 0 {
            self.take(&mut at, problems, full);
            return Ok(at);
        }
        for _ in 0..n_rows.div_ceil(self.batch_size) {
            let rows: Vec<usize> = (0..self.batch_size).map(|_| self.rng.random_range(0..n_rows)).collect();
            // The same draws whatever columns are left, so that none depends on its company.
            if problems.is_empty() {
                continue;
            }
            let request = request(problems, Some(&rows));
            let mut gradient = objective.evaluate(&at, request)?.gradient;
            let before = objective.evaluate(reference, request)?.gradient;
            for ((slope, before), full) in gradient.as_mut_slice().iter_mut().zip(before.as_slice()).zip(full.as_slice()) {
                // Unbiased, and the variance vanishes where both points do meet: at the minimum.
                *slope += full - before;
            }
            self.take(&mut at, problems, &gradient);
        }
        Ok(at)
    }

    fn take(&self, at: &mut Parameters, problems: &[usize], gradient: &Parameters) {
        for (index, &problem) in problems.iter().enumerate() {
            let column = at.column_mut(index);
            add(column, -self.length, gradient.column(index));
            // In the parameters themselves: proximal maps leave intercepts alone, so that centring makes no difference.
            self.optimality.shrink(problem, column, self.length);
        }
    }
}

impl Method for VarianceReduced {
    fn name(&self) -> &'static str {
        self.name
    }

    /// One epoch.
    fn step(&mut self, objective: &dyn Objective) -> Result<(), Error> {
        let active = self.active();
        if active.is_empty() {
            return Ok(());
        }
        let reference = self.parameters.select(&active);
        let evaluation = objective.evaluate(&reference, request(&active, None))?;
        self.measure(
            &active,
            (&reference, &evaluation.gradient, &evaluation.values),
            (self.tolerance, objective.resolution()),
        );
        let moving: Vec<usize> = (0..active.len()).filter(|&i| self.monitors[active[i]].status.is_none()).collect();
        let problems: Vec<usize> = moving.iter().map(|&index| active[index]).collect();
        let (reference, full) = (reference.select(&moving), evaluation.gradient.select(&moving));
        let end = self.epoch(objective, &problems, &reference, &full)?;
        for (index, &problem) in problems.iter().enumerate() {
            let monitor = &mut self.monitors[problem];
            monitor.steps += 1;
            // Steps that were too long led nowhere: the column stays where it last was finite.
            if monitor.check_finite(0.0, end.column(index)) {
                self.parameters.column_mut(problem).copy_from_slice(end.column(index));
            }
        }
        Ok(())
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn progress(&self) -> Vec<Progress> {
        let progress = |(problem, monitor): (usize, &Monitor)| monitor.progress(self.optimality.space.rank(problem));
        self.monitors.iter().enumerate().map(progress).collect()
    }

    fn reopen(&mut self) -> Result<(), Error> {
        self.monitors.iter_mut().for_each(Monitor::reopen);
        self.last.iter_mut().for_each(|last| *last = None);
        Ok(())
    }
}

fn request<'a>(columns: &'a [usize], rows: Option<&'a [usize]>) -> Request<'a> {
    Request {
        columns,
        rows,
        order: Order::Gradient,
    }
}

/// The longest step that is safe for batches of this size (Sebbouh et al. 2019, corollary 4.2).
fn step_length(bounds: Smoothness, n_rows: f64, batch_size: f64) -> f64 {
    let spread = 3.0 * (n_rows - batch_size) * bounds.worst_row + n_rows * (batch_size - 1.0) * bounds.mean;
    let length = 0.5 * batch_size * (n_rows - 1.0) / spread;
    if length.is_finite() && length > 0.0 {
        length
    } else {
        DEFAULT_LENGTH
    }
}

/// The batch size that needs the fewest rows in total (Sebbouh et al. 2019, table 1); one without strong convexity.
fn batch_size(bounds: Smoothness, n_rows: f64, convexity: f64) -> usize {
    let (worst, mean) = (bounds.worst_row, bounds.mean);
    let smooth_enough = worst < n_rows * mean / 3.0;
    let hat = (0.5 * n_rows * (3.0 * worst - mean) / (n_rows * mean - 3.0 * worst)).sqrt();
    let tilde = (3.0 * worst - mean) * n_rows / (n_rows * (n_rows - 1.0) * convexity - n_rows * mean + 3.0 * worst);
    let best = if convexity <= 0.0 || n_rows >= 3.0 * worst / convexity {
        1.0
    } else if n_rows > mean / convexity {
        if smooth_enough { hat.min(tilde) } else { tilde }
    } else if smooth_enough {
        hat
    } else {
        n_rows
    };
    if best.is_finite() {
        best.floor().clamp(1.0, n_rows.max(1.0)) as usize
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Smoothness = Smoothness {
        worst_row: 10.0,
        mean: 2.0,
    };

    #[test]
    fn a_single_row_takes_the_step_of_the_worst_row() {
        // b = 1: 0.5 (n − 1) / (3 (n − 1) L_max)
        assert!((step_length(BOUNDS, 300.0, 1.0) - 0.5 / 30.0).abs() < 1e-15);
        // b = n: 0.5 n (n − 1) / (n (n − 1) L)
        assert!((step_length(BOUNDS, 300.0, 300.0) - 0.25).abs() < 1e-15);
        assert_eq!(step_length(BOUNDS, 1.0, 1.0), DEFAULT_LENGTH);
    }

    #[test]
    fn batches_grow_where_a_ridge_is_weak() {
        assert_eq!(batch_size(BOUNDS, 300.0, 0.0), 1);
        assert_eq!(batch_size(BOUNDS, 300.0, 0.1), 1);
        // n < 3 L_max / μ and n > L / μ: the smaller of √(150 · 28 / 570) = 2.7 and 28 · 300 / (300 · 299 μ − 570)
        assert_eq!(batch_size(BOUNDS, 300.0, 0.05), 2);
        // n < L / μ
        assert_eq!(batch_size(BOUNDS, 300.0, 0.005), 2);
    }
}
