//! Features: named blocks of columns, so that coefficients come back under the names of what they belong to.

use std::ops::Range;

use crate::{Backend, Design, Error, Matrix, Samples};

/// Named blocks of columns, side by side.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Features, Matrix};
/// let speed = Matrix::<Cpu>::from_column(vec![0.1, 0.2]);
/// let place = Matrix::<Cpu>::from_vec(vec![1.0, 0.0, 0.0, 1.0], [2, 2])?;
/// let features = Features::new().with("speed", speed)?.with("place", place)?;
/// assert_eq!(features.columns("place")?, 1..3);
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Features<B: Backend> {
    blocks: Vec<(String, Matrix<B>)>,
}

impl<B: Backend> Features<B> {
    /// No features yet.
    pub fn new() -> Self {
        Features { blocks: Vec::new() }
    }

    /// Adds a block of columns to the right.
    ///
    /// # Errors
    /// [`Error::DuplicateName`] if the name is taken, [`Error::RowsDiffer`] if its rows are not those of the other blocks.
    pub fn with(mut self, name: impl Into<String>, block: Matrix<B>) -> Result<Self, Error> {
        let name = name.into();
        if self.names().any(|taken| taken == name) {
            return Err(Error::DuplicateName { name });
        }
        if let Some((_, first)) = self.blocks.first()
            && first.dims()[0] != block.dims()[0]
        {
            return Err(Error::RowsDiffer {
                left_name: "the first block",
                left: first.dims()[0],
                right_name: "the new block",
                right: block.dims()[0],
            });
        }
        self.blocks.push((name, block));
        Ok(self)
    }

    /// The names, from left to right.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().map(|(name, _)| name.as_str())
    }

    /// The columns that the block of this name takes in the design, and its coefficients in a fitted model.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is no such block.
    pub fn columns(&self, name: &str) -> Result<Range<usize>, Error> {
        let mut start = 0;
        for (other, block) in &self.blocks {
            let width = block.dims()[1];
            if other == name {
                return Ok(start..start + width);
            }
            start += width;
        }
        Err(Error::UnknownName {
            name: name.into(),
            available: self.names().map(String::from).collect(),
        })
    }
}

impl<B: Backend> Design<B> for Features<B> {
    fn n_samples(&self) -> usize {
        self.blocks.first().map_or(0, |(_, block)| block.dims()[0])
    }

    fn n_features(&self) -> usize {
        self.blocks.iter().map(|(_, block)| block.dims()[1]).sum()
    }

    fn block(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        let blocks = self
            .blocks
            .iter()
            .map(|(_, block)| block.rows(rows.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        Matrix::beside(blocks)
    }

    fn named_blocks(&self) -> Vec<(String, Range<usize>)> {
        let starts = self.blocks.iter().scan(0, |end, (name, block)| {
            let start = *end;
            *end += block.dims()[1];
            Some((name.clone(), start..*end))
        });
        starts.collect()
    }
}

impl<B: Backend> Samples<B> for Features<B> {
    type Output = Matrix<B>;

    fn wrap(&self, values: Matrix<B>) -> Matrix<B> {
        values
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::Cpu;

    fn column(values: &[f64]) -> Matrix<Cpu> {
        Matrix::from_column(values.to_vec())
    }

    #[test]
    fn blocks_stand_side_by_side() {
        let features = Features::new()
            .with("a", column(&[1.0, 2.0, 3.0]))
            .unwrap()
            .with("b", column(&[4.0, 5.0, 6.0]))
            .unwrap();
        assert_eq!(features.n_features(), 2);
        assert_eq!(features.block(1..3).unwrap().to_vec(), [2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn names_and_rows_are_checked() {
        let features = Features::new().with("a", column(&[1.0])).unwrap();
        assert!(matches!(
            features.clone().with("a", column(&[1.0])),
            Err(Error::DuplicateName { .. })
        ));
        assert!(matches!(
            features.clone().with("b", column(&[1.0, 2.0])),
            Err(Error::RowsDiffer { .. })
        ));
        assert!(matches!(features.columns("c"), Err(Error::UnknownName { .. })));
    }

    #[test]
    fn no_features_have_no_rows() {
        assert_eq!(Features::<Cpu>::new().n_samples(), 0);
    }
}
