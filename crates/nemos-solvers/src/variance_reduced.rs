//! Stochastic gradient steps whose variance a full gradient reduces, by columns.
//!
//! ```text
//! once per epoch:  full = gradient(reference), over all rows
//! many times:      g = gradient(w, rows) − gradient(reference, rows) + full      rows drawn with replacement
//!                  w ← prox(w − length g, length)
//! ```

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::first_order::StepLength;
use crate::gauge::Gauge;
use crate::meter::{Meter, Point};
use crate::stopping::Stopping;
use crate::{Error, Objective, Order, Parameters, Progress, Request, Smoothness};

/// The options of a variance-reduced method.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) stopping: Stopping,
    pub(crate) step_length: StepLength,
    pub(crate) batch_size: Option<usize>,
    pub(crate) seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            stopping: Stopping::SLOW,
            step_length: StepLength::Searched,
            batch_size: None,
            seed: 123,
        }
    }
}

/// The state of a variance-reduced method.
#[derive(Clone, Debug)]
pub(crate) struct VarianceReduced {
    gauge: Gauge,
    meters: Vec<Meter>,
    /// Point and gradient at the start of the last epoch, by columns.
    last: Vec<Option<(Vec<f64>, Vec<f64>)>>,
    rng: ChaCha8Rng,
    batch_size: usize,
    length: f64,
}

// Where nothing is known of how fast gradients change.
const DEFAULT_LENGTH: f64 = 1e-3;

impl VarianceReduced {
    pub(crate) fn new(objective: &dyn Objective, start: &Parameters, settings: Settings) -> Result<Self, Error> {
        settings.stopping.validate()?;
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
        let ridge = objective.gram().and_then(|gram| gram.ridge.as_ref());
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
            gauge: Gauge::new(objective, start.n_parameters(), start.n_problems())?,
            meters: vec![Meter::default(); start.n_problems()],
            last: vec![None; start.n_problems()],
            rng: ChaCha8Rng::seed_from_u64(settings.seed),
            batch_size,
            length,
        })
    }

    /// Lets every column go on.
    pub(crate) fn reopen(&mut self) {
        self.meters.iter_mut().for_each(Meter::reopen);
        self.last.iter_mut().for_each(|last| *last = None);
    }

    /// One epoch of every column on its way.
    pub(crate) fn step(&mut self, objective: &dyn Objective, at: &mut Parameters, tolerance: f64) -> Result<(), Error> {
        let active = self.active();
        if active.is_empty() {
            return Ok(());
        }
        let reference = at.select(&active);
        let all = request(&active, None);
        let evaluation = objective.evaluate(&reference, all)?;
        self.measure(
            &active,
            (&reference, &evaluation.gradient, &evaluation.values),
            (tolerance, objective.resolution()),
        );
        let moving: Vec<usize> = (0..active.len()).filter(|&i| self.meters[active[i]].status.is_none()).collect();
        let problems: Vec<usize> = moving.iter().map(|&index| active[index]).collect();
        let (reference, full) = (reference.select(&moving), evaluation.gradient.select(&moving));
        let end = self.epoch(objective, &problems, &reference, &full)?;
        for (index, &problem) in problems.iter().enumerate() {
            let meter = &mut self.meters[problem];
            meter.steps += 1;
            // Steps that were too long led nowhere: the column stays where it last was finite.
            if meter.check_finite(0.0, end.column(index)) {
                at.column_mut(problem).copy_from_slice(end.column(index));
            }
        }
        Ok(())
    }

    fn active(&self) -> Vec<usize> {
        (0..self.meters.len())
            .filter(|&problem| self.meters[problem].status.is_none())
            .collect()
    }

    /// Measures the distance of each column to its minimum.
    fn measure(&mut self, active: &[usize], (at, gradient, values): (&Parameters, &Parameters, &[f64]), limits: (f64, f64)) {
        let points = self.gauge.space.point_of(at);
        let gradients = self.gauge.space.gradient(gradient.clone(), active);
        for (index, &problem) in active.iter().enumerate() {
            let meter = &mut self.meters[problem];
            meter.evaluations += 1;
            let here = Point {
                problem,
                at: points.column(index),
                gradient: gradients.column(index),
                value: values[index],
            };
            if meter.check_finite(here.value, here.gradient) {
                let mut beyond: Vec<f64> = here.at.iter().zip(here.gradient).map(|(x, g)| x - self.length * g).collect();
                self.gauge.shrink(problem, &mut beyond, self.length);
                if let Some((point, gradient)) = &self.last[problem] {
                    meter.follow(&self.gauge, (point, gradient), here);
                }
                meter.judge(&self.gauge, here, (&beyond, self.length), limits);
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
        if n_rows == 0 {
            self.take(&mut at, problems, full);
            return Ok(at);
        }
        for _ in 0..n_rows.div_ceil(self.batch_size) {
            let rows: Vec<usize> = (0..self.batch_size).map(|_| self.rng.random_range(0..n_rows)).collect();
            if problems.is_empty() {
                continue;
            }
            let request = request(problems, Some(&rows));
            let mut gradient = objective.evaluate(&at, request)?.gradient;
            let before = objective.evaluate(reference, request)?.gradient;
            for ((slope, before), full) in gradient.as_mut_slice().iter_mut().zip(before.as_slice()).zip(full.as_slice()) {
                *slope += full - before;
            }
            self.take(&mut at, problems, &gradient);
        }
        Ok(at)
    }

    fn take(&self, at: &mut Parameters, problems: &[usize], gradient: &Parameters) {
        for (index, &problem) in problems.iter().enumerate() {
            let column = at.column_mut(index);
            crate::descent::add(column, -self.length, gradient.column(index));
            self.gauge.shrink(problem, column, self.length);
        }
    }

    /// How far each column is.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        let progress = |(problem, meter): (usize, &Meter)| meter.progress(self.gauge.space.rank(problem));
        self.meters.iter().enumerate().map(progress).collect()
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
