//! Morlet wavelets: the amplitude and the phase of an oscillation at every sample.

use nemos_core::Backend;
use nemos_core::convolution::{Causality, Kernel};

use crate::Error;
use crate::convolve::convolved;
use crate::error::{holds, positive};
use crate::signals::{Scalar, Signal, TsdFrame, matrix};

/// Complex Morlet wavelets, one for each frequency.
///
/// ```text
/// ψ(x) = (π·γ)^(−¼) · exp(−x²/γ) · exp(−2πi·ω·x)          x = −8 … 8, stretched over 16·ω cycles of the frequency
/// ```
///
/// | option | default | |
/// |---|---|---|
/// | [`gaussian_width`](Morlet::gaussian_width) | 1.5 | γ: wider wavelets tell frequencies better apart, and times worse |
/// | [`window_length`](Morlet::window_length) | 1 | ω: cycles in a unit of x |
///
/// Convolutions are divided by the sampling rate over the frequency, so that amplitudes of different frequencies can be
/// compared: what pynapple's `compute_wavelet_transform` gives by default.
///
/// # References
/// Torrence & Compo (1998), *Bulletin of the American Meteorological Society* 79(1). doi:10.1175/1520-0477(1998)079<0061:APGTWA>2.0.CO;2
#[doc(alias = "generate_morlet_filterbank")]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Morlet {
    frequencies: Vec<f64>,
    gaussian_width: f64,
    window_length: f64,
}

/// What wavelets say of a signal, one column for each frequency, with its metadata `frequency`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Wavelets<B: Backend> {
    /// The part in phase with a cosine, `[n_samples, n_frequencies]`.
    pub real: TsdFrame<B>,
    /// The part a quarter of a cycle off.
    pub imaginary: TsdFrame<B>,
}

impl<B: Backend> Wavelets<B> {
    /// The amplitude of each frequency at every sample.
    #[must_use]
    pub fn amplitude(&self) -> TsdFrame<B> {
        self.combined(f64::hypot)
    }

    /// The phase of each frequency at every sample, in (−π, π].
    #[must_use]
    pub fn phase(&self) -> TsdFrame<B> {
        self.combined(|real, imaginary| imaginary.atan2(real))
    }

    fn combined(&self, with: impl Fn(f64, f64) -> f64) -> TsdFrame<B> {
        let (real, imaginary) = (self.real.values().to_vec(), self.imaginary.values().to_vec());
        let values: Vec<f64> = real
            .into_iter()
            .zip(imaginary)
            .map(|(real, imaginary)| with(real, imaginary))
            .collect();
        self.real
            .with_values(self.real.axis().clone(), matrix(values, self.real.values().dims()))
    }
}

/// Points at which the one wavelet is known that all others are taken from.
const POINTS: usize = 1 << 16;

/// Where it is as good as zero.
const CUTOFF: f64 = 8.0;

impl Morlet {
    /// Wavelets of these frequencies, in Hz.
    pub fn new(frequencies: impl Into<Vec<f64>>) -> Self {
        Morlet {
            frequencies: frequencies.into(),
            gaussian_width: 1.5,
            window_length: 1.0,
        }
    }

    /// γ, the width of the Gaussian.
    pub fn gaussian_width(mut self, width: f64) -> Self {
        self.gaussian_width = width;
        self
    }

    /// ω, how many cycles a unit of the Gaussian's argument holds.
    pub fn window_length(mut self, cycles: f64) -> Self {
        self.window_length = cycles;
        self
    }

    /// The real and the imaginary part of each wavelet, all as long as the longest.
    fn kernels(&self, sampling_rate: f64) -> Vec<[Vec<f64>; 2]> {
        let step = 2.0 * CUTOFF / (POINTS - 1) as f64;
        let at = |point: usize| {
            let x = if point == POINTS - 1 {
                CUTOFF
            } else {
                point as f64 * step - CUTOFF
            };
            let size = (std::f64::consts::PI * self.gaussian_width).powf(-0.25) * (-(x * x) / self.gaussian_width).exp();
            let turn = std::f64::consts::TAU * self.window_length * x;
            [size * turn.cos(), -size * turn.sin()]
        };
        // As pynapple computes it: the difference of two neighbours, which have lost some digits.
        let between = (step - CUTOFF) + CUTOFF;
        let wavelet = |&frequency: &f64| {
            let scale = self.window_length / (frequency / sampling_rate);
            let n = (scale * 2.0 * CUTOFF + 1.0).ceil() as usize;
            let points = (0..n).map(|k| (k as f64 / (scale * between)).ceil() as usize);
            let mut values: Vec<[f64; 2]> = points.filter(|&point| point < POINTS).map(at).collect();
            values.reverse();
            values
        };
        let all: Vec<Vec<[f64; 2]>> = self.frequencies.iter().map(wavelet).collect();
        let longest = all.iter().map(Vec::len).max().unwrap_or(0);
        let padded = |values: &Vec<[f64; 2]>, part: usize| {
            let before = (longest - values.len()) / 2;
            let mut padded = vec![0.0; longest];
            for (to, value) in padded[before..].iter_mut().zip(values) {
                *to = value[part];
            }
            padded
        };
        all.iter().map(|values| [padded(values, 0), padded(values, 1)]).collect()
    }
}

