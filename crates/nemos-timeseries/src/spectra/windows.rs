//! Power by frequency, in windows along time: Welch's average, and the spectrogram.

use ndarray::Array2;
use nemos_core::Backend;
use rayon::prelude::*;
use realfft::{RealFftPlanner, RealToComplex};
use std::ops::Range;
use std::sync::Arc;

use super::taper::Taper;
use crate::Error;
use crate::error::{holds, positive};
use crate::signals::{Kind, Scalar, Signal, TsdFrame, matrix, with_host};
use crate::times::Ts;

/// The windows in which the power of a signal is taken: their length, how they overlap, and their taper.
///
/// The mean of each window is taken off first. Power is a density, in squared units of the signal per Hz, on one side: what
/// `scipy.signal.welch` and `scipy.signal.spectrogram` give.
///
/// ```text
/// P(f) = c/(fs·Σₖ wₖ²) · |Σₖ wₖ (xₖ − x̄) e^(−2πi f k/fs)|²       c = 2, and 1 at zero and at half the sampling rate
/// ```
///
/// | option | default | |
/// |---|---|---|
/// | [`overlap`](SpectralWindow::overlap) | 0.5 | share of a window that the next one has in common with it |
/// | [`taper`](SpectralWindow::taper) | Hann | weights within a window |
///
/// # References
/// Welch (1967), *IEEE Transactions on Audio and Electroacoustics* 15(2). doi:10.1109/TAU.1967.1161901
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct SpectralWindow {
    length: f64,
    overlap: f64,
    taper: Taper,
}

/// The power of a signal by frequency.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PowerSpectrum {
    /// In Hz, from 0 to half of the sampling rate.
    pub frequencies: Vec<f64>,
    /// `[n_frequencies, n_columns]`, in squared units of the signal per Hz.
    pub values: Array2<f64>,
    /// Of how many windows it is the mean.
    pub n_windows: usize,
}

impl SpectralWindow {
    /// Windows as long as this, in seconds. Frequencies are apart by one over it.
    pub fn seconds(length: f64) -> Self {
        SpectralWindow {
            length,
            overlap: 0.5,
            taper: Taper::default(),
        }
    }

    /// The share of a window that the next one has in common with it, from 0 to below 1.
    pub fn overlap(mut self, share: f64) -> Self {
        self.overlap = share;
        self
    }

    /// The weights within a window.
    pub fn taper(mut self, taper: Taper) -> Self {
        self.taper = taper;
        self
    }
}

/// Windows of a signal that is sampled evenly.
struct Plan {
    taper: Vec<f64>,
    /// Samples from one window to the next.
    stride: usize,
    sampling_rate: f64,
    transform: Arc<dyn RealToComplex<f64>>,
}

impl Plan {
    fn new<B: Backend, K: Kind>(signal: &Signal<B, K>, window: &SpectralWindow) -> Result<Self, Error> {
        positive("the length of a window", window.length)?;
        let step = signal.sampling_step()?;
        signal.check_complete()?;
        if !(0.0..1.0).contains(&window.overlap) {
            return Err(Error::Overlapping { got: window.overlap });
        }
        if let Taper::Tukey(share) = window.taper
            && !(0.0..=1.0).contains(&share)
        {
            return Err(Error::Range {
                name: "the share of a Tukey window that fades",
                low: share,
                high: 1.0,
            });
        }
        let n = (window.length / step).round();
        let longest = signal.axis().rows_by_epoch().iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        if !(n >= 2.0 && n <= longest as f64) {
            return Err(Error::TooFewSamples {
                name: "this window",
                least: if n >= 2.0 { n as usize } else { 2 },
                got: longest,
            });
        }
        let n = n as usize;
        let shared = (window.overlap * n as f64 + 1e-9).floor() as usize;
        Ok(Plan {
            taper: window.taper.weights(n),
            stride: (n - shared).max(1),
            sampling_rate: 1.0 / step,
            transform: RealFftPlanner::new().plan_fft_forward(n),
        })
    }

    fn n_frequencies(&self) -> usize {
        self.taper.len() / 2 + 1
    }

