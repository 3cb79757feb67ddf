//! Elementary functions for loops over host memory, written so that the compiler can vectorise them.
//!
//! The standard library's `exp` and `ln` are calls, one number at a time. These are short branch-free polynomials:
//! inside [`vectorized`], a loop over them becomes AVX-512, AVX2 or NEON code, whichever the machine has.
//! Each is within two units in the last place of the true value over its whole range (tested against the
//! standard library).

/// Runs a loop with the widest vector instructions of this machine.
///
/// What `body` calls must be `#[inline(always)]` for that to reach it.
#[inline(always)]
pub fn vectorized<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}

// Adding and subtracting this rounds to an integer, which then stands in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 · 2⁵²

// ln 2 in two parts, the first with zeros at its end, so that small multiples of it are exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `2^k` for an integer `k` in −1022..=1023 that was added to [`ROUND`].
#[inline(always)]
fn power_of_two(rounded: f64) -> f64 {
    f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52)
}

/// `e^x`: 0 below −745.2, infinite above 709.8, NaN for NaN.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    // Comparisons are false for NaN, which so passes through.
    let x = if x < -746.0 { -746.0 } else { x };
    let x = if x > 710.0 { 710.0 } else { x };
    // x = k ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor series, whose 14th term is below 1e-17.
    let k = (x * std::f64::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut p = 1.0 / 6_227_020_800.0;
    p = p * r + 1.0 / 479_001_600.0;
    p = p * r + 1.0 / 39_916_800.0;
    p = p * r + 1.0 / 3_628_800.0;
    p = p * r + 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // 2^k in two factors, so that subnormal and overflowing results round as they should.
    let half = k * 0.5 + ROUND;
    let rest = (k - (half - ROUND)) + ROUND;
    p * power_of_two(half) * power_of_two(rest)
}

/// `ln(1 + z)` for `z` in 0..=1.
#[inline(always)]
pub fn ln_1p_unit(z: f64) -> f64 {
    // 2 atanh(s) with s = z / (2 + z) <= 1/3: the 18th term of its series is below 1e-17.
    let s = z / (2.0 + z);
    let q = s * s;
    let mut p = 1.0 / 37.0;
    p = p * q + 1.0 / 35.0;
    p = p * q + 1.0 / 33.0;
    p = p * q + 1.0 / 31.0;
    p = p * q + 1.0 / 29.0;
    p = p * q + 1.0 / 27.0;
    p = p * q + 1.0 / 25.0;
    p = p * q + 1.0 / 23.0;
    p = p * q + 1.0 / 21.0;
    p = p * q + 1.0 / 19.0;
    p = p * q + 1.0 / 17.0;
    p = p * q + 1.0 / 15.0;
    p = p * q + 1.0 / 13.0;
    p = p * q + 1.0 / 11.0;
    p = p * q + 1.0 / 9.0;
    p = p * q + 1.0 / 7.0;
    p = p * q + 1.0 / 5.0;
    p = p * q + 1.0 / 3.0;
    2.0 * (s + s * q * p)
}

/// `ln x`: −∞ at 0, NaN below.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    // Subnormal numbers are scaled up first.
    let tiny = x < f64::MIN_POSITIVE;
    let scaled = if tiny { x * (TWO_52 * 4.0) } else { x };
    let bits = scaled.to_bits();
    // Mantissa in √½..√2: its distance to 1 is then what the logarithm is made of.
    let offset = 0x3fe6_a09e_667f_3bcd_u64;
    let moved = bits.wrapping_sub(offset);
    let exponent_bits = ((moved as i64) >> 52) as u64;
    let mantissa = f64::from_bits(bits.wrapping_sub(exponent_bits << 52));
    // An integer in the low bits of ROUND, read as a float.
    let exponent = f64::from_bits(ROUND.to_bits().wrapping_add(exponent_bits)) - ROUND;
    let exponent = if tiny { exponent - 54.0 } else { exponent };
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let q = s * s;
    let mut p = 1.0 / 23.0;
    p = p * q + 1.0 / 21.0;
    p = p * q + 1.0 / 19.0;
    p = p * q + 1.0 / 17.0;
    p = p * q + 1.0 / 15.0;
    p = p * q + 1.0 / 13.0;
    p = p * q + 1.0 / 11.0;
    p = p * q + 1.0 / 9.0;
    p = p * q + 1.0 / 7.0;
    p = p * q + 1.0 / 5.0;
    p = p * q + 1.0 / 3.0;
    let ln_mantissa = 2.0 * (s + s * q * p);
    let value = exponent * LN_2_HIGH + (exponent * LN_2_LOW + ln_mantissa);
    let value = if x == 0.0 { f64::NEG_INFINITY } else { value };
    let value = if x < 0.0 { f64::NAN } else { value };
    let value = if x == f64::INFINITY { x } else { value };
    if x.is_nan() { x } else { value }
}

