//! Rescaled intervals, and whether they are what they should be.

use std::f64::consts::PI;

use ndarray::Array2;

use crate::distribution::{beta_quantile, normal_quantile};
use crate::error::check_level;
use crate::{Error, Reference};

/// Intervals between spikes after time rescaling: exponential, and independent, if the model is right.
#[derive(Clone, Debug, PartialEq)]
pub struct Rescaled {
    intervals: Vec<f64>,
    uniforms: Vec<f64>,
}

/// The Kolmogorov–Smirnov test of intervals that should be uniform. NaN for fewer than two.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KolmogorovSmirnov {
    /// Intervals.
    pub n: usize,
    /// The largest distance of their distribution to the diagonal.
    pub statistic: f64,
    /// The probability of such a distance, or a larger one: exact up to 1,000 intervals, Kolmogorov's limit beyond.
    pub p: f64,
    /// Kolmogorov's limit.
    pub p_asymptotic: f64,
    /// Half the width of the 95 % band: `1.358 / √n`.
    pub band_95: f64,
    /// Half the width of the 99 % band: `1.628 / √n`.
    pub band_99: f64,
}

/// Quantiles of the intervals against those of an exponential distribution, rising. For a plot.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QuantilePlot {
    /// Where the intervals should be.
    pub theoretical: Vec<f64>,
    /// Where they are.
    pub empirical: Vec<f64>,
    /// The lower end of the range in which each lies with the probability that was asked for.
    pub lower: Vec<f64>,
    /// The upper end.
    pub upper: Vec<f64>,
}

/// Whether intervals depend on those before them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Autocorrelation {
    /// `[n_lags]`: correlations of the intervals, made normal, with those so many before; from lag one.
    pub values: Vec<f64>,
    /// Half the width of the 95 % band: `1.96 / √n`.
    pub band_95: f64,
    /// Ljung and Box's statistic of all lags together.
    pub ljung_box: f64,
    /// The probability of such a statistic, or a larger one: χ² with as many degrees of freedom as lags.
    pub p: f64,
}

// Kolmogorov's limit at 95 % and 99 %.
const BAND_95: f64 = 1.358_098_639_322_550_7;
const BAND_99: f64 = 1.627_623_611_518_950_3;
// From here on the limit takes the place of the exact distribution.
const MANY: usize = 1000;

impl Rescaled {
    pub(crate) fn new(intervals: Vec<f64>, uniforms: Vec<f64>) -> Self {
        Rescaled { intervals, uniforms }
    }

    /// The intervals, in expected spikes.
    pub fn intervals(&self) -> &[f64] {
        &self.intervals
    }

    /// The same as shares of their distribution: uniform if the model is right.
    pub fn uniforms(&self) -> &[f64] {
        &self.uniforms
    }

    /// How many intervals there are.
    pub fn len(&self) -> usize {
        self.uniforms.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.uniforms.is_empty()
    }

    /// The Kolmogorov–Smirnov test that they are uniform. It misses intervals that depend on each other: look at
    /// [`autocorrelation`](Rescaled::autocorrelation) too.
    ///
    /// # References
    /// Marsaglia, Tsang & Wang (2003), *J. Statistical Software* 8(18).
    pub fn ks(&self) -> KolmogorovSmirnov {
        let n = self.uniforms.len();
        let mut sorted = self.uniforms.clone();
        sorted.sort_by(f64::total_cmp);
        let distance = |(k, z): (usize, &f64)| ((k + 1) as f64 / n as f64 - z).max(z - k as f64 / n as f64);
        let statistic = if n < 2 || self.uniforms.iter().any(|z| z.is_nan()) {
            f64::NAN
        } else {
            sorted.iter().enumerate().map(distance).fold(f64::NEG_INFINITY, f64::max)
        };
        let root = (n as f64).sqrt();
        let p_asymptotic = kolmogorov_tail(root * statistic);
        KolmogorovSmirnov {
            n,
            statistic,
            p: if n <= MANY { exact_tail(n, statistic) } else { p_asymptotic },
            p_asymptotic,
            band_95: if n < 2 { f64::NAN } else { BAND_95 / root },
            band_99: if n < 2 { f64::NAN } else { BAND_99 / root },
        }
    }

    /// `[n, 2]`: the shares in order, `(k − ½)/n`, and where they are: what the textbooks draw with a band of
    /// [`band_95`](KolmogorovSmirnov::band_95) about the diagonal.
    pub fn ks_plot(&self) -> Array2<f64> {
        let mut sorted = self.uniforms.clone();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        Array2::from_shape_fn(
            (n, 2),
            |(k, column)| if column == 0 { (k as f64 + 0.5) / n as f64 } else { sorted[k] },
        )
    }

    /// Quantiles of the intervals against those of an exponential distribution, with a range for each at this level (0.95).
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    pub fn quantiles(&self, level: f64) -> Result<QuantilePlot, Error> {
        check_level(level)?;
        let n = self.uniforms.len();
        let exponential = |share: f64| -(-share).ln_1p();
        let mut empirical: Vec<f64> = self.uniforms.iter().map(|&z| exponential(z)).collect();
        empirical.sort_by(f64::total_cmp);
        // The k-th of n uniform numbers has a beta distribution.
        let end = |share: f64| {
            let of = move |k: usize| exponential(beta_quantile(share, (k + 1) as f64, (n - k) as f64));
            (0..n).map(of).collect::<Vec<f64>>()
        };
        Ok(QuantilePlot {
            theoretical: (0..n).map(|k| exponential((k as f64 + 0.5) / n as f64)).collect(),
            empirical,
            lower: end(0.5 - 0.5 * level),
            upper: end(0.5 + 0.5 * level),
        })
    }

