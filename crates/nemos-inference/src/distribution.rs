//! Distribution functions: tails and quantiles of what statistics are compared with.
//!
//! Tails are computed as tails, never as one minus a distribution function, so that small p-values keep their digits.

use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc_inv;
use statrs::function::gamma::{gamma_lr, gamma_ur, ln_gamma};

/// What a statistic is compared with.
///
/// # Example
/// ```
/// use nemos_inference::Reference;
/// // Beyond two standard errors lie 4.6 % of a normal distribution, and more of Student's.
/// assert!((Reference::Normal.two_sided(2.0) - 0.0455).abs() < 1e-4);
/// assert!(Reference::StudentT(5.0).two_sided(2.0) > 0.1);
/// ```
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reference {
    /// The standard normal distribution: the scale is known.
    Normal,
    /// Student's t with so many degrees of freedom: the scale was estimated.
    StudentT(f64),
    /// χ² with so many degrees of freedom.
    ChiSquared(f64),
    /// F with these degrees of freedom, of numerator and denominator.
    F(f64, f64),
}

impl Reference {
    /// The probability of a value above this one.
    pub fn upper_tail(self, x: f64) -> f64 {
        if x.is_nan() {
            return f64::NAN;
        }
        match self {
            Reference::Normal => normal_tail(x),
            Reference::StudentT(dof) => {
                let one_side = 0.5 * beta_tail(dof / (dof + x * x), 0.5 * dof, 0.5);
                if x >= 0.0 { one_side } else { 1.0 - one_side }
            }
            Reference::ChiSquared(dof) if x <= 0.0 || dof <= 0.0 => 1.0,
            Reference::ChiSquared(dof) => upper_gamma(0.5 * dof, 0.5 * x),
            Reference::F(..) if x <= 0.0 => 1.0,
            Reference::F(above, below) => beta_tail(below / (below + above * x), 0.5 * below, 0.5 * above),
        }
    }

    /// The probability of a value that is further from zero, on either side: for a statistic with a sign. For χ² and F it is
    /// that of a value above.
    pub fn two_sided(self, x: f64) -> f64 {
        match self {
            Reference::Normal | Reference::StudentT(_) => 2.0 * self.upper_tail(x.abs()),
            _ => self.upper_tail(x),
        }
    }

    /// The logarithm of [`two_sided`](Reference::two_sided): a number where the probability itself is too small for one.
    pub fn ln_two_sided(self, x: f64) -> f64 {
        let p = self.two_sided(x);
        if p > 1e-290 || p.is_nan() {
            return p.ln();
        }
        match self {
            // Φ(−x) and 2 Φ(−x) by the upper gamma function of a half: 2 Φ(−x) = Q(½, x²/2).
            Reference::Normal => ln_upper_gamma(0.5, 0.5 * x * x),
            Reference::ChiSquared(dof) => ln_upper_gamma(0.5 * dof, 0.5 * x),
            _ => p.ln(),
        }
    }

    /// The value that so much of the distribution lies below.
    pub fn quantile(self, share: f64) -> f64 {
        if !(0.0..=1.0).contains(&share) {
            return f64::NAN;
        }
        match self {
            Reference::Normal => normal_quantile(share),
            Reference::StudentT(_) if share < 0.5 => -self.quantile(1.0 - share),
            _ if share >= 1.0 => f64::INFINITY,
            Reference::StudentT(_) | Reference::ChiSquared(_) | Reference::F(..) => {
                let above = 1.0 - share;
                let mut high = 1.0;
                while self.upper_tail(high) > above && high < 1e300 {
                    high *= 2.0;
                }
                rising_root(0.0, high, |x| above - self.upper_tail(x))
            }
        }
    }

    /// How many standard errors an interval of this level spans to either side.
    pub fn critical(self, level: f64) -> f64 {
        self.quantile(0.5 + 0.5 * level)
    }
}

