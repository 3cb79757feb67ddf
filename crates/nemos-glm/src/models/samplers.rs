//! Draws from the standard distributions, the same on every platform.

use rand::Rng;

/// In `[0, 1)`, on a grid of 2⁻⁵³.
pub(crate) fn uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    (rng.next_u64() >> 11) as f64 * STEP
}

/// In `(0, 1]`: for logarithms.
fn positive_uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    1.0 - uniform(rng)
}

/// Mean zero, variance one, by the polar method.
///
/// # References
/// Marsaglia & Bray (1964), *SIAM Review* 6(3). doi:10.1137/1006063
pub(crate) fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    loop {
        let (x, y) = (2.0 * uniform(rng) - 1.0, 2.0 * uniform(rng) - 1.0);
        let radius = x * x + y * y;
        if radius > 0.0 && radius < 1.0 {
            return x * (-2.0 * libm::log(radius) / radius).sqrt();
        }
    }
}

/// Mean and variance `shape`, for a shape above zero.
///
/// # References
/// Marsaglia & Tsang (2000), *ACM Transactions on Mathematical Software* 26(3). doi:10.1145/358407.358414
pub(crate) fn gamma<R: Rng + ?Sized>(shape: f64, rng: &mut R) -> f64 {
    if shape < 1.0 {
        let power = libm::log(positive_uniform(rng)) / shape;
        return gamma(shape + 1.0, rng) * libm::exp(power);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let cube = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
        if cube > 0.0 && libm::log(positive_uniform(rng)) < 0.5 * x * x + d * (1.0 - cube + libm::log(cube)) {
            return d * cube;
        }
    }
}

// Below this, counting up from zero takes less than rejection.
const FEW: f64 = 10.0;
// Above this a normal distribution differs from Poisson's by less than one in a million, and rejection by less than its rounding.
const VERY_MANY: f64 = 1e12;

/// Mean and variance `rate`, for a finite rate that is not negative.
pub(crate) fn poisson<R: Rng + ?Sized>(rate: f64, rng: &mut R) -> f64 {
    if rate < FEW {
        poisson_by_counting(rate, rng)
    } else if rate < VERY_MANY {
        poisson_by_rejection(rate, rng)
    } else {
        (rate + rate.sqrt() * normal(rng)).round()
    }
}

fn poisson_by_counting<R: Rng + ?Sized>(rate: f64, rng: &mut R) -> f64 {
    let at = uniform(rng);
    // e^−rate ≥ 1 − rate: at the low rates of spike trains this settles nearly every bin without an exponential.
    if at < 1.0 - rate {
        return 0.0;
    }
    let mut probability = libm::exp(-rate);
    let mut cumulative = probability;
    let mut count = 0.0;
    // Probabilities below the grid of `at` add nothing more.
    while at >= cumulative && (count < rate || probability > f64::EPSILON / 8.0) {
        count += 1.0;
        probability *= rate / count;
        cumulative += probability;
    }
    count
}

/// Transformed rejection with squeeze, in the paper's letters.
///
/// # References
/// Hörmann (1993), *Insurance: Mathematics and Economics* 12(1), algorithm PTRS. doi:10.1016/0167-6687(93)90997-4
fn poisson_by_rejection<R: Rng + ?Sized>(rate: f64, rng: &mut R) -> f64 {
    let b = 0.931 + 2.53 * rate.sqrt();
    let a = -0.059 + 0.024_83 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let v_r = 0.9277 - 3.6224 / (b - 2.0);
    let log_rate = libm::log(rate);
    loop {
        let u = uniform(rng) - 0.5;
        let v = positive_uniform(rng);
        let us = 0.5 - u.abs();
        let count = ((2.0 * a / us + b) * u + rate + 0.43).floor();
        if us >= 0.07 && v <= v_r {
            return count;
        }
        if count < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        let accept = libm::log(v * inverse_alpha / (a / (us * us) + b));
        if accept <= -rate + count * log_rate - libm::lgamma(count + 1.0) {
            return count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn probabilities_of_counts_are_those_of_poisson() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for rate in [0.04, 0.9, 3.0, 9.9, 10.0, 40.0] {
            let n = 100_000;
            let mut seen = [0.0_f64; 200];
            for _ in 0..n {
                seen[poisson(rate, &mut rng) as usize] += 1.0;
            }
            for (count, &seen) in seen.iter().enumerate() {
                let count = count as f64;
                let expected = f64::from(n) * libm::exp(-rate + count * libm::log(rate) - libm::lgamma(count + 1.0));
                // Five standard errors, and one: for counts that are hardly ever drawn.
                assert!(
                    (seen - expected).abs() <= 5.0 * expected.sqrt() + 1.0,
                    "{rate}: {count} {seen} {expected}"
                );
            }
        }
    }

    #[test]
    fn no_rate_and_huge_rates_have_counts() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        assert_eq!(poisson(0.0, &mut rng), 0.0);
        for rate in [1e8_f64, 1e11, 1e13, 1e300] {
            let count = poisson(rate, &mut rng);
            assert!(
                (count - rate).abs() <= 6.0 * rate.sqrt() + 1e-12 * rate && count.fract() == 0.0,
                "{rate}: {count}"
            );
        }
    }
}
