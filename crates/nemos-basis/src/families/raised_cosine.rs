//! Raised cosines: bumps of one shape, evenly spaced along a line or along a logarithm.

use nemos_core::simd::{self, vectorized};
use nemos_core::tensor::{Tensor, TensorData, backend::Backend as BurnBackend};

use crate::Error;
use crate::bounds::Bounds;
use crate::spec::Spec;
use crate::strided::{Pointwise, Strided};

/// Raised cosines with peaks in equal steps.
///
/// ```text
/// φ(j)(u) = ½ (1 + cos(clip(π (u − p(j)) / (δ · width), −π, π)))        p(j) = j δ,  δ = 1 / (n_functions − 1)
/// ```
/// `u` is the sample scaled from its bounds to 0..1.
///
/// # Shapes
/// `[n_samples, n_columns]` give `[n_samples, n_columns · n_functions]`. NaN gives NaN.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `width` | 2 | half the width of a bump, in steps between peaks: 1.5, 2, 2.5, … |
/// | `bounds` | smallest and largest sample of each column | what is mapped to 0..1 |
/// | `fill_value` | NaN | a row with a sample outside given bounds |
///
/// # Errors
/// [`Error::TooFewFunctions`] below 2; [`Error::Width`] unless twice the width is a whole number above 2.
///
/// # Example
/// ```
/// use nemos_basis::{Family, RaisedCosineLinear};
/// let grid = RaisedCosineLinear::new(5).on_grid([5])?;
/// assert!((grid.values[(1, 0)] - 0.5).abs() < 1e-12 && grid.values[(1, 1)] == 1.0);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
/// # References
/// Pillow et al. (2005), *Journal of Neuroscience* 25(47). doi:10.1523/JNEUROSCI.3305-05.2005
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RaisedCosineLinear {
    n_functions: usize,
    width: f64,
    bounds: Bounds,
}

impl RaisedCosineLinear {
    /// This many functions.
    pub fn new(n_functions: usize) -> Self {
        RaisedCosineLinear {
            n_functions,
            width: 2.0,
            bounds: Bounds::default(),
        }
    }

    /// Sets half the width of a bump, in steps between peaks.
    pub fn width(mut self, width: f64) -> Self {
        self.width = width;
        self
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

    pub(crate) fn tensor<T: BurnBackend>(&self, unit: Tensor<T, 2>) -> Tensor<T, 2> {
        cosines(unit, self.n_functions, self.width, 1.0)
    }
}

impl Spec for RaisedCosineLinear {
    fn name(&self) -> &'static str {
        "RaisedCosineLinear"
    }

    fn validate(&self) -> Result<(), Error> {
        limits(self.name(), self.n_functions, self.width)?;
        self.bounds.validate(self.name())
    }

    fn n_functions(&self) -> usize {
        self.n_functions
    }

    fn bounds(&self) -> Option<&Bounds> {
        Some(&self.bounds)
    }

    fn bounds_mut(&mut self) -> Option<&mut Bounds> {
        Some(&mut self.bounds)
    }

    fn host(&self, _spans: &[f64]) -> Option<Box<dyn Pointwise>> {
        Some(Box::new(Cosines {
            n_functions: self.n_functions,
            width: self.width,
            last: 1.0,
            warp: Linear,
        }))
    }
}

/// Where the last of the logarithmically spaced functions ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decay {
    /// All functions have come down to zero at the end: what a filter that forgets needs.
    #[default]
    ToZero,
    /// The last function peaks at the end.
    Open,
}