/// The zero of a rising function between two points: bisection, which needs nothing else and ends at neighbouring numbers.
pub(crate) fn rising_root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..2000 {
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high {
            break;
        }
        if f(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + 0.5 * (high - low)
}

/// The probability of a normal number above this one.
pub(crate) fn normal_tail(x: f64) -> f64 {
    0.5 * libm::erfc(x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The standard normal quantile: the inverse of the complementary error function, and one step of Newton.
pub(crate) fn normal_quantile(share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return if share <= 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // From the smaller tail, in which nothing rounds to one.
    let (tail, sign) = if share < 0.5 { (share, -1.0) } else { (1.0 - share, 1.0) };
    let x = std::f64::consts::SQRT_2 * erfc_inv(2.0 * tail);
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let step = if density > 0.0 { (normal_tail(x) - tail) / density } else { 0.0 };
    sign * (x + step)
}

/// The regularised incomplete beta function, for arguments that rounding may have taken out of range.
pub(crate) fn beta_tail(x: f64, a: f64, b: f64) -> f64 {
    match x {
        x if [x, a, b].iter().any(|x| x.is_nan()) || a <= 0.0 || b <= 0.0 => f64::NAN,
        x if x <= 0.0 => 0.0,
        x if x >= 1.0 => 1.0,
        x => beta_reg(a, b, x),
    }
}

/// The number below which so much of a beta distribution lies.
pub(crate) fn beta_quantile(share: f64, a: f64, b: f64) -> f64 {
    rising_root(0.0, 1.0, |x| beta_tail(x, a, b) - share)
}

/// The regularised upper incomplete gamma function.
pub(crate) fn upper_gamma(a: f64, x: f64) -> f64 {
    match x {
        x if x.is_nan() || a.is_nan() || a <= 0.0 => f64::NAN,
        x if x <= 0.0 => 1.0,
        x if x.is_infinite() => 0.0,
        x => gamma_ur(a, x),
    }
}

/// The regularised lower incomplete gamma function.
pub(crate) fn lower_gamma(a: f64, x: f64) -> f64 {
    match x {
        x if x.is_nan() || a.is_nan() || a <= 0.0 => f64::NAN,
        x if x <= 0.0 => 0.0,
        x if x.is_infinite() => 1.0,
        x if a > LARGE_SHAPE => lower_gamma_of_large_shape(a, x),
        x => gamma_lr(a, x),
    }
}

// From here on the series takes thousands of terms, and the expansion is right to ten digits.
const LARGE_SHAPE: f64 = 1e6;

/// Temme's uniform expansion, its first term: `P(a, x) = Φ(η √a) − e^{−aη²/2} (1/(λ−1) − 1/η) / √(2πa)`, `λ = x/a`, `η²/2 = λ − 1 − ln λ`.
///
/// Temme (1979), *SIAM J. Mathematical Analysis* 10.
fn lower_gamma_of_large_shape(a: f64, x: f64) -> f64 {
    let away = (x - a) / a;
    let half = if away.abs() < 1e-2 {
        // λ − 1 − ln λ without cancellation.
        let series = (2..12).rev().fold(0.0, |sum, k| 1.0 / f64::from(k) - away * sum);
        away * away * series
    } else {
        away - away.ln_1p()
    };
    let eta = (2.0 * half).sqrt().copysign(away);
    let first = if away.abs() < 1e-3 {
        -1.0 / 3.0 + eta / 12.0
    } else {
        1.0 / away - 1.0 / eta
    };
    let rest = (-a * half).exp() * first / (std::f64::consts::TAU * a).sqrt();
    normal_tail(-eta * a.sqrt()) - rest
}

/// The logarithm of the regularised upper incomplete gamma function far out: Legendre's continued fraction (Abramowitz & Stegun
/// 6.5.31), evaluated from the front (Lentz).
fn ln_upper_gamma(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = f64::INFINITY;
    let mut d = 1.0 / b;
    let mut value = d;
    for i in 1..500 {
        let factor = -f64::from(i) * (f64::from(i) - a);
        b += 2.0;
        d = 1.0 / (factor * d + b);
        c = b + factor / c;
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    a * x.ln() - x - ln_gamma(a) + value.ln()
}

/// The second derivative of `ln Γ`: its recurrence up to 10, and then its asymptotic series (Abramowitz & Stegun 6.4.12).
pub(crate) fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 10.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let q = 1.0 / (x * x);
    sum + 1.0 / x + 0.5 * q + q / x * (1.0 / 6.0 - q * (1.0 / 30.0 - q * (1.0 / 42.0 - q * (1.0 / 30.0 - q * 5.0 / 66.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of scipy 1.17: `stats.norm`, `stats.t`, `stats.chi2`, `stats.f`, `special.polygamma`.
    #[test]
    fn tails_and_quantiles_agree_with_scipy() {
        let close = |got: f64, expected: f64, what: &str| {
            assert!(
                (got - expected).abs() <= 1e-12 * expected.abs(),
                "{what}: {got:e} is not {expected:e}"
            );
        };
        close(Reference::Normal.upper_tail(8.0), 6.22096057427174e-16, "normal");
        close(Reference::StudentT(7.0).two_sided(3.0), 0.019942126131992536, "t");
        close(Reference::ChiSquared(3.0).upper_tail(20.0), 0.00016974243555282632, "chi2");
        close(Reference::F(2.0, 17.0).upper_tail(4.0), 0.03769864650480858, "F");
        close(Reference::Normal.quantile(0.975), 1.959963984540054, "normal quantile");
        close(Reference::StudentT(4.5).quantile(0.975), 2.6589123472044034, "t quantile");
        close(Reference::ChiSquared(1.0).quantile(0.95), 3.841458820694124, "chi2 quantile");
        close(Reference::F(1.0, 60.0).quantile(0.95), 4.001191376754993, "F quantile");
        close(trigamma(0.7), 2.8340491566946113, "trigamma");
        close(trigamma(12.0), 0.0869018728717684, "trigamma");
    }

    #[test]
    fn logarithms_go_on_where_probabilities_end() {
        // mpmath: log(erfc(40/sqrt(2))), log(erfc(2/sqrt(2)))
        assert!((Reference::Normal.ln_two_sided(40.0) + 803.915294833194).abs() < 1e-6);
        assert!((Reference::Normal.ln_two_sided(2.0) - Reference::Normal.two_sided(2.0).ln()).abs() < 1e-14);
        assert_eq!(Reference::Normal.two_sided(40.0), 0.0);
        assert!(Reference::ChiSquared(3.0).ln_two_sided(2000.0) < -990.0);
    }

    #[test]
    fn nothing_panics_on_what_is_out_of_range() {
        for reference in [
            Reference::Normal,
            Reference::StudentT(0.0),
            Reference::ChiSquared(-1.0),
            Reference::F(f64::NAN, 2.0),
        ] {
            for x in [f64::NAN, -1.0, 0.0, f64::INFINITY] {
                let _ = (reference.upper_tail(x), reference.quantile(x), reference.ln_two_sided(x));
            }
        }
    }

    /// `scipy.special.gammainc`.
    #[test]
    fn gammas_of_large_shape_agree_with_scipy() {
        for (a, x, expected) in [
            (2000000.0, 2000000.0, 0.5000940315975192),
            (2000000.0, 2001000.0, 0.7602865609469363),
            (2000000.0, 1998500.0, 0.14441546304601768),
            (1000000000000.0, 1000001000000.0, 0.8413447460685833),
            (100000000.0, 99970000.0, 0.0013487164491615543),
            (5000000.0, 5600000.0, 1.0),
        ] {
            let got = lower_gamma(a, x);
            assert!((got - expected).abs() < 1e-9, "{a} {x}: {got} is not {expected}");
        }
    }
}
