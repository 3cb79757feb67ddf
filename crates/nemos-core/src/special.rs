//! Special functions in burn operations, so that they run, and differentiate, on every backend.

use burn_tensor::{Tensor, backend::Backend as BurnBackend};

/// `ln(1 + x)` for `x > −1`, elementwise: without cancellation where `x` is tiny.
///
/// Shaders have no such function, and what burn writes in its place, `ln(x + 1)`, is zero at 1e-8. There `2 atanh(x / (2 + x))` is
/// summed as a series where `x` is small.
pub fn ln_1p<T: BurnBackend>(x: Tensor<T, 2>) -> Tensor<T, 2> {
    if x.dims().contains(&0) {
        return x;
    }
    let plain = x.clone().log1p();
    if !T::name(&x.device()).contains("wgpu") {
        return plain;
    }
    // The derivative is that of the plain function, which has all its digits; only the value is corrected.
    let x = x.detach();
    let far = x.clone().greater_elem(1.0).bool_or(x.clone().lower_elem(-0.5));
    let s = x.clone() / (x + 2.0);
    // At most 1/9: the eighth term of the series is below 2e-8.
    let q = s.clone() * s.clone();
    let mut series = q.clone() * (1.0 / 13.0) + 1.0 / 11.0;
    for coefficient in [1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0] {
        series = series * q.clone() + coefficient;
    }
    let exact = s.clone() * 2.0 + s * q * series * 2.0;
    let rest = (exact - plain.clone().detach()).mask_fill(far, 0.0);
    plain + rest
}

/// `ln(1 + e^x)`, elementwise: without overflow, and without cancellation where the result is tiny.
pub fn ln_1p_exp<T: BurnBackend>(x: Tensor<T, 2>) -> Tensor<T, 2> {
    if x.dims().contains(&0) {
        return x;
    }
    // max(x, 0) + ln(1 + e^−|x|): neither it nor its derivative cancels. Both branches are written so that the derivative at zero is ½.
    let above = x.clone().greater_elem(0.0);
    let positive = x.zeros_like().mask_where(above.clone(), x.clone());
    let negative = x.clone().mask_where(above, x.neg());
    positive + ln_1p(negative.exp())
}

/// `ln Σ_j e^(x_ij)` over the columns, `[n_rows, 1]`: without overflow.
pub fn log_sum_exp<T: BurnBackend>(x: Tensor<T, 2>) -> Tensor<T, 2> {
    let [rows, columns] = x.dims();
    if rows == 0 {
        return Tensor::empty([0, 1], (&x.device(), x.dtype()));
    }
    if columns == 0 {
        return Tensor::full([rows, 1], f64::NEG_INFINITY, (&x.device(), x.dtype()));
    }
    let highest = x.clone().max_dim(1);
    (x - highest.clone()).exp().sum_dim(1).log() + highest
}

/// `ln Γ(x)` for `x > 0`, elementwise.
///
/// Stirling's series at `x + 8`, taken back by the recurrence `Γ(x + 1) = x Γ(x)`.
///
/// # References
/// Abramowitz & Stegun (1964), *Handbook of Mathematical Functions*, 6.1.15 and 6.1.41.
pub fn ln_gamma<T: BurnBackend>(x: Tensor<T, 2>) -> Tensor<T, 2> {
    if x.dims().contains(&0) {
        return x;
    }
    // Two products of four factors each: one of eight would overflow f32 at moderate x.
    let rising = |from: f64| (x.clone() + from) * (x.clone() + (from + 1.0)) * (x.clone() + (from + 2.0)) * (x.clone() + (from + 3.0));
    let recurrence = rising(0.0).log() + rising(4.0).log();
    let z = x + 8.0;
    let inverse = z.clone().recip();
    let square = inverse.clone() * inverse.clone();
    let mut series = square.clone() * (-691.0 / 360_360.0) + 1.0 / 1188.0;
    for coefficient in [-1.0 / 1680.0, 1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0] {
        series = series * square.clone() + coefficient;
    }
    (z.clone() - 0.5) * z.clone().log() - z + 0.5 * (2.0 * std::f64::consts::PI).ln() + series * inverse - recurrence
}

/// `ln Γ(count + 1)`, elementwise: zero for counts of zero and one, which are most, where the difference of two large numbers would leave a
/// rounding for every row.
pub fn ln_factorial<T: BurnBackend>(count: Tensor<T, 2>) -> Tensor<T, 2> {
    if count.dims().contains(&0) {
        return count;
    }
    let few = count.clone().equal_elem(0.0).bool_or(count.clone().equal_elem(1.0));
    ln_gamma(count + 1.0).mask_fill(few, 0.0)
}

