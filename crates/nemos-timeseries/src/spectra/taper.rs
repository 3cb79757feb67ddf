//! Tapers: how a stretch of a signal fades in and out before its frequencies are taken.

use std::f64::consts::{PI, TAU};

/// The weights of the samples of a window, periodic as those of a Fourier transform are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Taper {
    /// One throughout: the narrowest peaks, and the most leakage.
    Boxcar,
    /// `½ − ½ cos(2πk/n)`
    #[default]
    Hann,
    /// `0.54 − 0.46 cos(2πk/n)`
    Hamming,
    /// `0.42 − ½ cos(2πk/n) + 0.08 cos(4πk/n)`
    Blackman,
    /// One in the middle, with half a cosine at either end; its share of the window, from 0 (a boxcar) to 1 (a Hann window).
    Tukey(f64),
}

impl Taper {
    /// The weights of a window of `n` samples.
    pub(super) fn weights(self, n: usize) -> Vec<f64> {
        let turn = |k: usize| TAU * k as f64 / n as f64;
        let weight = |k: usize| match self {
            _ if n == 1 => 1.0,
            Taper::Boxcar => 1.0,
            Taper::Hann => 0.5 - 0.5 * turn(k).cos(),
            Taper::Hamming => 0.54 - 0.46 * turn(k).cos(),
            Taper::Blackman => 0.42 - 0.5 * turn(k).cos() + 0.08 * (2.0 * turn(k)).cos(),
            Taper::Tukey(share) => tukey(share.min(1.0), k as f64, n as f64),
        };
        (0..n).map(weight).collect()
    }
}

fn tukey(share: f64, k: f64, n: f64) -> f64 {
    if share <= 0.0 {
        return 1.0;
    }
    let width = (share * n / 2.0).floor();
    let fade = |at: f64| 0.5 * (1.0 + (PI * at).cos());
    if k <= width {
        fade(-1.0 + 2.0 * k / share / n)
    } else if k < n - width {
        1.0
    } else {
        fade(-2.0 / share + 1.0 + 2.0 * k / share / n)
    }
}