    fn frequencies(&self) -> Vec<f64> {
        let step = self.sampling_rate / self.taper.len() as f64;
        (0..self.n_frequencies()).map(|k| k as f64 * step).collect()
    }

    /// The rows of every window, epoch by epoch.
    fn windows(&self, axis: &Ts) -> Vec<Range<usize>> {
        let n = self.taper.len();
        let epochs = axis.rows_by_epoch().into_iter();
        let starts = epochs.flat_map(|rows| (rows.start..(rows.end + 1).saturating_sub(n).max(rows.start)).step_by(self.stride));
        starts.map(|start| start..start + n).collect()
    }

    /// The power of one window.
    fn power(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut window: Vec<f64> = values.collect();
        let n = window.len();
        let mean = window.iter().sum::<f64>() / n as f64;
        for (value, weight) in window.iter_mut().zip(&self.taper) {
            *value = (*value - mean) * weight;
        }
        let mut spectrum = self.transform.make_output_vec();
        self.transform
            .process(&mut window, &mut spectrum)
            .expect("invariant: lengths are those of the plan");
        let scale = 1.0 / (self.sampling_rate * self.taper.iter().map(|weight| weight * weight).sum::<f64>());
        let is_alone = |at: usize| at == 0 || n.is_multiple_of(2) && at == n / 2;
        let powers = spectrum.iter().enumerate();
        powers
            .map(|(at, value)| value.norm_sqr() * scale * if is_alone(at) { 1.0 } else { 2.0 })
            .collect()
    }
}

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The power of every column by frequency, the mean over windows that lie within epochs (Welch's method).
    ///
    /// # Errors
    /// [`Error::Irregular`] or [`Error::TooFewSamples`] unless samples are even and fill a window; [`Error::Missing`] at a NaN;
    /// [`Error::NotPositive`], [`Error::Overlapping`] or [`Error::Range`] if the windows cannot be.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{SpectralWindow, Ts, Tsd};
    /// let time = Ts::regular(0.0, 0.001, 4000)?;
    /// let theta = time.times().iter().map(|t| (8.0 * std::f64::consts::TAU * t).sin()).collect::<Vec<_>>();
    /// let power = Tsd::<Cpu>::new(time, theta)?.power_spectrum(&SpectralWindow::seconds(1.0))?;
    /// let peak = (0..power.frequencies.len()).max_by(|&a, &b| power.values[[a, 0]].total_cmp(&power.values[[b, 0]]));
    /// assert_eq!(peak.map(|at| power.frequencies[at].round()), Some(8.0));
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias("compute_mean_power_spectral_density", "welch", "periodogram"))]
    pub fn power_spectrum(&self, window: &SpectralWindow) -> Result<PowerSpectrum, Error> {
        let plan = Plan::new(self, window)?;
        let windows = plan.windows(self.axis());
        let width = self.n_columns();
        let mut values = Array2::zeros([plan.n_frequencies(), width]);
        with_host(self.values(), |host| {
            // Windows are taken together in threads and added in their order, so that sums do not depend on them.
            for windows in windows.chunks(WINDOWS_AT_ONCE) {
                let powers = windows.par_iter().map(|rows| {
                    let column = |column: usize| plan.power(rows.clone().map(|row| host[row * width + column]));
                    (0..width).map(column).collect::<Vec<_>>()
                });
                for columns in powers.collect::<Vec<_>>() {
                    for (column, power) in columns.into_iter().enumerate() {
                        for (at, power) in power.into_iter().enumerate() {
                            values[[at, column]] += power;
                        }
                    }
                }
            }
        });
        values /= windows.len() as f64;
        Ok(PowerSpectrum {
            frequencies: plan.frequencies(),
            values,
            n_windows: windows.len(),
        })
    }
}

/// Windows whose powers are held at a time.
const WINDOWS_AT_ONCE: usize = 256;

