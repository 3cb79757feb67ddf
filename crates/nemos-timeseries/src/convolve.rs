//! Convolution with a kernel, and smoothing.

use nemos_core::{Backend, row_blocks};
use rayon::prelude::*;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

use crate::columns::map_columns;
use crate::error::positive;
use crate::{Error, Signal};

/// Which samples a kernel is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// As many samples before as after: the middle of the kernel is for the present one.
    #[default]
    Centered,
    /// The first value of the kernel is for the present sample, the others for those before.
    Past,
    /// The last value of the kernel is for the present sample, the others for those after.
    Future,
}

/// `out[t] = Σₖ kernel[k]·signal[t + shift − k]` within epochs, with zeros beyond their ends.
pub(crate) fn convolve<B: Backend, S: Signal<B>>(signal: &S, kernel: &[f64], reach: Reach) -> Result<S, Error> {
    if kernel.is_empty() {
        return Err(Error::Empty {
            name: "the kernel",
            hint: "give at least one value",
        });
    }
    let shift = match reach {
        Reach::Centered => (kernel.len() - 1) / 2,
        Reach::Past => 0,
        Reach::Future => kernel.len() - 1,
    };
    let reversed: Vec<f64> = kernel.iter().rev().copied().collect();
    map_columns(signal, |_, values| {
        let mut padded = vec![0.0; kernel.len() - 1 - shift];
        padded.extend_from_slice(values);
        padded.resize(values.len() + kernel.len() - 1, 0.0);
        Ok(if kernel.len() < FOURIER_FROM || values.len() < FOURIER_FROM {
            let dot = |window: &[f64]| window.iter().zip(&reversed).map(|(value, weight)| value * weight).sum();
            padded.windows(kernel.len()).map(dot).collect()
        } else {
            fourier(&padded, kernel, values.len())
        })
    })
}

/// From this length of the kernel on, Fourier transforms are quicker than sums.
const FOURIER_FROM: usize = 64;

/// Overlap and save: each block of the padded signal is as long as a transform, and gives the values that need nothing
/// from outside of it.
fn fourier(padded: &[f64], kernel: &[f64], n_values: usize) -> Vec<f64> {
    let reach = kernel.len() - 1;
    let size = (4 * kernel.len()).next_power_of_two().max(1 << 12);
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let transform = |values: &[f64]| {
        let mut input = values.to_vec();
        input.resize(size, 0.0);
        let mut spectrum = forward.make_output_vec();
        forward
            .process(&mut input, &mut spectrum)
            .expect("invariant: lengths are those of the plan");
        spectrum
    };
    // A NaN would spread over its block: it is a zero in the transforms, and marks what it reaches afterwards.
    let broken: Vec<usize> = (0..padded.len()).filter(|&at| !padded[at].is_finite()).collect();
    let clean: Vec<f64> = padded.iter().map(|value| if value.is_finite() { *value } else { 0.0 }).collect();
    let weights: Vec<Complex<f64>> = transform(kernel).iter().map(|value| value / size as f64).collect();
    let blocks: Vec<_> = row_blocks(n_values, size - reach).collect();
    let blocks = blocks.into_par_iter().map(|rows| {
        let mut spectrum = transform(&clean[rows.start..(rows.end + reach).min(clean.len())]);
        for (value, weight) in spectrum.iter_mut().zip(&weights) {
            *value *= weight;
        }
        // Real at both ends but for rounding, which the inverse would refuse.
        spectrum[0].im = 0.0;
        spectrum[size / 2].im = 0.0;
        let mut out = inverse.make_output_vec();
        inverse
            .process(&mut spectrum, &mut out)
            .expect("invariant: lengths are those of the plan");
        out[reach..reach + rows.len()].to_vec()
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

    fn signal(values: Vec<f64>) -> Tsd<Cpu> {
        Tsd::new(Ts::regular(0.0, 1.0, values.len()).unwrap(), values).unwrap()
    }

    #[test]
    fn kernels_reach_where_they_say() {
        let pulse = signal(vec![0.0, 0.0, 1.0, 0.0, 0.0]);
        let made = |reach| pulse.convolve(&[1.0, 2.0, 3.0], reach).unwrap().to_vec();
        assert_eq!(made(Reach::Centered), [0.0, 1.0, 2.0, 3.0, 0.0]);
        assert_eq!(made(Reach::Past), [0.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(made(Reach::Future), [1.0, 2.0, 3.0, 0.0, 0.0]);
        assert!(matches!(pulse.convolve(&[], Reach::Past), Err(Error::Empty { .. })));
    }

    #[test]
    fn epochs_do_not_leak() {
        let epochs = IntervalSet::new([(0.0, 1.5), (1.6, 4.0)]).unwrap();
        let two = signal(vec![1.0, 1.0, 5.0, 0.0, 0.0]).restrict(&epochs);
        assert_eq!(two.convolve(&[1.0, 1.0], Reach::Past).unwrap().to_vec(), [1.0, 2.0, 5.0, 5.0, 0.0]);
    }

    #[test]
    fn transforms_give_what_sums_give() {
        let wave = |at: usize| (at as f64 * 0.37).sin() + (at % 17) as f64;
        for (n_samples, window) in [(70, 64), (70, 200), (6000, 65), (9001, 1500)] {
            let values: Vec<f64> = (0..n_samples).map(wave).collect();
            let kernel: Vec<f64> = (0..window).map(|at| ((at * at) as f64 * 0.01).cos()).collect();
            let mut broken = values.clone();
            broken[n_samples / 2] = f64::NAN;
            for (reach, shift) in [(Reach::Centered, (window - 1) / 2), (Reach::Past, 0), (Reach::Future, window - 1)] {
                let quick = signal(values.clone()).convolve(&kernel, reach).unwrap().to_vec();
                let with_gap = signal(broken.clone()).convolve(&kernel, reach).unwrap().to_vec();
                for at in (0..n_samples).step_by(37) {
                    let (mut expected, mut sees_gap) = (0.0, false);
                    for (lag, weight) in kernel.iter().enumerate() {
                        if let Some(from) = (at + shift).checked_sub(lag).filter(|from| *from < n_samples) {
                            expected += weight * values[from];
                            sees_gap |= from == n_samples / 2;
                        }
                    }
                    assert!((quick[at] - expected).abs() < 1e-9, "{at}: {} is not {expected}", quick[at]);
                    assert_eq!(with_gap[at].is_nan(), sees_gap, "{at} of {n_samples} with {window}, {reach:?}");
                }
            }
        }
    }

    #[test]
    fn smoothing_keeps_a_constant_away_from_the_edges() {
        let smooth = signal(vec![2.0; 100]).smooth(3.0).unwrap().to_vec();
        assert!((smooth[50] - 2.0).abs() < 1e-12 && smooth[0] < 1.3);
        assert!(signal(vec![2.0; 3]).smooth(0.0).is_err());
        assert_eq!(signal(vec![2.0]).smooth(1.0).unwrap().to_vec(), [2.0]);
    }
}
