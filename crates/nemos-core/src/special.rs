//! Special functions in burn operations, so that they run, and differentiate, on every backend.

use burn_tensor::{Tensor, backend::Backend as BurnBackend};

/// `ln(1 + e^x)`, elementwise: without overflow, and without cancellation where the result is tiny.
pub fn ln_1p_exp<T: BurnBackend>(x: Tensor<T, 2>) -> Tensor<T, 2> {
    // One formula for each sign, each with arguments that it can take: then derivatives do not cancel either.
    let above = x.clone().greater_elem(0.0);
    let below = x.clone().clamp_max(0.0).exp().log1p();
    let x = x.clamp_min(0.0);
    below.mask_where(above, x.clone() + x.neg().exp().log1p())
}

/// `ln Σ_j e^(x_ij)` over the columns, `[n_rows, 1]`: without overflow.
pub fn log_sum_exp<T: BurnBackend>(x: Tensor<T, 2>) -> Tensor<T, 2> {
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
}