/// `ln(1 + e^x)`, without overflow, and without cancellation where the result is tiny.
#[inline(always)]
pub fn ln_1p_exp(x: f64) -> f64 {
    let positive = if x > 0.0 { x } else { 0.0 };
    let value = positive + ln_1p_unit(exp(-x.abs()));
    if x.is_nan() { x } else { value }
}

/// `ln(1 + x)` for `x ≥ 0`, without cancellation where the result is tiny.
#[inline(always)]
pub fn ln_1p(x: f64) -> f64 {
    if x <= 1.0 { ln_1p_unit(x) } else { ln(1.0 + x) }
}

/// `ln Γ(x)` for `x > 0`: to 4 · 10⁻¹⁵ of itself, or to 2 · 10⁻¹⁴ where it is below that.
///
/// Stirling's series, at `x + 8` where `x` is small, and taken back by the recurrence `Γ(x + 1) = x Γ(x)`.
///
/// # References
/// Abramowitz & Stegun (1964), *Handbook of Mathematical Functions*, 6.1.15 and 6.1.41.
#[inline(always)]
pub fn ln_gamma(x: f64) -> f64 {
    let small = x < 64.0;
    let rising = x * (x + 1.0) * (x + 2.0) * (x + 3.0) * ((x + 4.0) * (x + 5.0) * (x + 6.0) * (x + 7.0));
    let recurrence = ln(if small { rising } else { 1.0 });
    let z = if small { x + 8.0 } else { x };
    let inverse = 1.0 / z;
    let square = inverse * inverse;
    let mut series = square * (-691.0 / 360_360.0) + 1.0 / 1188.0;
    series = series * square - 1.0 / 1680.0;
    series = series * square + 1.0 / 1260.0;
    series = series * square - 1.0 / 360.0;
    series = series * square + 1.0 / 12.0;
    let half_ln_2_pi = 0.918_938_533_204_672_7;
    ((z - 0.5) * ln(z) - z + half_ln_2_pi + series * inverse) - recurrence
}

/// Stirling's series: what `ln Γ(x)` has beside `(x − ½) ln x − x + ½ ln 2π`, for `x ≥ 64`.
#[inline(always)]
fn stirling(x: f64) -> f64 {
    let (inverse, square) = (1.0 / x, 1.0 / (x * x));
    inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)))
}

/// `ln Γ(x) − x ln x + x`, which is small where `x` is large.
#[inline(always)]
pub fn ln_gamma_rest(x: f64) -> f64 {
    let half_ln_2_pi = 0.918_938_533_204_672_7;
    if x < 64.0 {
        ln_gamma(x) - x * ln(x) + x
    } else {
        half_ln_2_pi - 0.5 * ln(x) + stirling(x)
    }
}

/// `ln Γ(size + count) − ln Γ(size) − count · ln size`, which is small where the size is large: no two large numbers are
/// subtracted.
#[inline(always)]
pub fn ln_gamma_rise(count: f64, size: f64) -> f64 {
    if size < 64.0 {
        return ln_gamma(size + count) - ln_gamma(size) - count * ln(size);
    }
    // Stirling's formula at both, of which all that is common was taken off.
    (size + count - 0.5) * ln_1p(count / size) - count + stirling(size + count) - stirling(size)
}

/// The nearest integer, for numbers below 2⁵¹ in size; NaN for NaN.
#[inline(always)]
pub fn round(x: f64) -> f64 {
    (x + ROUND) - ROUND
}