/// Raised cosines with peaks in equal steps of a logarithm: fine near the start, coarse later.
///
/// ```text
/// φ(j)(v) as in RaisedCosineLinear, of v = ln(c u + 1) / ln(c + 1),  c = time_scaling
/// p(j) in equal steps from 0 to 1 − width / (n_functions + width − 1), or to 1 with Decay::Open
/// ```
///
/// # Shapes
/// `[n_samples, n_columns]` give `[n_samples, n_columns · n_functions]`. NaN gives NaN, and so does `u ≤ −1/c`.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `width` | 2 | half the width of a bump, in steps between peaks: 1.5, 2, 2.5, … |
/// | `time_scaling` | 50 | how much finer the start is than the end |
/// | `decay` | `ToZero` | where the last function ends |
/// | `bounds` | smallest and largest sample of each column | what is mapped to 0..1 |
/// | `fill_value` | NaN | a row with a sample outside given bounds |
///
/// # Errors
/// [`Error::TooFewFunctions`] below 2; [`Error::Width`] unless twice the width is a whole number above 2;
/// [`Error::TimeScaling`] unless it is positive.
///
/// # Example
/// ```
/// use nemos_basis::{Family, RaisedCosineLog};
/// let grid = RaisedCosineLog::new(4).on_grid([11])?;
/// assert_eq!(grid.values[(0, 0)], 1.0);
/// assert!(grid.values.row(10).iter().all(|value| value.abs() < 1e-12));
/// # Ok::<(), nemos_basis::Error>(())
/// ```
/// # References
/// Pillow et al. (2005), *Journal of Neuroscience* 25(47). doi:10.1523/JNEUROSCI.3305-05.2005
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RaisedCosineLog {
    n_functions: usize,
    width: f64,
    time_scaling: f64,
    decay: Decay,
    bounds: Bounds,
}

impl RaisedCosineLog {
    /// This many functions.
    pub fn new(n_functions: usize) -> Self {
        RaisedCosineLog {
            n_functions,
            width: 2.0,
            time_scaling: 50.0,
            decay: Decay::ToZero,
            bounds: Bounds::default(),
        }
    }

    /// Sets half the width of a bump, in steps between peaks.
    pub fn width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// Sets how much finer the start is than the end.
    pub fn time_scaling(mut self, time_scaling: f64) -> Self {
        self.time_scaling = time_scaling;
        self
    }

    /// Sets where the last function ends.
    pub fn decay(mut self, decay: Decay) -> Self {
        self.decay = decay;
        self
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

    fn last_peak(&self) -> f64 {
        match self.decay {
            Decay::ToZero => 1.0 - self.width / (self.n_functions as f64 + self.width - 1.0),
            Decay::Open => 1.0,
        }
    }

    pub(crate) fn tensor<T: BurnBackend>(&self, unit: Tensor<T, 2>) -> Tensor<T, 2> {
        let warped = (unit * self.time_scaling + 1.0).log() / (self.time_scaling + 1.0).ln();
        let missing = warped.clone().lower_equal_elem(f64::NEG_INFINITY);
        cosines(warped.mask_fill(missing, f64::NAN), self.n_functions, self.width, self.last_peak())
    }
}

impl Spec for RaisedCosineLog {
    fn name(&self) -> &'static str {
        "RaisedCosineLog"
    }

    fn validate(&self) -> Result<(), Error> {
        limits(self.name(), self.n_functions, self.width)?;
        if !(self.time_scaling > 0.0 && self.time_scaling.is_finite()) {
            return Err(Error::TimeScaling { got: self.time_scaling });
        }
        self.bounds.validate(self.name())
    }

    fn n_functions(&self) -> usize {
        self.n_functions
    }

    fn bounds(&self) -> Option<&Bounds> {
        Some(&self.bounds)
    }

    fn bounds_mut(&mut self) -> Option<&mut Bounds> {
        Some(&mut self.bounds)
    }

    fn host(&self, _spans: &[f64]) -> Option<Box<dyn Pointwise>> {
        Some(Box::new(Cosines {
            n_functions: self.n_functions,
            width: self.width,
            last: self.last_peak(),
            warp: Logarithmic {
                scaling: self.time_scaling,
                total: (self.time_scaling + 1.0).ln(),
            },
        }))
    }
}

fn limits(family: &'static str, n_functions: usize, width: f64) -> Result<(), Error> {
    if n_functions < 2 {
        return Err(Error::TooFewFunctions {
            family,
            got: n_functions,
            least: 2,
            why: "the distance between peaks sets their width",
        });
    }
    if width > 1.0 && width.is_finite() && (2.0 * width).fract() == 0.0 {
        Ok(())
    } else {
        Err(Error::Width { got: width })
    }
}

