//! Numbers that another process packed, read in order.

use ndarray::Array2;

/// What is left to read.
pub(crate) struct Numbers<'n>(&'n [f64]);

impl<'n> Numbers<'n> {
    pub(crate) fn new(numbers: &'n [f64]) -> Self {
        Numbers(numbers)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn next(&mut self) -> Option<f64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// As many numbers as there is room for.
    pub(crate) fn fill(&mut self, to: &mut [f64]) -> Option<()> {
        let (these, rest) = self.0.split_at_checked(to.len())?;
        to.copy_from_slice(these);
        self.0 = rest;
        Some(())
    }

    pub(crate) fn fill_matrix(&mut self, to: &mut Array2<f64>) -> Option<()> {
        let (these, rest) = self.0.split_at_checked(to.len())?;
        to.iter_mut().zip(these).for_each(|(to, from)| *to = *from);
        self.0 = rest;
        Some(())
    }

    /// Matrices of any number and shape, as [`pack_matrices`] wrote them.
    pub(crate) fn matrices(&mut self) -> Option<Vec<Array2<f64>>> {
        let n = self.next()? as usize;
        let mut matrices = Vec::new();
        for _ in 0..n {
            let mut matrix = Array2::zeros((self.next()? as usize, self.next()? as usize));
            self.fill_matrix(&mut matrix)?;
            matrices.push(matrix);
        }
        Some(matrices)
    }
}

/// Writes matrices with their number and shapes.
pub(crate) fn pack_matrices(matrices: &[Array2<f64>], to: &mut Vec<f64>) {
    to.push(matrices.len() as f64);
    for matrix in matrices {
        to.extend([matrix.nrows() as f64, matrix.ncols() as f64]);
        to.extend(matrix);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_come_back_as_they_were() {
        let matrices = vec![ndarray::array![[1.0, 2.0, f64::NAN]], Array2::zeros((0, 3)), Array2::ones((2, 2))];
        let mut packed = Vec::new();
        pack_matrices(&matrices, &mut packed);
        let back = Numbers::new(&packed).matrices().unwrap();
        assert_eq!(format!("{back:?}"), format!("{matrices:?}"));
        assert!(Numbers::new(&packed[..packed.len() - 1]).matrices().is_none());
    }
}