/// Sine and cosine of `2π t`: the angle in turns, so that whole turns are taken off without rounding.
#[inline(always)]
pub fn sin_cos_turns(t: f64) -> (f64, f64) {
    let t = t - round(t);
    // t = quarter / 4 + rest with |rest| <= 1/8; both series end below 1e-17 there.
    let rounded = t * 4.0 + ROUND;
    let quarter = rounded - ROUND;
    let angle = (t - quarter * 0.25) * std::f64::consts::TAU;
    let q = angle * angle;
    let mut s = -1.0 / 1_307_674_368_000.0;
    s = s * q + 1.0 / 6_227_020_800.0;
    s = s * q - 1.0 / 39_916_800.0;
    s = s * q + 1.0 / 362_880.0;
    s = s * q - 1.0 / 5_040.0;
    s = s * q + 1.0 / 120.0;
    s = s * q - 1.0 / 6.0;
    let sine = angle + angle * q * s;
    let mut c = 1.0 / 20_922_789_888_000.0;
    c = c * q - 1.0 / 87_178_291_200.0;
    c = c * q + 1.0 / 479_001_600.0;
    c = c * q - 1.0 / 3_628_800.0;
    c = c * q + 1.0 / 40_320.0;
    c = c * q - 1.0 / 720.0;
    c = c * q + 1.0 / 24.0;
    c = c * q - 0.5;
    let cosine = 1.0 + c * q;
    // Turning by a quarter: (s, c) becomes (c, −s).
    let odd = rounded.to_bits() & 1 == 1;
    let (sine, cosine) = if odd { (cosine, -sine) } else { (sine, cosine) };
    let half = rounded.to_bits() & 2 == 2;
    if half { (-sine, -cosine) } else { (sine, cosine) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(name: &str, x: f64, got: f64, expected: f64) {
        let ulps = (got - expected).abs() / (expected.abs() * f64::EPSILON).max(f64::from_bits(1));
        assert!(
            got == expected || ulps <= 2.0 || (got.is_nan() && expected.is_nan()),
            "{name}({x:e}) = {got:e}, not {expected:e}: {ulps} ulps"
        );
    }

    #[test]
    fn exp_and_ln_agree_with_the_standard_library() {
        for i in -80_000..80_000 {
            let x = f64::from(i) * 0.009_37;
            assert_close("exp", x, exp(x), x.exp());
            let y = (x * 0.9).exp();
            assert_close("ln", y, ln(y), y.ln());
        }
        for x in [
            0.0,
            -0.0,
            1.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            709.7,
            709.9,
            -745.1,
            -800.0,
            1e-320,
        ] {
            assert_close("exp", x, exp(x), x.exp());
            assert_close("ln", x, ln(x), x.ln());
        }
    }

    #[test]
    fn ln_1p_exp_keeps_tiny_and_huge_values() {
        for i in -7_000..7_000 {
            let x = f64::from(i) * 0.1;
            let expected = if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() };
            assert_close("ln_1p_exp", x, ln_1p_exp(x), expected);
        }
        assert!(ln_1p_exp(f64::NAN).is_nan());
    }

    #[test]
    fn differences_of_ln_gamma_keep_their_digits_at_any_size() {
        // By products where these are few: ln Γ(k + 3) − ln Γ(k) − 3 ln k = ln(1 + 1/k) + ln(1 + 2/k).
        for size in [1e-300, 1e-3, 0.7, 63.9, 64.1, 1e5, 1e14, 1e300] {
            let exact = libm::log1p(1.0 / size) + libm::log1p(2.0 / size);
            let got = ln_gamma_rise(3.0, size);
            assert!((got - exact).abs() <= 1e-13 * (1.0 + exact.abs()), "{size}: {got} {exact}");
        }
        // Of Stirling's formula, at k = 10¹⁴, only ½ ln(2π / k) is left.
        for (x, exact) in [
            (64.0, -1.159_200_935_737_5),
            (1e14, -15.199_157_117_753_646),
            (0.5, 1.418_938_533_204_67),
        ] {
            assert!((ln_gamma_rest(x) - exact).abs() < 1e-12, "{x}: {}", ln_gamma_rest(x));
        }
    }

    #[test]
    fn ln_gamma_agrees_with_that_of_libm() {
        for step in 1..40_000 {
            for x in [f64::from(step) * 0.01, f64::from(step), f64::from(step).powi(7)] {
                let (got, expected) = (ln_gamma(x), libm::lgamma(x));
                assert!(
                    (got - expected).abs() <= (4e-15 * expected.abs()).max(2e-14),
                    "{x}: {got} {expected}"
                );
            }
        }
    }

    #[test]
    fn sine_and_cosine_agree_with_the_standard_library() {
        for i in -40_000..40_000 {
            let t = f64::from(i) / 4096.0;
            let (sine, cosine) = sin_cos_turns(t);
            let angle = (t - t.round()) * std::f64::consts::TAU;
            assert!(
                (sine - angle.sin()).abs() < 4e-16,
                "sin of {t} turns is {sine}, not {}",
                angle.sin()
            );
            assert!(
                (cosine - angle.cos()).abs() < 4e-16,
                "cos of {t} turns is {cosine}, not {}",
                angle.cos()
            );
        }
        assert_eq!(sin_cos_turns(0.25), (1.0, 0.0));
        assert_eq!(sin_cos_turns(-0.5).1, -1.0);
        assert!(sin_cos_turns(f64::NAN).0.is_nan() && sin_cos_turns(f64::INFINITY).1.is_nan());
    }

    #[test]
    fn a_vectorized_loop_computes_what_a_plain_one_does() {
        let input: Vec<f64> = (0..1003).map(|i| f64::from(i) * 0.01 - 5.0).collect();
        let plain: Vec<f64> = input.iter().map(|&x| ln_1p_exp(x)).collect();
        let mut fast = vec![0.0; input.len()];
        vectorized(|| {
            for (out, &x) in fast.iter_mut().zip(&input) {
                *out = ln_1p_exp(x);
            }
        });
        assert_eq!(plain, fast);
    }
}