/// Stirling's series: what `ln Γ(x)` has beside `(x − ½) ln x − x + ½ ln 2π`, for `x ≥ 64`.
fn stirling<T: BurnBackend>(x: Tensor<T, 2>) -> Tensor<T, 2> {
    let inverse = x.recip();
    let square = inverse.clone() * inverse.clone();
    inverse * (((square.clone() * (-1.0 / 1680.0) + 1.0 / 1260.0) * square.clone() - 1.0 / 360.0) * square + 1.0 / 12.0)
}

/// `ln Γ(x) − x ln x + x`, elementwise, which is small where `x` is large.
pub fn ln_gamma_rest<T: BurnBackend>(x: Tensor<T, 2>) -> Tensor<T, 2> {
    if x.dims().contains(&0) {
        return x;
    }
    let is_large = x.clone().greater_equal_elem(LARGE);
    let (small, large) = (x.clone().clamp_max(LARGE), x.clamp_min(LARGE));
    let by_difference = ln_gamma(small.clone()) - small.clone() * small.clone().log() + small;
    let by_series = large.clone().log() * -0.5 + 0.5 * (2.0 * std::f64::consts::PI).ln() + stirling(large);
    by_difference.mask_where(is_large, by_series)
}

// From here on Stirling's series has all digits after four terms.
const LARGE: f64 = 64.0;

/// `ln Γ(size + count) − ln Γ(size) − count · ln size`, elementwise, for sizes like the counts or `[1, n_columns]`: small where the size is large,
/// without a difference of two large numbers.
pub fn ln_gamma_rise<T: BurnBackend>(count: Tensor<T, 2>, size: Tensor<T, 2>) -> Tensor<T, 2> {
    if count.dims().contains(&0) {
        return count;
    }
    let size = size.expand(count.dims());
    let is_large = size.clone().greater_equal_elem(LARGE);
    // Each branch gets sizes that it can take, so that the one not taken, and its derivative, stay finite.
    let small = size.clone().clamp_max(LARGE);
    let by_difference = ln_gamma(small.clone() + count.clone()) - ln_gamma(small.clone()) - count.clone() * small.log();
    let large = size.clamp_min(LARGE);
    let sum = large.clone() + count.clone();
    let grown = ln_1p(count.clone() / large.clone());
    let by_series = (sum.clone() - 0.5) * grown - count + stirling(sum) - stirling(large);
    by_difference.mask_where(is_large, by_series)
}

/// `ln Φ(x)`, the logarithm of the normal distribution function, elementwise: exact in both tails.
///
/// For `z ≥ 0`, `ln erfc(z) = ln t − z² + P(t)` with `t = 2 / (2 + z)` and a Chebyshev series `P`.
///
/// # References
/// The form is that of Press et al. (2007), *Numerical Recipes*, 6.2.2; the coefficients were computed with mpmath 1.3 at
/// 40 digits from 60 Chebyshev nodes.
pub fn ln_normal_cdf<T: BurnBackend>(x: Tensor<T, 2>) -> Tensor<T, 2> {
    if x.dims().contains(&0) {
        return x;
    }
    let z = x.clone().abs() * std::f64::consts::FRAC_1_SQRT_2;
    let t = (z.clone() + 2.0).recip() * 2.0;
    // Clenshaw's recurrence.
    let twice = t.clone() * 4.0 - 2.0;
    let mut later = t.zeros_like();
    let mut last = t.zeros_like();
    for &coefficient in LN_ERFC[1..].iter().rev() {
        let next = twice.clone() * last.clone() - later + coefficient;
        (later, last) = (last, next);
    }
    let series = twice * 0.5 * last - later + LN_ERFC[0];
    let lower = t.log() - z.clone() * z + series - std::f64::consts::LN_2;
    let above = x.greater_elem(0.0);
    let upper = ln_1p(lower.clone().exp().neg());
    lower.mask_where(above, upper)
}

