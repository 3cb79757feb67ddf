//! Weighted products of rows with themselves: what informations and the middles of sandwich covariances are sums of.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder, s};
use nemos_core::simd::vectorized;
use nemos_core::{HostFloat, Onto, multiply, multiply_lower};

/// Weighted products of rows with themselves, an intercept beside the features.
///
/// For many sets of weights the products of two columns are taken once, and one matrix product serves all sets:
/// `Σₜ wₜₙ zₜᵢ zₜⱼ` is row `(i, j)` and column `n` of `Qᵀ W`, with `Q` the products of columns.
#[derive(Debug)]
pub(crate) struct Products<E> {
    /// `[n_rows, width]`: the features, and one.
    rows: Vec<E>,
    width: usize,
    /// `[n_rows, n_pairs]`: products of two columns.
    pairs: Vec<E>,
    weighted: Vec<E>,
    product: Vec<E>,
}

/// Why a slice can be seen as a matrix.
pub(crate) const FITS: &str = "as many numbers as the shape has";

/// Rows one after the other.
pub(crate) fn view<E>(shape: (usize, usize), rows: &[E]) -> ArrayView2<'_, E> {
    ArrayView2::from_shape(shape, rows).expect(FITS)
}

// Sets of weights for which it pays to take the products of columns once: with 60 and with 200 features both ways take the same time for
// six to eight sets.
const MANY: usize = 7;

// Products of columns that are taken at a time: with the rows of a chunk they stay in the cache.
const PAIRS: usize = 192;

impl<E: HostFloat> Products<E> {
    pub(crate) fn new() -> Self {
        let [rows, pairs, weighted, product] = [const { Vec::new() }; 4];
        Products {
            rows,
            width: 1,
            pairs,
            weighted,
            product,
        }
    }

    /// The rows that are multiplied from here on, `features` being `[n_rows, n_features]`.
    pub(crate) fn set_rows(&mut self, features: &[E], n_rows: usize) {
        let n_features = features.len() / n_rows.max(1);
        self.width = n_features + 1;
        self.rows.clear();
        for row in 0..n_rows {
            self.rows.extend_from_slice(&features[row * n_features..(row + 1) * n_features]);
            self.rows.push(E::from_f64(1.0));
        }
    }

    /// The same with a few of the features alone.
    pub(crate) fn set_few(&mut self, features: &[E], n_rows: usize, few: &[usize]) {
        let n_features = features.len() / n_rows.max(1);
        self.width = few.len() + 1;
        self.rows.clear();
        // The last of each row is left at one.
        self.rows.resize(n_rows * self.width, E::from_f64(1.0));
        for (row, chosen) in self.rows.chunks_exact_mut(self.width).enumerate() {
            let features = &features[row * n_features..(row + 1) * n_features];
            for (chosen, &feature) in chosen.iter_mut().zip(few) {
                *chosen = features[feature];
            }
        }
    }

    /// Adds `Σₜ weightₜ zₜ zₜᵀ` to the part of each matrix that belongs to a pair of predictors, its lower triangle where the two are
    /// the same. `weights` is `[n_rows, n_sums]`.
    pub(crate) fn add(&mut self, weights: &[E], pair: (usize, usize), sums: &mut [Array2<f64>]) {
        if sums.len() >= MANY {
            return self.add_to_all(weights, pair, sums);
        }
        let n_sums = sums.len();
        for (column, sum) in sums.iter_mut().enumerate() {
            self.add_to_one(weights.iter().skip(column).step_by(n_sums), pair, sum);
        }
    }

    /// The same to the matrix of one.
    pub(crate) fn add_to_one<'w>(&mut self, weights: impl Iterator<Item = &'w E>, pair: (usize, usize), sum: &mut Array2<f64>)
    where
        E: 'w,
    {
        let width = self.width;
        self.weighted.resize(self.rows.len(), E::default());
        let rows = self.rows.chunks_exact(width).zip(weights);
        for ((row, weight), weighted) in rows.zip(self.weighted.chunks_exact_mut(width)) {
            let weight = weight.into_f64();
            for (weighted, x) in weighted.iter_mut().zip(row) {
                *weighted = E::from_f64(x.into_f64() * weight);
            }
        }
        let n_rows = self.rows.len() / width;
        self.product.resize(width * width, E::default());
        let product = ArrayViewMut2::from_shape((width, width), &mut self.product).expect(FITS);
        let rows = view((n_rows, width), &self.rows);
        multiply_lower(product, Onto::Nothing, rows.t(), view((n_rows, width), &self.weighted));
        for i in 0..width {
            add_row(sum, (i, width), pair, &self.product[i * width..]);
        }
    }

    fn add_to_all(&mut self, weights: &[E], pair: (usize, usize), sums: &mut [Array2<f64>]) {
        let width = self.width;
        let n_rows = self.rows.len() / width;
        for rows_of_triangle in tiles(width) {
            let n_pairs = self.take_pairs(rows_of_triangle.clone());
            self.product.resize(n_pairs * sums.len(), E::default());
            let product = ArrayViewMut2::from_shape((n_pairs, sums.len()).f(), &mut self.product).expect(FITS);
            let pairs = view((n_rows, n_pairs), &self.pairs);
            multiply(product, Onto::Nothing, pairs.t(), view((n_rows, sums.len()), weights));
            for (sum, mut product) in sums.iter_mut().zip(self.product.chunks_exact(n_pairs)) {
                for i in rows_of_triangle.clone() {
                    add_row(sum, (i, width), pair, product);
                    product = &product[i + 1..];
                }
            }
        }
    }

    /// Writes `zₜᵀ A zₜ` for each of these symmetric matrices, `[n_rows, n_matrices]`.
    pub(crate) fn quadratic_forms(&mut self, matrices: &[Array2<f64>], to: &mut [E]) {
        let n_rows = self.rows.len() / self.width;
        let mut onto = Onto::Nothing;
        for rows_of_triangle in tiles(self.width) {
            let n_pairs = self.take_pairs(rows_of_triangle.clone());
            self.product.clear();
            for matrix in matrices {
                for i in rows_of_triangle.clone() {
                    let beside = (0..i).map(|j| E::from_f64(matrix[(i, j)] + matrix[(j, i)]));
                    self.product.extend(beside.chain([E::from_f64(matrix[(i, i)])]));
                }
            }
            let forms = ArrayViewMut2::from_shape((n_rows, matrices.len()), &mut *to).expect(FITS);
            let of_pairs = ArrayView2::from_shape((n_pairs, matrices.len()).f(), &self.product).expect(FITS);
            multiply(forms, onto, view((n_rows, n_pairs), &self.pairs), of_pairs);
            onto = Onto::Them;
        }
    }

    /// Takes the products of columns `i` and `j ≤ i` of the rows, for these `i`; how many there are.
    #[inline(never)]
    fn take_pairs(&mut self, rows_of_triangle: Range<usize>) -> usize {
        let n_pairs = rows_of_triangle.clone().map(|i| i + 1).sum();
        let n_rows = self.rows.len() / self.width;
        self.pairs.resize(n_rows * n_pairs, E::default());
        let (rows, pairs, width) = (&self.rows, &mut self.pairs, self.width);
        vectorized(
            #[inline(always)]
            || {
                for (row, mut pairs) in rows.chunks_exact(width).zip(pairs.chunks_exact_mut(n_pairs)) {
                    for i in rows_of_triangle.clone() {
                        let (of_i, later) = pairs.split_at_mut(i + 1);
                        let x = row[i].into_f64();
                        for (pair, z) in of_i.iter_mut().zip(row) {
                            *pair = E::from_f64(z.into_f64() * x);
                        }
                        pairs = later;
                    }
                }
            },
        );
        n_pairs
    }
}

