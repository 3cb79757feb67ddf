//! Convolution with a kernel, and smoothing.

use nemos_core::{Backend, row_blocks};
use rayon::prelude::*;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

use crate::columns::map_columns;
use crate::{Error, Signal};

/// Which samples a kernel is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// As many before as after; of an even number, one more before.
    #[default]
    Centered,
    /// The sample itself and those before it.
    Causal,
    /// The sample itself and those after it.
    AntiCausal,
}

impl Reach {
    /// How far the kernel reaches into the future, in samples.
    fn lead(self, n_lags: usize) -> usize {
        match self {
            Reach::Centered => (n_lags - 1) / 2,
            Reach::Causal => 0,
            Reach::AntiCausal => n_lags - 1,
        }
    }
}

/// Every column convolved with the kernel, zeros outside of each epoch.
pub(crate) fn convolve<B: Backend, S: Signal<B>>(signal: &S, kernel: &[f64], reach: Reach) -> Result<S, Error> {
    if kernel.is_empty() {
        return Err(Error::Empty {
            name: "the kernel",
            hint: "give at least one value",
        });
    }
    let lead = reach.lead(kernel.len());
    map_columns(signal, |_, values| Ok(shifted(values, kernel, lead)))
}

/// From this length of the kernel on, Fourier transforms are quicker than sums.
const FOURIER_FROM: usize = 64;

/// Overlap and save: each block of the padded signal is as long as a transform, and gives the values that need nothing
/// from outside of it.
fn fourier(padded: &[f64], kernel: &[f64], n_values: usize) -> Vec<f64> {
    let reach = kernel.len() - 1;
    let size = (4 * kernel.len()).next_power_of_two().max(1 << 12);
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
        inverse
            .process(&mut frequency, &mut time)
            .expect("invariant: buffers come from the plan");
        out.copy_from_slice(&time[n_lags - 1..][..out.len()]);
    });
    let mut out: Vec<f64> = blocks.collect::<Vec<_>>().concat();
    for at in broken {
        out[at.saturating_sub(reach)..n_values.min(at + 1)].fill(f64::NAN);
    }
    out
}

/// Convolution with a Gaussian whose sum is one.
pub(crate) fn smooth<B: Backend, S: Signal<B>>(signal: &S, std: f64) -> Result<S, Error> {
    positive("the standard deviation of the kernel", std)?;
    let Some(step) = crate::derivative::mean_step(signal.axis()) else {
        return Ok(signal.with_values(signal.axis().clone(), signal.values().clone()));
    };
    // Beyond nine standard deviations a Gaussian is less than the rounding of its peak.
    let std = std / step;
    let half = (9.0 * std).ceil().min(signal.sample_times().len() as f64) as usize;
    let weight = |at: i64| (-0.5 * (at as f64 / std).powi(2)).exp();
    let kernel: Vec<f64> = (-(half as i64)..=half as i64).map(weight).collect();
    // The sum of the whole Gaussian, also where the signal is too short for it.
    let total: f64 = 1.0 + 2.0 * (1..=(9.0 * std).ceil().min(1e7) as i64).map(weight).sum::<f64>();
    let kernel: Vec<f64> = kernel.iter().map(|weight| weight / total).collect();
    convolve(signal, &kernel, Reach::Centered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IntervalSet, Ts, Tsd};
    use nemos_core::Cpu;

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
            for reach in [Reach::Centered, Reach::Causal, Reach::AntiCausal] {
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
        let out = frame.convolve(&[1.0, 1.0], Reach::Causal).unwrap();
        assert_eq!(out.column("0").unwrap().to_vec(), [1.0, 1.0, 2.0]);
        assert_eq!(out.column("1").unwrap().to_vec()[..2], [10.0, 10.0]);
    }
}
