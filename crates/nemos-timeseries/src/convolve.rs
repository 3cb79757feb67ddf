//! Convolution of signals along time, epoch by epoch.

use nemos_core::Backend;
use rayon::prelude::*;
use realfft::RealFftPlanner;

use crate::columns::map_columns;
use crate::{Error, Signal};

/// Which samples a kernel takes for each sample of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// As many before as after; of an even number, one more before.
    #[default]
    Centered,
    /// The sample itself and those before it.
    Past,
    /// The sample itself and those after it.
    Future,
}

impl Reach {
    /// How far the kernel reaches into the future, in samples.
    fn lead(self, n_lags: usize) -> usize {
        match self {
            Reach::Centered => (n_lags - 1) / 2,
            Reach::Past => 0,
            Reach::Future => n_lags - 1,
        }
    }
}

/// Every column convolved with the kernel, zeros outside of each epoch.
pub(crate) fn convolve<B: Backend, S: Signal<B>>(signal: &S, kernel: &[f64], reach: Reach) -> Result<S, Error> {
    if kernel.is_empty() {
        return Err(Error::Empty {
            name: "the kernel",
            hint: "give one weight per lag",
        });
    }
    let lead = reach.lead(kernel.len());
    map_columns(signal, |_, values| Ok(shifted(values, kernel, lead)))
}

/// `out[n] = Σⱼ kernel[j] · x[n + lead − j]`, zero where there is no sample.
pub(crate) fn shifted(x: &[f64], kernel: &[f64], lead: usize) -> Vec<f64> {
    // A transform spreads one NaN over everything, the sum itself only as far as the kernel reaches.
    if kernel.len() > LONG_KERNEL && x.len() > LONG_KERNEL && x.iter().chain(kernel).all(|value| value.is_finite()) {
        transformed(x, kernel, lead)
    } else {
        summed(x, kernel, lead)
    }
}

/// Kernels with more lags than this are convolved by Fourier transforms.
const LONG_KERNEL: usize = 96;

/// Samples that stay in the nearest cache while every lag is added to them.
const TILE: usize = 2048;

fn summed(x: &[f64], kernel: &[f64], lead: usize) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    for (tile, out) in out.chunks_mut(TILE).enumerate() {
        let first = tile * TILE;
        for (lag, &weight) in kernel.iter().enumerate() {
            // Samples first + lead − lag and on meet this weight; those that do not exist are zeros.
            let skipped = lag.saturating_sub(first + lead).min(out.len());
            let from = (first + skipped + lead - lag.min(first + skipped + lead)).min(x.len());
            for (out, value) in out[skipped..].iter_mut().zip(&x[from..]) {
                *out += weight * value;
            }
        }
    }
    out
}

/// The same by overlapping blocks of a real Fourier transform.
fn transformed(x: &[f64], kernel: &[f64], lead: usize) -> Vec<f64> {
    let n_lags = kernel.len();
    let length = (4 * n_lags).next_power_of_two().min((x.len() + n_lags).next_power_of_two());
    let step = length - (n_lags - 1);
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
    let mut padded = forward.make_input_vec();
    padded[..n_lags].copy_from_slice(kernel);
    let mut response = forward.make_output_vec();
    forward
        .process(&mut padded, &mut response)
        .expect("invariant: buffers come from the plan");
    let scale = 1.0 / length as f64;
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(step).enumerate().for_each(|(block, out)| {
        let (mut time, mut frequency) = (forward.make_input_vec(), forward.make_output_vec());
        // The last `step` values of a circular convolution are free of wrapping; value n_lags − 1 + i is out[start + i].
        let first = (block * step + lead) as isize - (n_lags - 1) as isize;
        for (index, value) in time.iter_mut().enumerate() {
            *value = usize::try_from(first + index as isize)
                .ok()
                .and_then(|row| x.get(row))
                .copied()
                .unwrap_or(0.0);
        }
        forward
            .process(&mut time, &mut frequency)
            .expect("invariant: buffers come from the plan");
        for (value, response) in frequency.iter_mut().zip(&response) {
            *value *= response * scale;
        }
        // Real at both ends, which the inverse insists on, also where the product has overflowed.
        frequency[0].im = 0.0;
        frequency[length / 2].im = 0.0;
        inverse
            .process(&mut frequency, &mut time)
            .expect("invariant: buffers come from the plan");
        out.copy_from_slice(&time[n_lags - 1..][..out.len()]);
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IntervalSet, Ts, Tsd, TsdFrame};
    use nemos_core::{Cpu, Matrix};

    /// The definition, term by term.
    fn definition(x: &[f64], kernel: &[f64], lead: usize) -> Vec<f64> {
        let term = |row: usize, lag: usize| {
            (row + lead)
                .checked_sub(lag)
                .and_then(|row| x.get(row))
                .map_or(0.0, |x| x * kernel[lag])
        };
        (0..x.len()).map(|row| (0..kernel.len()).map(|lag| term(row, lag)).sum()).collect()
    }

    #[test]
    fn sums_and_transforms_are_the_definition() {
        for (n, n_lags) in [(0, 3), (1, 1), (1, 4), (7, 3), (3, 9), (5000, 7), (3000, 130), (100, 101)] {
            let x: Vec<f64> = (0..n).map(|row| f64::from(row * row % 17) - 8.0).collect();
            let kernel: Vec<f64> = (0..n_lags).map(|lag| f64::from(lag * 7 % 11) - 4.0).collect();
            for reach in [Reach::Centered, Reach::Past, Reach::Future] {
                let lead = reach.lead(kernel.len());
                let expected = definition(&x, &kernel, lead);
                for got in [summed(&x, &kernel, lead), transformed(&x, &kernel, lead)] {
                    assert!(
                        got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-8),
                        "{n} {n_lags} {reach:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_kernel_stays_in_its_epoch() {
        // Numbers from pynapple 0.11.4: Tsd.convolve over the epochs [0, 3] and [4, 21].
        let epochs = IntervalSet::new([(0.0, 3.0), (4.0, 21.0)]).unwrap();
        let axis = Ts::within([0.0, 1.0, 2.0, 5.0, 6.0, 7.5, 20.0], &epochs).unwrap();
        let signal = Tsd::<Cpu>::new(axis, vec![0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 3.0]).unwrap();
        let kernel = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(
            signal.convolve(&kernel, Reach::Centered).unwrap().to_vec(),
            [1.0, 6.0, 11.0, 34.0, 84.0, 137.0, 145.0]
        );
        assert!(matches!(signal.convolve(&[], Reach::Centered), Err(Error::Empty { .. })));
    }

    #[test]
    fn columns_are_convolved_apart() {
        let values = Matrix::<Cpu>::from_vec(vec![1.0, 10.0, 0.0, 0.0, 2.0, f64::NAN], [3, 2]).unwrap();
        let frame = TsdFrame::new(Ts::regular(0.0, 1.0, 3).unwrap(), values).unwrap();
        let out = frame.convolve(&[1.0, 1.0], Reach::Past).unwrap();
        assert_eq!(out.column("0").unwrap().to_vec(), [1.0, 1.0, 2.0]);
        assert_eq!(out.column("1").unwrap().to_vec()[..2], [10.0, 10.0]);
    }
}
