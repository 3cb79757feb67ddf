//! Sums and products that do not round: two numbers in place of one.
//!
//! Features with large means and nearly collinear ones have coefficients that cancel in the predictor: `x₁ w₁ + x₂ w₂` with
//! `w₁ ≈ −w₂ ≈ 10⁸` loses eight digits in plain arithmetic.
//!
//! # References
//! Dekker (1971), *Numerische Mathematik* 18; Ogita, Rump & Oishi (2005), *SIAM Journal on Scientific Computing* 26.

use ndarray::ArrayView2;

/// A sum as accurate as if it had been computed in twice the precision.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.high + term;
        // What rounding took off (Knuth's two-sum).
        let of_term = sum - self.high;
        self.low += (self.high - (sum - of_term)) + (term - of_term);
        self.high = sum;
    }

    pub(crate) fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
        let low = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
        self.add(product);
        if low.is_finite() {
            self.low += low;
        }
    }

    pub(crate) fn value(self) -> f64 {
        // Of what is infinite, rounding took off a NaN.
        if self.high.is_finite() { self.high + self.low } else { self.high }
    }
}

/// A number as a sum of two with half the digits each (Veltkamp).
fn halves(x: f64) -> (f64, f64) {
    let shifted = 134_217_729.0 * x;
    let high = shifted - (shifted - x);
    (high, x - high)
}

/// The sum of these terms.
pub(crate) fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let mut total = Sum::default();
    terms.for_each(|term| total.add(term));
    total.value()
}

/// `Σₜ factorₜ · xₜ` of every column, row by row.
pub(crate) fn sums(rows: ArrayView2<'_, f64>, factor: impl Fn(usize) -> f64) -> Vec<f64> {
    sums_about(rows, &vec![0.0; rows.ncols()], factor)
}

/// `Σₜ factorₜ · (xₜ − mean)` of every column, row by row.
pub(crate) fn sums_about(rows: ArrayView2<'_, f64>, mean: &[f64], factor: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut sums = vec![Sum::default(); mean.len()];
    for (row, values) in rows.rows().into_iter().enumerate() {
        let factor = factor(row);
        for ((sum, x), mean) in sums.iter_mut().zip(values).zip(mean) {
            sum.add((x - mean) * factor);
        }
    }
    sums.into_iter().map(Sum::value).collect()
}

/// The same with no rounding before the end: sums over columns that nearly agree differ by what the columns do.
pub(crate) fn products_about(rows: ArrayView2<'_, f64>, mean: &[f64], factors: &[f64]) -> Vec<f64> {
    let (mut sums, mut total) = (vec![Sum::default(); mean.len()], Sum::default());
    for (values, &factor) in rows.rows().into_iter().zip(factors) {
        total.add(factor);
        sums.iter_mut().zip(values).for_each(|(sum, &x)| sum.add_product(x, factor));
    }
    for (sum, &mean) in sums.iter_mut().zip(mean) {
        sum.add_product(-mean, total.high);
        sum.add_product(-mean, total.low);
    }
    sums.into_iter().map(Sum::value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cancels_leaves_what_it_should() {
        let mut sum = Sum::default();
        for (a, b) in [(1e8 + 1.0, 1e8 - 1.0), (-1e8, 1e8), (0.1, 3.0)] {
            sum.add_product(a, b);
        }
        assert_eq!(sum.value(), -1.0 + 0.1 * 3.0);
        let rows = ndarray::array![[1.0, 1.0 + 1e-13], [2.0, 2.0 - 3e-13], [3.0, 3.0]];
        let of = products_about(rows.view(), &[2.0, 2.0], &[1.0, -0.5, 0.25]);
        let apart = (rows[(0, 1)] - rows[(0, 0)]) - 0.5 * (rows[(1, 1)] - rows[(1, 0)]);
        assert!((of[0] + 0.75).abs() < 1e-15 && (of[1] - of[0] - apart).abs() < 1e-15, "{of:?}");
        assert_eq!(super::sum([1e100, 1.0, -1e100].into_iter()), 1.0);
        assert_eq!(super::sum([f64::INFINITY, 1.0].into_iter()), f64::INFINITY);
    }
}
