//! Raised cosines, wherever their peaks are: in loops over host memory, and in tensor operations.

use nemos_core::simd::{self, vectorized};
use nemos_core::tensor::{Tensor, TensorData, backend::Backend as BurnBackend};

use crate::Error;
use crate::strided::{Pointwise, Strided};

/// The limits that all raised cosines share.
pub(crate) fn limits(family: &'static str, n_functions: usize, width: f64) -> Result<(), Error> {
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
pub(crate) fn cosines<T: BurnBackend>(samples: Tensor<T, 2>, n_functions: usize, width: f64, last: f64) -> Tensor<T, 2> {
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
pub(crate) trait Warp: Copy + Send + Sync {
    fn warp(self, sample: f64) -> f64;
}

/// Raised cosines in host memory.
pub(crate) struct Cosines<W> {
    pub(crate) n_functions: usize,
    pub(crate) width: f64,
    /// Where the last peak is; the first is at 0.
    pub(crate) last: f64,
    pub(crate) warp: W,
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
        // First what needs no branches, in vectors, then the few bumps of each row.
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
