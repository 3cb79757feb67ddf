//! Decaying exponentials, made orthonormal over the samples at hand.

use faer::Mat;
use nemos_core::simd;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bounds::Bounds;
use crate::spec::{Evaluate, Spec};

/// Decaying exponentials, made orthonormal over the samples at hand.
///
/// ```text
/// A(t, j) = exp(−rate(j) · u(t)),   functions = left singular vectors of A, by falling singular value
/// ```
/// `u` is the sample scaled from its bounds to 0..1. The functions depend on *all* samples given; each is positive at the
/// smallest one. Where the exponentials are not independent in floating point there are fewer functions than rates: the
/// columns that do not exist are NaN.
///
/// # Shapes
/// `[n_samples, n_columns]` give `[n_samples, n_columns · n_rates]`. Rows of NaN stay NaN and are left out of the rest.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `bounds` | smallest and largest sample of each column | what is mapped to 0..1 |
/// | `fill_value` | NaN | a row with a sample outside given bounds |
///
/// # Errors
/// [`Error::TooFewFunctions`] without rates, [`Error::RepeatedRate`] for two that are equal, [`Error::DecayRate`] for one that is not
/// finite; [`Error::TooFewSamples`] or [`Error::WindowTooShort`] with fewer samples than rates.
///
/// # Example
/// ```
/// use nemos_basis::{Family, OrthogonalizedExponential};
/// let grid = OrthogonalizedExponential::new([1.0, 2.0, 3.0]).on_grid([8])?;
/// let overlap = grid.values.t().dot(&grid.values);
/// assert!((overlap[(0, 0)] - 1.0).abs() < 1e-12 && overlap[(0, 1)].abs() < 1e-12);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[doc(alias("OrthExponentialEval", "OrthExponentialConv"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct OrthogonalizedExponential {
    rates: Vec<f64>,
    bounds: Bounds,
}

impl OrthogonalizedExponential {
    /// One function for each of these rates of decay, per length of the bounds.
    pub fn new(rates: impl Into<Vec<f64>>) -> Self {
        OrthogonalizedExponential {
            rates: rates.into(),
            bounds: Bounds::default(),
        }
    }

    /// Sets the samples that the functions span.
    pub fn bounds(mut self, low: f64, high: f64) -> Self {
        self.bounds.set(vec![(low, high)]);
        self
    }

    /// Sets what rows outside the bounds hold.
    pub fn fill_value(mut self, value: f64) -> Self {
        self.bounds.set_fill(value);
        self
    }

    /// The functions at these samples of 0..1: `[samples.len(), n_rates]`, row after row.
    fn orthogonalized(&self, samples: &[f64]) -> Result<Vec<f64>, Error> {
        let n = self.rates.len();
        if samples.len() < n {
            return Err(Error::TooFewSamples {
                got: samples.len(),
                least: n,
            });
        }
        let mut values = vec![f64::NAN; samples.len() * n];
        let present: Vec<usize> = (0..samples.len()).filter(|&row| samples[row].is_finite()).collect();
        let Some(&smallest) = present.iter().min_by(|&&a, &&b| samples[a].total_cmp(&samples[b])) else {
            return Ok(values);
        };
        let exponentials = Mat::from_fn(present.len(), n, |row, rate| simd::exp(-self.rates[rate] * samples[present[row]]));
        // Through the triangle of a QR: its singular values are those of the whole, and it is small.
        let qr = exponentials.qr();
        let failed = |_| nemos_core::Error::NoEigenvalues { size: n };
        let svd = qr.thin_R().thin_svd().map_err(failed)?;
        let functions = qr.compute_thin_Q() * svd.U();
        let singular: Vec<f64> = svd.S().column_vector().iter().copied().collect();
        let cut = f64::EPSILON * present.len().max(n) as f64 * singular.first().copied().unwrap_or(0.0);
        let at_smallest = present.binary_search(&smallest).unwrap_or(0);
        for function in (0..singular.len()).filter(|&function| singular[function] > cut) {
            let sign = if functions[(at_smallest, function)] < 0.0 { -1.0 } else { 1.0 };
            for (row, &sample) in present.iter().enumerate() {
                values[sample * n + function] = sign * functions[(row, function)];
            }
        }
        Ok(values)
    }
}

impl Spec for OrthogonalizedExponential {
    fn name(&self) -> &'static str {
        "OrthogonalizedExponential"
    }

    fn validate(&self) -> Result<(), Error> {
        if self.rates.is_empty() {
            return Err(Error::TooFewFunctions {
                family: self.name(),
                got: 0,
                least: 1,
                why: "one for each decay rate",
            });
        }
        for (index, &rate) in self.rates.iter().enumerate() {
            if !rate.is_finite() {
                return Err(Error::DecayRate { index, got: rate });
            }
            if self.rates[..index].contains(&rate) {
                return Err(Error::RepeatedRate { rate });
            }
        }
        self.bounds.validate(self.name())
    }

    fn n_functions(&self) -> usize {
        self.rates.len()
    }

    fn bounds(&self) -> Option<&Bounds> {
        Some(&self.bounds)
    }

    fn bounds_mut(&mut self) -> Option<&mut Bounds> {
        Some(&mut self.bounds)
    }

    fn check_filter(&self, window: usize) -> Result<(), Error> {
        if window < self.rates.len() {
            return Err(Error::WindowTooShort {
                window,
                least: self.rates.len(),
            });
        }
        Ok(())
    }

    fn sees_all_samples(&self) -> bool {
        true
    }

    fn evaluate(&self, _spans: &[f64]) -> Evaluate<'_> {
        Evaluate::AllSamples(Box::new(|unit| self.orthogonalized(unit)))
    }
}
