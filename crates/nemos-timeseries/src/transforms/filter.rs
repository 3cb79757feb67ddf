//! Keeping some frequencies of a signal.

use nemos_core::Backend;
use nemos_core::convolution::Causality;

use super::band::Band;
use super::butterworth::Sections;
use crate::Error;
use crate::signals::{Kind, Signal};

/// A filter without phase shift, that runs within epochs.
///
/// A Butterworth filter runs forwards and backwards; a windowed sinc is a symmetric kernel, with zeros beyond the ends of
/// an epoch. The sampling rate is that of the signal.
///
/// | option | default | |
/// |---|---|---|
/// | [`order`](Filter::order) | 4 | of the Butterworth filter, before it runs twice |
/// | [`transition`](Filter::transition) | 0.02 | width of the edge of the windowed sinc, of the sampling rate |
///
/// # Example
/// ```
/// use nemos_core::Cpu;
/// use nemos_timeseries::{Band, Filter, Ts, Tsd};
/// let time = Ts::regular(0.0, 0.001, 2000)?;
/// let mixed = time.times().iter().map(|t| (8.0 * 6.283185 * t).sin() + (90.0 * 6.283185 * t).sin()).collect::<Vec<_>>();
/// let theta = Tsd::<Cpu>::new(time, mixed)?.filter(&Filter::butterworth(Band::Pass(6.0, 12.0)))?;
/// assert!(theta.to_vec()[500..1500].iter().all(|value| value.abs() < 1.02));
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Filter {
    band: Band,
    method: Method,
    order: usize,
    transition: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Butterworth,
    WindowedSinc,
}

/// Beyond this order the sections of a Butterworth filter lose all their digits.
const MOST_ORDER: usize = 24;

/// The kernel of a windowed sinc has four over the transition values.
const LEAST_TRANSITION: f64 = 1e-6;

impl Filter {
    /// A Butterworth filter.
    pub fn butterworth(band: Band) -> Self {
        Filter {
            band,
            method: Method::Butterworth,
            order: 4,
            transition: 0.02,
        }
    }

    /// A sinc under a Blackman window.
    pub fn windowed_sinc(band: Band) -> Self {
        Filter {
            method: Method::WindowedSinc,
            ..Filter::butterworth(band)
        }
    }

    /// The order of the Butterworth filter.
    pub fn order(mut self, order: usize) -> Self {
        self.order = order;
        self
    }

    /// How wide the edge of the windowed sinc is, as a share of the sampling rate. The kernel has four over this many values.
    pub fn transition(mut self, share: f64) -> Self {
        self.transition = share;
        self
    }

    fn validate(&self, sampling_rate: f64) -> Result<(), Error> {
        let limit = sampling_rate / 2.0;
        let edges = match self.band {
            Band::Low(edge) | Band::High(edge) => vec![edge],
            Band::Pass(low, high) | Band::Stop(low, high) => vec![low, high],
        };
        if let Some(&frequency) = edges.iter().find(|edge| !(**edge > 0.0 && **edge < limit)) {
            return Err(Error::Frequency { frequency, limit });
        }
        if let [low, high] = *edges
            && low >= high
        {
            return Err(Error::Range {
                name: "the band of a filter",
                low,
                high,
            });
        }
        if !(1..=MOST_ORDER).contains(&self.order) {
            return Err(Error::Order {
                got: self.order,
                most: MOST_ORDER,
            });
        }
        if !(LEAST_TRANSITION..=1.0).contains(&self.transition) {
            return Err(Error::Transition {
                got: self.transition,
                least: LEAST_TRANSITION,
            });
        }
        Ok(())
    }
}

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The frequencies that a filter keeps, without phase shift, within epochs.
    ///
    /// # Errors
    /// [`Error::Irregular`] unless samples are even, [`Error::Missing`] at a NaN, [`Error::Frequency`], [`Error::Range`],
    /// [`Error::Order`] or [`Error::NotPositive`] if the filter cannot be, [`Error::TooFewSamples`] if an epoch is too short.
    #[doc(alias("apply_bandpass_filter", "apply_bandstop_filter", "apply_lowpass_filter", "apply_highpass_filter"))]
    pub fn filter(&self, filter: &Filter) -> Result<Self, Error> {
        let sampling_rate = 1.0 / self.sampling_step()?;
        filter.validate(sampling_rate)?;
        self.check_complete()?;
        match filter.method {
            Method::Butterworth => {
                let sections = Sections::new(filter.band, filter.order, sampling_rate);
                self.map_columns(|_, values| sections.forwards_and_backwards(values))
            }
            Method::WindowedSinc => self.convolve(&windowed_sinc(filter.band, filter.transition, sampling_rate), Causality::Acausal),
        }
    }
}

/// The kernel of a windowed sinc (Smith 1997, *The Scientist and Engineer's Guide to Digital Signal Processing*, ch. 16).
fn windowed_sinc(band: Band, transition: f64, sampling_rate: f64) -> Vec<f64> {
    let half = ((4.0 / transition).round_ties_even() as usize / 2).max(1);
    let n_values = 2 * half + 1;
    let low_pass = |edge: f64| {
        let value = |at: usize| {
            let x = at as f64 - half as f64;
            let turn = std::f64::consts::TAU * at as f64 / (n_values - 1) as f64;
            let blackman = 0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos();
            sinc(2.0 * edge / sampling_rate * x) * blackman
        };
        let kernel: Vec<f64> = (0..n_values).map(value).collect();
        let total: f64 = kernel.iter().sum();
        kernel.into_iter().map(|value| value / total).collect::<Vec<f64>>()
    };
    // What a kernel lets pass, all else does not: one minus it, which is a one in the middle.
    let invert = |kernel: Vec<f64>| {
        let mut inverse: Vec<f64> = kernel.into_iter().map(|value| -value).collect();
        inverse[half] += 1.0;
        inverse
    };
    let stop = |low: f64, high: f64| {
        let below_and_above = low_pass(low).into_iter().zip(invert(low_pass(high)));
        below_and_above.map(|(below, above)| below + above).collect()
    };
    match band {
        Band::Low(edge) => low_pass(edge),
        Band::High(edge) => invert(low_pass(edge)),
        Band::Stop(low, high) => stop(low, high),
        Band::Pass(low, high) => invert(stop(low, high)),
    }
}

/// `sin(πx)/(πx)`
fn sinc(x: f64) -> f64 {
    let turn = std::f64::consts::PI * x;
    if turn == 0.0 { 1.0 } else { turn.sin() / turn }
}