const LN_ERFC: [f64; 28] = [
    -0.651_326_859_890_854_7,
    0.641_969_792_356_490_3,
    0.019_476_473_204_185_836,
    -0.009_561_514_786_808_632,
    -0.000_946_595_344_482_036_9,
    0.000_366_839_497_852_761_45,
    4.252_332_480_690_777e-5,
    -2.027_857_811_253_424_3e-5,
    -1.624_290_004_647_025_5e-6,
    1.303_655_835_580_523_2e-6,
    1.562_644_172_206_614_3e-8,
    -8.523_809_591_492_654e-8,
    6.529_054_439_098_851e-9,
    5.059_343_495_551_469e-9,
    -9.913_641_564_930_33e-10,
    -2.273_651_222_931_835_7e-10,
    9.646_791_102_015_526e-11,
    2.394_038_083_039_121_4e-12,
    -6.886_027_527_497_558e-12,
    8.944_879_273_090_747e-13,
    3.130_921_399_342_958e-13,
    -1.127_082_236_136_746_9e-13,
    3.810_905_255_232_541_3e-16,
    7.106_097_613_602_804e-15,
    -1.523_028_201_448_588_6e-15,
    -9.457_494_572_345_81e-17,
    1.210_237_189_349_387e-16,
    -2.816_663_089_187_048e-17,
];

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::{Cpu, Matrix};

    fn apply(f: impl Fn(Tensor<burn_flex::Flex, 2>) -> Tensor<burn_flex::Flex, 2>, x: &[f64]) -> Vec<f64> {
        Matrix::<Cpu>::from_tensor(f(Matrix::<Cpu>::from_column(x.to_vec()).into_tensor())).to_vec()
    }

    #[test]
    fn ln_gamma_of_integers_is_the_sum_of_logarithms() {
        let x: Vec<f64> = (1..60).map(f64::from).collect();
        let mut expected = 0.0;
        for (x, got) in x.iter().zip(apply(ln_gamma, &x)) {
            assert!(
                (got - expected).abs() <= 1e-14 * (1.0 + f64::abs(expected)),
                "ln Γ({x}) = {got}, not {expected}"
            );
            expected += x.ln();
        }
    }

    #[test]
    fn ln_gamma_of_one_half_is_half_ln_pi() {
        // Γ(½) = √π; Γ(1e-3) = 999.4237724845955 (mpmath 1.3, gamma(1e-3)).
        let got = apply(ln_gamma, &[0.5, 1e-3]);
        assert!((got[0] - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-14);
        assert!((got[1] - 999.423_772_484_595_5_f64.ln()).abs() < 1e-13);
    }

    #[test]
    fn ln_1p_exp_is_exact_at_both_ends() {
        let got = apply(ln_1p_exp, &[-800.0, -40.0, 0.0, 800.0]);
        assert_eq!(got, [0.0, (-40.0_f64).exp(), 2.0_f64.ln(), 800.0]);
    }

    #[test]
    fn log_sum_exp_does_not_overflow() {
        let x = Matrix::<Cpu>::from_vec(vec![1000.0, 1000.0, -1000.0, 0.0], [2, 2]).unwrap();
        let got = Matrix::<Cpu>::from_tensor(log_sum_exp(x.into_tensor())).to_vec();
        assert_eq!(got, [1000.0 + 2.0_f64.ln(), 0.0]);
    }

    #[test]
    fn nothing_in_is_nothing_out() {
        for dims in [[0, 3], [3, 0], [0, 0]] {
            let empty = || Matrix::<Cpu>::zeros(dims).into_tensor();
            for f in [ln_1p_exp, ln_gamma, ln_normal_cdf] {
                assert_eq!(f(empty()).dims(), dims);
            }
            let got = Matrix::<Cpu>::from_tensor(log_sum_exp(empty()));
            assert_eq!((got.dims(), got.to_vec()), ([dims[0], 1], vec![f64::NEG_INFINITY; dims[0]]));
        }
    }

    #[test]
    fn ln_normal_cdf_is_exact_in_both_tails() {
        // mpmath 1.3: log(ncdf(x)) at 40 digits.
        let expected = [
            (-40.0, -804.608_442_013_753_8),
            (-8.0, -35.01343715991455),
            (-1.0, -1.8410216450092635),
            (0.0, -std::f64::consts::LN_2),
            (0.5, -0.368_946_415_288_656_4),
            (6.0, -9.865876455243757e-10),
        ];
        let got = apply(ln_normal_cdf, &expected.map(|(x, _)| x));
        for ((x, expected), got) in expected.into_iter().zip(got) {
            assert!(
                (got - expected).abs() <= 4e-15 * expected.abs(),
                "ln Φ({x}) = {got}, not {expected}"
            );
        }
    }
}