impl<B: Backend> Signal<B, Scalar> {
    /// The signal in terms of Morlet wavelets at every sample, within epochs; beyond their ends there are zeros.
    ///
    /// # Shapes
    /// `[n_samples, n_frequencies]`
    ///
    /// # Errors
    /// [`Error::Irregular`] or [`Error::TooFewSamples`] unless samples are even; [`Error::Missing`] at a NaN;
    /// [`Error::Frequency`] unless frequencies are positive and below half of the sampling rate; [`Error::Empty`] if there are
    /// none; [`Error::NotPositive`]; [`Error::TooMany`].
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{Morlet, Ts, Tsd};
    /// let time = Ts::regular(0.0, 0.001, 4000)?;
    /// let theta = time.times().iter().map(|t| (8.0 * std::f64::consts::TAU * t).sin()).collect::<Vec<_>>();
    /// let wavelets = Tsd::<Cpu>::new(time, theta)?.wavelets(&Morlet::new([4.0, 8.0, 16.0]))?;
    /// let amplitudes = wavelets.amplitude().at(2.0).unwrap_or_default();
    /// assert!(amplitudes[1] > 10.0 * amplitudes[0] && amplitudes[1] > 10.0 * amplitudes[2]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias = "compute_wavelet_transform")]
    pub fn wavelets(&self, morlet: &Morlet) -> Result<Wavelets<B>, Error> {
        positive("the width of the Gaussian", morlet.gaussian_width)?;
        positive("the length of a wavelet's window", morlet.window_length)?;
        let sampling_rate = 1.0 / self.sampling_step()?;
        let limit = sampling_rate / 2.0;
        if let Some(&frequency) = morlet.frequencies.iter().find(|f| !(**f > 0.0 && **f <= limit)) {
            return Err(Error::Frequency { frequency, limit });
        }
        let lowest = morlet.frequencies.iter().copied().fold(f64::INFINITY, f64::min);
        if lowest.is_infinite() {
            return Err(Error::Empty {
                name: "the list of frequencies",
                hint: "give one or more, in Hz",
            });
        }
        self.check_complete()?;
        let n = morlet.frequencies.len();
        // A wavelet is as long as sixteen cycles of the lowest frequency.
        let longest = (2.0 * CUTOFF * morlet.window_length * sampling_rate / lowest).min(POINTS as f64) as usize;
        holds("values, samples times frequencies,", &[self.len().max(longest), n])?;
        let (mut real, mut imaginary) = (nemos_core::zeros(self.len() * n), nemos_core::zeros(self.len() * n));
        for (at, (kernels, frequency)) in morlet.kernels(sampling_rate).into_iter().zip(&morlet.frequencies).enumerate() {
            let cycle = sampling_rate / frequency;
            for (kernel, out) in kernels.into_iter().zip([&mut real, &mut imaginary]) {
                let kernel = Kernel::new(kernel, 1);
                let part = self.map_columns(|_, values| Ok(convolved(values, &kernel, Causality::Acausal)))?;
                for (to, value) in out.iter_mut().skip(at).step_by(n).zip(part.to_vec()) {
                    *to = value / cycle;
                }
            }
        }
        let frame = |values: Vec<f64>| {
            let names = morlet.frequencies.iter().map(f64::to_string);
            let frame = TsdFrame::new(self.axis().clone(), matrix(values, [self.len(), n]))?.with_names(names)?;
            frame.with_metadata("frequency", morlet.frequencies.clone())
        };
        Ok(Wavelets {
            real: frame(real)?,
            imaginary: frame(imaginary)?,
        })
    }
}