impl<B: Backend> Signal<B, Scalar> {
    /// The power by frequency of every window, at its middle: one column for each frequency, with its metadata `frequency`.
    /// Windows lie within epochs.
    ///
    /// # Shapes
    /// `[n_windows, n_frequencies]`
    ///
    /// # Errors
    /// As [`power_spectrum`](Signal::power_spectrum), and [`Error::TooMany`].
    pub fn spectrogram(&self, window: &SpectralWindow) -> Result<TsdFrame<B>, Error> {
        let plan = Plan::new(self, window)?;
        let windows = plan.windows(self.axis());
        let frequencies = plan.frequencies();
        holds("powers, windows times frequencies,", &[windows.len(), frequencies.len()])?;
        let mut values = nemos_core::zeros(windows.len() * frequencies.len());
        with_host(self.values(), |host| {
            let rows = values.par_chunks_mut(frequencies.len()).zip(&windows);
            rows.for_each(|(out, rows)| out.copy_from_slice(&plan.power(host[rows.clone()].iter().copied())));
        });
        let times = self.sample_times();
        let half = plan.taper.len() as f64 / plan.sampling_rate / 2.0;
        let middles = windows.iter().map(|rows| (times[rows.start] + half).min(times[rows.end - 1]));
        let axis = Ts::trusted(middles.collect(), self.support().clone());
        let dims = [windows.len(), frequencies.len()];
        let names = frequencies.iter().map(f64::to_string);
        let frame = TsdFrame::new(axis, matrix(values, dims))?.with_names(names)?;
        frame.with_metadata("frequency", frequencies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IntervalSet, Tsd};
    use nemos_core::Cpu;

    fn signal(n: usize) -> Tsd<Cpu> {
        let time = Ts::regular(0.0, 0.01, n).unwrap();
        let values = (0..n).map(|k| f64::from((k * k % 17) as u32) - 8.0).collect::<Vec<_>>();
        Tsd::new(time, values).unwrap()
    }

    #[test]
    fn power_adds_up_to_the_variance() {
        // Parseval: one window, without a taper, holds all of the variance.
        for n in [100, 101] {
            let signal = signal(n);
            let window = SpectralWindow::seconds(n as f64 * 0.01).taper(Taper::Boxcar);
            let power = signal.power_spectrum(&window).unwrap();
            let values = signal.to_vec();
            let mean = values.iter().sum::<f64>() / n as f64;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n as f64;
            let total = power.values.sum() * power.frequencies[1];
            assert!((total / variance - 1.0).abs() < 1e-12 && power.n_windows == 1, "{n}");
        }
    }

    #[test]
    fn windows_stay_in_their_epochs() {
        let epochs = IntervalSet::new([(0.0, 0.995), (2.0, 2.495), (3.0, 3.1)]).unwrap();
        let signal = signal(400).restrict(&epochs);
        let spectrogram = signal.spectrogram(&SpectralWindow::seconds(0.5)).unwrap();
        let times: Vec<f64> = spectrogram
            .sample_times()
            .iter()
            .map(|time| (time * 100.0).round() / 100.0)
            .collect();
        assert_eq!(times, [0.25, 0.5, 0.75, 2.25]);
        let mean = spectrogram.values().to_array().mean_axis(ndarray::Axis(0)).unwrap();
        let power = signal.power_spectrum(&SpectralWindow::seconds(0.5)).unwrap();
        assert!(mean.iter().zip(power.values.column(0)).all(|(a, b)| (a - b).abs() <= 1e-12 * b));
        assert_eq!(power.n_windows, 4);
    }

    #[test]
    fn windows_that_cannot_be_are_refused() {
        let signal = signal(100);
        let of = |window: SpectralWindow| signal.power_spectrum(&window).unwrap_err();
        assert!(matches!(of(SpectralWindow::seconds(0.0)), Error::NotPositive { .. }));
        assert!(matches!(
            of(SpectralWindow::seconds(2.0)),
            Error::TooFewSamples { least: 200, got: 100, .. }
        ));
        assert!(matches!(of(SpectralWindow::seconds(1e-9)), Error::TooFewSamples { .. }));
        assert!(matches!(of(SpectralWindow::seconds(0.5).overlap(1.0)), Error::Overlapping { .. }));
        assert!(matches!(
            of(SpectralWindow::seconds(0.5).taper(Taper::Tukey(2.0))),
            Error::Range { .. }
        ));
    }
}