/// `[n, 1]` samples on the line of peaks give `[n, n_functions]`.
fn cosines<T: BurnBackend>(samples: Tensor<T, 2>, n_functions: usize, width: f64, last: f64) -> Tensor<T, 2> {
    let step = last / (n_functions - 1) as f64;
    let peaks: Vec<f64> = (0..n_functions).map(|peak| peak as f64 * step).collect();
    let (device, precision) = (samples.device(), samples.dtype());
    let peaks = TensorData::new(peaks, [1, n_functions]).convert_dtype(precision);
    let distance = (samples.clone() - Tensor::from_data(peaks, (&device, precision))) * (1.0 / (step * width));
    // Clamping may lose a NaN: it comes back by the sum.
    let bumps = (distance.clamp(-1.0, 1.0) * std::f64::consts::PI).cos() * 0.5 + 0.5;
    let missing = samples.is_nan();
    bumps.mask_fill(missing.expand([-1, n_functions as i32]), f64::NAN)
}

/// From a sample to the line on which peaks are evenly spaced.
trait Warp: Copy + Send + Sync {
    fn warp(self, sample: f64) -> f64;
}

#[derive(Clone, Copy)]
struct Linear;

impl Warp for Linear {
    #[inline(always)]
    fn warp(self, sample: f64) -> f64 {
        sample
    }
}

#[derive(Clone, Copy)]
struct Logarithmic {
    scaling: f64,
    total: f64,
}

impl Warp for Logarithmic {
    #[inline(always)]
    fn warp(self, sample: f64) -> f64 {
        let inside = self.scaling * sample + 1.0;
        let inside = if inside > 0.0 { inside } else { f64::NAN };
        simd::ln(inside) / self.total
    }
}

struct Cosines<W> {
    n_functions: usize,
    width: f64,
    last: f64,
    warp: W,
}

/// Samples that go through the vector unit together.
const TILE: usize = 64;

impl<W: Warp> Pointwise for Cosines<W> {
    fn write(&self, samples: &[&[f64]], out: &mut Strided<'_>) {
        let per_step = (self.n_functions - 1) as f64 / self.last;
        let reach = self.width.ceil() as isize;
        let beyond = self.n_functions as f64 + 2.0 * self.width;
        // cos(θ − kα) = cos θ cos kα + sin θ sin kα: one sine and cosine serve every bump that a sample lies in.
        let turns: Vec<(f64, f64)> = (-reach..=reach)
            .map(|k| simd::sin_cos_turns(k as f64 / (2.0 * self.width)))
            .collect();
        for (tile, samples) in samples[0].chunks(TILE).enumerate() {
            let (mut nearest, mut rest, mut sine, mut cosine) = ([0.0; TILE], [0.0; TILE], [0.0; TILE], [0.0; TILE]);
            vectorized(|| {
                for (i, &sample) in samples.iter().enumerate() {
                    let place = self.warp.warp(sample) * per_step;
                    let place = if place < -beyond { -beyond } else { place };
                    let place = if place > beyond { beyond } else { place };
                    nearest[i] = simd::round(place);
                    rest[i] = place - nearest[i];
                    (sine[i], cosine[i]) = simd::sin_cos_turns(rest[i] / (2.0 * self.width));
                }
            });
            vectorized(|| {
                for i in 0..samples.len() {
                    let row = out.row(tile * TILE + i, self.n_functions);
                    if nearest[i].is_nan() {
                        row.fill(f64::NAN);
                        continue;
                    }
                    let first = nearest[i] as isize - reach;
                    for (k, &(sin_k, cos_k)) in turns.iter().enumerate() {
                        let function = first + k as isize;
                        let distance = rest[i] - (k as isize - reach) as f64;
                        if function >= 0 && function < self.n_functions as isize && distance.abs() < self.width {
                            row[function as usize] = 0.5 + 0.5 * (cosine[i] * cos_k + sine[i] * sin_k);
                        }
                    }
                }
            });
        }
    }
}