/// Adds row `i` of a lower triangle to the part of a matrix that belongs to a pair of predictors. A part off the diagonal of
/// predictors is whole; it is symmetric all the same.
fn add_row<E: HostFloat>(sum: &mut Array2<f64>, (i, width): (usize, usize), (first, second): (usize, usize), row: &[E]) {
    let (down, right) = (first * width, second * width);
    let mut part = sum.row_mut(down + i);
    let part = part.as_slice_mut().expect("made in standard layout");
    let part = part[right..=right + i].iter_mut().zip(row);
    part.for_each(|(sum, value)| *sum += value.into_f64());
    if first != second {
        let mut part = sum.slice_mut(s![down..down + i, right + i]);
        part.iter_mut().zip(row).for_each(|(sum, value)| *sum += value.into_f64());
    }
}

/// Rows of a lower triangle, as many at a time as have [`PAIRS`] entries, and one at least.
fn tiles(width: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let (mut end, mut n_pairs) = (start, 0);
        while end < width && (end == start || n_pairs + end < PAIRS) {
            end += 1;
            n_pairs += end;
        }
        let tile = start..end;
        start = end;
        (!tile.is_empty()).then_some(tile)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_triangle_is_in_one_tile() {
        for width in [1, 2, 19, 20, 61, 300] {
            let rows: Vec<usize> = tiles(width).flatten().collect();
            assert_eq!(rows, (0..width).collect::<Vec<_>>());
        }
    }

    #[test]
    fn many_sets_of_weights_have_the_products_of_one() {
        let (n_rows, n_features, n_sums) = (37, 23, MANY);
        let number = |place: usize| ((place * 7919) % 1013) as f64 / 1013.0 - 0.4;
        let features: Vec<f64> = (0..n_rows * n_features).map(number).collect();
        let weights: Vec<f64> = (0..n_rows * n_sums).map(|place| number(place + 5)).collect();
        let mut products = Products::new();
        products.set_rows(&features, n_rows);
        for pair in [(0, 0), (1, 0)] {
            let mut all = vec![Array2::zeros((48, 48)); n_sums];
            let mut each = all.clone();
            products.add(&weights, pair, &mut all);
            for (column, sum) in each.iter_mut().enumerate() {
                products.add_to_one(weights.iter().skip(column).step_by(n_sums), pair, sum);
            }
            for (all, each) in all.iter().zip(&each) {
                assert!((all - each).iter().all(|apart| apart.abs() < 1e-13));
                assert!(each.iter().any(|value| value.abs() > 0.1));
            }
        }
    }

    #[test]
    fn quadratic_forms_are_those_of_the_rows() {
        let (n_rows, n_features) = (11, 25);
        let features: Vec<f64> = (0..n_rows * n_features).map(|place| (place as f64).sin()).collect();
        let matrices = [1.0, -0.5].map(|times| Array2::from_shape_fn((26, 26), |(i, j)| times / (1.0 + i as f64 + j as f64)));
        let mut products = Products::new();
        products.set_rows(&features, n_rows);
        let mut forms = vec![f64::NAN; n_rows * 2];
        products.quadratic_forms(&matrices, &mut forms);
        for (row, forms) in forms.chunks_exact(2).enumerate() {
            let z: ndarray::Array1<f64> = features[row * n_features..(row + 1) * n_features]
                .iter()
                .copied()
                .chain([1.0])
                .collect();
            for (form, matrix) in forms.iter().zip(&matrices) {
                assert!((form - z.dot(&matrix.dot(&z))).abs() < 1e-12);
            }
        }
    }
}