    /// The intervals as normal numbers, in order: `Φ⁻¹(z)`.
    pub fn gaussian(&self) -> Vec<f64> {
        self.uniforms.iter().map(|z| normal_quantile(z.clamp(1e-12, 1.0 - 1e-12))).collect()
    }

    /// Whether the intervals depend on those up to so many before. NaN for lags that they are too few for.
    ///
    /// # References
    /// Ljung & Box (1978), *Biometrika* 65.
    pub fn autocorrelation(&self, n_lags: usize) -> Autocorrelation {
        let normal = self.gaussian();
        let n = normal.len();
        let mean = normal.iter().sum::<f64>() / n as f64;
        let centred: Vec<f64> = normal.iter().map(|x| x - mean).collect();
        let whole: f64 = centred.iter().map(|x| x * x).sum();
        let at = |lag: usize| {
            if lag >= n {
                return f64::NAN;
            }
            centred[lag..].iter().zip(&centred).map(|(a, b)| a * b).sum::<f64>() / whole
        };
        let values: Vec<f64> = (1..=n_lags).map(at).collect();
        let terms = values.iter().enumerate().map(|(place, r)| r * r / (n as f64 - (place + 1) as f64));
        let ljung_box = n as f64 * (n as f64 + 2.0) * terms.sum::<f64>();
        Autocorrelation {
            band_95: normal_quantile(0.975) / (n as f64).sqrt(),
            p: Reference::ChiSquared(n_lags as f64).upper_tail(ljung_box),
            ljung_box,
            values,
        }
    }
}

/// The probability that a Kolmogorov–Smirnov distance of many numbers, times the root of their number, is above `x`.
fn kolmogorov_tail(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x < 0.9 {
        // Of theta functions the other form, which converges fast here.
        let terms = (1..=20).map(|k| (-(f64::from(2 * k - 1) * PI / x).powi(2) / 8.0).exp());
        return if x <= 0.0 {
            1.0
        } else {
            1.0 - (2.0 * PI).sqrt() / x * terms.sum::<f64>()
        };
    }
    let terms = (1..=20).map(|k| if k % 2 == 1 { 1.0 } else { -1.0 } * (-2.0 * (f64::from(k) * x).powi(2)).exp());
    (2.0 * terms.sum::<f64>()).clamp(0.0, 1.0)
}

/// The probability that the distance of `n` numbers is above `d`, exactly: a power of a matrix.
fn exact_tail(n: usize, d: f64) -> f64 {
    if d.is_nan() || n == 0 {
        return f64::NAN;
    }
    let of = n as f64;
    let s = d * d * of;
    if s > 7.24 || (s > 3.76 && n > 99) {
        return (2.0 * (-(2.000_071 + 0.331 / of.sqrt() + 1.409 / of) * s).exp()).min(1.0);
    }
    let k = (of * d) as usize + 1;
    let m = 2 * k - 1;
    let h = k as f64 - of * d;
    let mut matrix = Array2::from_shape_fn((m, m), |(i, j)| if i + 1 < j { 0.0 } else { 1.0 });
    for i in 0..m {
        matrix[(i, 0)] -= h.powi(i as i32 + 1);
        matrix[(m - 1, i)] -= h.powi((m - i) as i32);
    }
    matrix[(m - 1, 0)] += if 2.0 * h - 1.0 > 0.0 { (2.0 * h - 1.0).powi(m as i32) } else { 0.0 };
    for ((i, j), value) in matrix.indexed_iter_mut() {
        // Over (i − j + 1)!
        for g in 1..=(i + 1).saturating_sub(j) {
            *value /= g as f64;
        }
    }
    let (power, mut exponent) = power_of(&matrix, n);
    let mut inside = power[(k - 1, k - 1)];
    for i in 1..=n {
        inside *= i as f64 / of;
        if inside < 1e-140 {
            inside *= 1e140;
            exponent -= 140;
        }
    }
    (1.0 - inside * 10.0_f64.powi(exponent)).clamp(0.0, 1.0)
}

/// A power of a matrix by squaring, as a matrix and an exponent of ten.
fn power_of(matrix: &Array2<f64>, n: usize) -> (Array2<f64>, i32) {
    if n == 1 {
        return (matrix.clone(), 0);
    }
    let (half, exponent) = power_of(matrix, n / 2);
    let square = half.dot(&half);
    let (mut power, mut exponent) = match n % 2 {
        0 => (square, 2 * exponent),
        _ => (matrix.dot(&square), 2 * exponent),
    };
    let middle = power.nrows() / 2;
    if power[(middle, middle)] > 1e140 {
        power.mapv_inplace(|x| x * 1e-140);
        exponent += 140;
    }
    (power, exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17: `stats.kstwo.sf`, `special.kolmogorov`.
    #[test]
    fn tails_agree_with_scipy() {
        assert!((exact_tail(10, 0.3) - 0.27053557479999946).abs() < 1e-12);
        // scipy takes an approximation there.
        assert!((exact_tail(700, 0.05) - 0.05836346045092311).abs() < 1e-7);
        assert!((kolmogorov_tail(1.3580986393225507) - 0.05).abs() < 1e-12);
        assert!((kolmogorov_tail(0.5) - 0.9639452436648751).abs() < 1e-12);
    }

    #[test]
    fn too_few_intervals_have_no_test() {
        for n in [0, 1] {
            let rescaled = Rescaled::new(vec![0.5; n], vec![0.4; n]);
            assert!(rescaled.ks().statistic.is_nan() && rescaled.ks().p.is_nan());
            assert!(rescaled.autocorrelation(3).values.iter().all(|value| value.is_nan()));
            assert_eq!(rescaled.quantiles(0.95).unwrap().empirical.len(), n);
        }
    }
}
