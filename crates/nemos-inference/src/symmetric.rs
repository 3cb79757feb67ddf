//! Symmetric matrices, of which one triangle is kept.

use ndarray::Array2;

/// A symmetric matrix in half of the memory: its lower triangle, row after row.
#[derive(Clone, Debug)]
pub(crate) struct Symmetric {
    size: usize,
    lower: Vec<f64>,
}

impl Symmetric {
    /// The matrix whose lower triangle this one has.
    pub(crate) fn new(matrix: &Array2<f64>) -> Self {
        let size = matrix.nrows();
        let mut lower = Vec::with_capacity(size * (size + 1) / 2);
        for (row, values) in matrix.rows().into_iter().enumerate() {
            lower.extend(values.iter().take(row + 1));
        }
        Symmetric { size, lower }
    }

    pub(crate) fn to_array(&self) -> Array2<f64> {
        let mut matrix = Array2::zeros((self.size, self.size));
        let mut values = self.lower.iter();
        for row in 0..self.size {
            for (column, &value) in values.by_ref().take(row + 1).enumerate() {
                matrix[(row, column)] = value;
                matrix[(column, row)] = value;
            }
        }
        matrix
    }

    /// An entry of the diagonal.
    pub(crate) fn diagonal(&self, at: usize) -> f64 {
        self.lower[at * (at + 3) / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_comes_back() {
        let matrix = ndarray::array![[1.0, 2.0, 4.0], [2.0, 3.0, 5.0], [4.0, 5.0, 6.0]];
        let kept = Symmetric::new(&matrix);
        assert_eq!(kept.to_array(), matrix);
        assert_eq!([0, 1, 2].map(|at| kept.diagonal(at)), [1.0, 3.0, 6.0]);
    }
}
