//! Identifiability: leaving out columns that others already say.

use std::ops::Range;

use faer::Mat;
use nemos_core::{Backend, Design, Matrix, ToDesign, row_chunks};

use crate::Error;

/// Whether a model has an intercept, which is a column of ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intercept {
    /// It has one: columns that sum to a constant say nothing new.
    #[default]
    Fitted,
    /// It has none.
    None,
}

/// The columns to keep so that none is a combination of the others, and of the intercept.
///
/// Goes from left to right and drops a column wherever the rank stays the same without it. Rows with a NaN or an infinity are
/// left out. Only the triangle of a QR decomposition is kept of the data, so that they may be larger than memory.
///
/// # Errors
/// [`nemos_core::Error::NoEigenvalues`] if a decomposition fails, and whatever reading a chunk gives.
///
/// # Example
/// ```
/// use nemos_basis::{BSpline, Intercept, identifiable_columns};
/// use nemos_core::{Cpu, Matrix};
/// let x = Matrix::<Cpu>::from_column((0..50).map(f64::from).collect());
/// let y = Matrix::<Cpu>::from_column((0..50).map(|bin| f64::from(bin * bin % 37)).collect());
/// let design = (BSpline::new(5) + BSpline::new(4)).compute_features([&x, &y])?;
/// assert_eq!(identifiable_columns(&design, Intercept::Fitted)?, [1, 2, 3, 4, 6, 7, 8]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
pub fn identifiable_columns<B: Backend>(design: &impl ToDesign<B>, intercept: Intercept) -> Result<Vec<usize>, Error> {
    let design = design.to_design();
    kept(triangle(&design, intercept)?, 0..design.n_columns(), intercept)
}

/// As [`identifiable_columns`], on its own for each channel of each block of columns: of each term of a basis.
///
/// # Errors
/// [`nemos_core::Error::NoNames`] where columns fall into no blocks, and as [`identifiable_columns`].
pub fn identifiable_columns_by_component<B: Backend>(design: &impl ToDesign<B>, intercept: Intercept) -> Result<Vec<usize>, Error> {
    let design = design.to_design();
    if design.names().blocks().is_empty() {
        let asked = "terms of a basis".into();
        return Err(nemos_core::Error::NoNames { asked }.into());
    }
    let triangle = triangle(&design, intercept)?;
    let channels = design.names().blocks().iter().flat_map(nemos_core::Block::by_channel);
    let columns = channels.map(|channel| kept(triangle.clone(), channel, intercept));
    Ok(columns.collect::<Result<Vec<_>, _>>()?.concat())
}

/// The columns of a design that say something of their own, and their numbers.
///
/// # Errors
/// As [`identifiable_columns`].
pub fn apply_identifiability_constraints<B: Backend>(features: &Matrix<B>, intercept: Intercept) -> Result<(Matrix<B>, Vec<usize>), Error> {
    let columns = identifiable_columns(features, intercept)?;
    Ok((features.select_columns(&columns)?, columns))
}

/// The triangle of the QR decomposition of the complete rows, after a column of ones where there is an intercept.
fn triangle<B: Backend>(design: &Design<'_, B>, intercept: Intercept) -> Result<(Mat<f64>, usize), Error> {
    design.check_whole("a choice of identifiable columns")?;
    let ones = usize::from(intercept == Intercept::Fitted);
    let n_columns = design.n_columns();
    let (mut triangle, mut n_rows) = (Mat::<f64>::zeros(0, n_columns + ones), 0);
    for rows in row_chunks(design.n_rows(), 4096) {
        let chunk = design.chunk(rows)?.to_vec();
        let complete: Vec<&[f64]> = chunk
            .chunks_exact(n_columns.max(1))
            .filter(|row| row.iter().all(|value| value.is_finite()))
            .collect();
        n_rows += complete.len();
        let above = triangle.nrows();
        let stacked = Mat::from_fn(above + complete.len(), n_columns + ones, |row, column| {
            match (row < above, column < ones) {
                (true, _) => triangle[(row, column)],
                (false, true) => 1.0,
                (false, false) => complete[row - above][column - ones],
            }
        });
        triangle = stacked.qr().thin_R().to_owned();
    }
    Ok((triangle, n_rows))
}

/// The columns among these that are kept.
fn kept((triangle, n_rows): (Mat<f64>, usize), columns: Range<usize>, intercept: Intercept) -> Result<Vec<usize>, Error> {
    let ones = usize::from(intercept == Intercept::Fitted);
    let chosen: Vec<usize> = (0..ones).chain(columns.clone().map(|column| column + ones)).collect();
    let mut part = Mat::from_fn(triangle.nrows(), chosen.len(), |row, column| triangle[(row, chosen[column])]);
    let full_rank = rank(&part, n_rows)?;
    let mut surplus = chosen.len() - full_rank;
    let mut kept = Vec::new();
    for (index, column) in columns.enumerate() {
        if surplus > 0 {
            let saved = part.col(index + ones).to_owned();
            part.col_mut(index + ones).fill(0.0);
            if rank(&part, n_rows)? == full_rank {
                surplus -= 1;
                continue;
            }
            part.col_mut(index + ones).copy_from(&saved);
        }
        kept.push(column);
    }
    Ok(kept)
}

/// Singular values above the rounding error of the largest, for a matrix that had this many rows.
fn rank(matrix: &Mat<f64>, n_rows: usize) -> Result<usize, Error> {
    let size = matrix.ncols();
    let svd = matrix.thin_svd().map_err(|_| nemos_core::Error::NoEigenvalues { size })?;
    let values: Vec<f64> = svd.S().column_vector().iter().copied().collect();
    let cut = values.first().copied().unwrap_or(0.0) * f64::EPSILON * n_rows.max(size) as f64;
    Ok(values.iter().filter(|&&value| value > cut).count())
}

#[cfg(test)]
mod tests {
    use nemos_core::Cpu;

    use super::*;
    use crate::{BSpline, Family};

    #[test]
    fn the_leftmost_of_redundant_columns_goes() {
        // Column 3 is the sum of columns 0 and 1, column 4 is constant; kept (1, 2, 3) in NeMoS 0.2.8.
        let column = |row: usize, seed: usize| ((row * row + seed * row) % 31) as f64;
        let row = |row: usize| {
            let [a, b, c] = [column(row, 3), column(row, 5), column(row, 11)];
            [a, b, c, a + b, 1.0]
        };
        let design = Matrix::<Cpu>::from_vec((0..40).flat_map(row).collect(), [40, 5]).unwrap();
        let (reduced, columns) = apply_identifiability_constraints(&design, Intercept::Fitted).unwrap();
        assert_eq!(columns, [1, 2, 3]);
        assert_eq!(reduced.dims(), [40, 3]);
    }

    #[test]
    fn each_channel_of_each_term_is_looked_at_alone() {
        let values = (0..80).map(|at| if at == 7 { f64::NAN } else { f64::from(at * at % 37) });
        let x = Matrix::<Cpu>::from_vec(values.collect(), [40, 2]).unwrap();
        let basis = BSpline::new(5).label("a");
        let design = basis.design(&x).unwrap();
        let columns = identifiable_columns_by_component(&design, Intercept::Fitted).unwrap();
        assert_eq!(columns, [1, 2, 3, 4, 6, 7, 8, 9]);
        assert_eq!(identifiable_columns(&x, Intercept::None).unwrap(), [0, 1]);
    }
}
