//! The gamma distribution: density and quantile.

/// The density at `x ≥ 0` of shape and rate above zero.
pub(crate) fn density(x: f64, shape: f64, rate: f64) -> f64 {
    let log_x = if shape == 1.0 { 0.0 } else { (shape - 1.0) * libm::log(x) };
    libm::exp(shape * libm::log(rate) + log_x - rate * x - libm::lgamma(shape))
}

/// The `x` below which lies this probability, in `[0, 1)`.
pub(crate) fn quantile(probability: f64, shape: f64, rate: f64) -> f64 {
    if probability == 0.0 {
        return 0.0;
    }
    let mut high = shape;
    while below(high, shape) < probability {
        high *= 2.0;
    }
    // Bisection to the last bit, which takes some sixty steps: a quantile is asked for once per filter.
    let mut low = 0.0;
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle / rate;
        }
        if below(middle, shape) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The probability below `x` at rate one: the regularised incomplete gamma function `P(shape, x)`.
///
/// # References
/// Abramowitz & Stegun (1964), *Handbook of Mathematical Functions*, 6.5.29 and 6.5.31.
fn below(x: f64, shape: f64) -> f64 {
    let scale = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        let (mut term, mut sum, mut at) = (1.0 / shape, 1.0 / shape, shape);
        while term > sum * f64::EPSILON * 0.1 {
            at += 1.0;
            term *= x / at;
            sum += term;
        }
        return scale * sum;
    }
    // The continued fraction of the upper tail, by Lentz's method.
    let mut b = x + 1.0 - shape;
    let (mut c, mut d) = (f64::INFINITY, 1.0 / b);
    let mut fraction = d;
    for i in 1..10_000 {
        let a = -f64::from(i) * (f64::from(i) - shape);
        b += 2.0;
        d = 1.0 / (a * d + b);
        c = b + a / c;
        fraction *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    1.0 - scale * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_known_distributions() {
        // Exponential: −ln(1 − p) / rate. χ² with 5 degrees of freedom at 0.95 is 11.070497693516351 (R: qchisq).
        assert!((quantile(0.99, 1.0, 2.0) - 0.5 * 100.0_f64.ln()).abs() < 1e-13);
        assert!((quantile(0.95, 2.5, 0.5) - 11.070_497_693_516_351).abs() < 1e-11);
        assert_eq!(quantile(0.0, 2.0, 1.0), 0.0);
    }

    #[test]
    fn densities_of_known_distributions() {
        assert_eq!(density(0.0, 1.0, 3.0), libm::exp(libm::log(3.0)));
        assert_eq!(density(0.0, 2.0, 1.0), 0.0);
        // 2² · 1.5 · e^−3
        assert!((density(1.5, 2.0, 2.0) - 6.0 * (-3.0_f64).exp()).abs() < 1e-15);
    }
}
