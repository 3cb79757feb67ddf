//! One pass over the data before a fit: which rows can be used, and the moments of the features over them.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::Array2;
use nemos_core::tensor::DType;
use nemos_core::{Backend, Design, HostFloat, Matrix, row_blocks};

use crate::rows::{Piece, in_shards};
use crate::{Error, Support};

/// What is known of the data before a fit.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    /// Rows whose features are complete.
    pub(crate) pieces: Vec<Piece>,
    /// `[n_features]`
    pub(crate) mean: Vec<f64>,
    /// `[n_features, n_features]`
    pub(crate) covariance: Array2<f64>,
    /// Relative error of the covariances.
    pub(crate) precision: f64,
    /// `[n_neurons]`: complete rows in which the neuron's count is not missing.
    pub(crate) n_counts: Vec<usize>,
    /// `[n_neurons]`: mean count over those rows.
    pub(crate) mean_count: Vec<f64>,
}

/// Sums over some of the rows.
struct Moments {
    pieces: Vec<Piece>,
    n_rows: usize,
    /// Sums of the features, less a shift.
    sum: Vec<f64>,
    /// Sums of their products, less a shift: the lower triangle.
    products: Array2<f64>,
    precision: f64,
    n_counts: Vec<usize>,
    count_sum: Vec<f64>,
}

// Covariances of f32 features are summed in f64, but the features are rounded: what that leaves of a collinear
// combination grows with the square of their means over their standard deviations.
const PRECISION_F64: f64 = 8.0 * f64::EPSILON;
const PRECISION_F32: f64 = 1e-10;
const PRECISION_TENSORS_F32: f64 = 1e-6;

impl Survey {
    /// Checks the data and takes their moments.
    pub(crate) fn new<B: Backend>(design: &impl Design<B>, counts: &impl Design<B>, support: Support) -> Result<Self, Error> {
        check_shapes(design, counts)?;
        let (n_samples, n_features, n_neurons) = (design.n_samples(), design.n_features(), counts.n_features());
        let blocks: Vec<_> = row_blocks(n_samples, B::block_rows(n_features)).collect();
        let shift = shift(design, &blocks)?;
        let shards = in_shards(&blocks, |blocks| {
            let mut moments = Moments::new(n_features, n_neurons);
            for rows in blocks {
                let block = design.block(rows.clone())?;
                for piece in Piece::complete("design", &block, rows.start)? {
                    let features = piece.of(&Block {
                        matrix: &block,
                        first: rows.start,
                    })?;
                    moments.add_features(&features, &shift);
                    moments.add_counts(&piece.of(counts)?, rows.start, support)?;
                    moments.pieces.push(piece);
                }
            }
            Ok::<_, Error>(moments)
        })?;
        let total = shards
            .into_iter()
            .reduce(Moments::merge)
            .unwrap_or_else(|| Moments::new(n_features, n_neurons));
        if total.n_rows == 0 {
            return Err(nemos_core::Error::AllMissing {
                name: "design",
                rows: n_samples,
            }
            .into());
        }
        if let Some(neuron) = total.n_counts.iter().position(|&n| n == 0) {
            return Err(Error::NeuronMissing { neuron });
        }
        Ok(total.finish(&shift))
    }
}

/// Checks that a design and counts belong together.
pub(crate) fn check_shapes<B: Backend>(design: &impl Design<B>, counts: &impl Design<B>) -> Result<(), Error> {
    for (name, rows, columns) in [
        ("design", design.n_samples(), design.n_features()),
        ("counts", counts.n_samples(), counts.n_features()),
    ] {
        if rows == 0 || columns == 0 {
            return Err(nemos_core::Error::Empty { name, rows, columns }.into());
        }
    }
    if design.n_samples() != counts.n_samples() {
        let (left, right) = (design.n_samples(), counts.n_samples());
        return Err(nemos_core::Error::RowsDiffer {
            left_name: "design",
            left,
            right_name: "counts",
            right,
        }
        .into());
    }
    // Two bins are the same to within a nanosecond, the precision of recorded times.
    const SAME: f64 = 1e-9;
    if let (Some(left), Some(right)) = (design.times(), counts.times())
        && let Some(row) = left.iter().zip(right).position(|(a, b)| (a - b).abs() > SAME)
    {
        return Err(Error::TimesDiffer {
            row,
            design: left[row],
            counts: right[row],
        });
    }
    Ok(())
}

/// A block as a design of its own, whose rows keep their numbers.
struct Block<'a, B: Backend> {
    matrix: &'a Matrix<B>,
    first: usize,
}

impl<B: Backend> Design<B> for Block<'_, B> {
    fn n_samples(&self) -> usize {
        self.matrix.dims()[0]
    }

    fn n_features(&self) -> usize {
        self.matrix.dims()[1]
    }

    fn block(&self, rows: std::ops::Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        self.matrix.rows(rows.start - self.first..rows.end - self.first)
    }
}

/// The means of the first complete rows: moments about them lose no digits to a large mean.
fn shift<B: Backend>(design: &impl Design<B>, blocks: &[std::ops::Range<usize>]) -> Result<Vec<f64>, Error> {
    for rows in blocks {
        let rows = rows.start..rows.end.min(rows.start + 1024);
        let block = design.block(rows.clone())?;
        if let Some(piece) = Piece::complete("design", &block, rows.start)?.first() {
            let features = piece
                .of(&Block {
                    matrix: &block,
                    first: rows.start,
                })?
                .to_array();
            return Ok(features.mean_axis(ndarray::Axis(0)).map(|mean| mean.to_vec()).unwrap_or_default());
        }
    }
    Ok(vec![0.0; design.n_features()])
}

impl Moments {
    fn new(n_features: usize, n_neurons: usize) -> Self {
        Moments {
            pieces: Vec::new(),
            n_rows: 0,
            sum: vec![0.0; n_features],
            products: Array2::zeros((n_features, n_features)),
            precision: PRECISION_F64,
            n_counts: vec![0; n_neurons],
            count_sum: vec![0.0; n_neurons],
        }
    }

    fn merge(mut self, other: Moments) -> Moments {
        self.pieces.extend(other.pieces);
        self.n_rows += other.n_rows;
        self.products += &other.products;
        self.precision = self.precision.max(other.precision);
        self.sum.iter_mut().zip(other.sum).for_each(|(a, b)| *a += b);
        self.n_counts.iter_mut().zip(other.n_counts).for_each(|(a, b)| *a += b);
        self.count_sum.iter_mut().zip(other.count_sum).for_each(|(a, b)| *a += b);
        self
    }

    fn add_features<B: Backend>(&mut self, features: &Matrix<B>, shift: &[f64]) {
        self.n_rows += features.dims()[0];
        let host = features.host();
        if let Some(values) = host.as_slice::<f64>() {
            self.add_host(values, shift);
        } else if let Some(values) = host.as_slice::<f32>() {
            self.precision = PRECISION_F32;
            self.add_host(values, shift);
        } else {
            self.precision = if B::DTYPE == DType::F64 {
                PRECISION_F64
            } else {
                PRECISION_TENSORS_F32
            };
            self.add_tensor(features, shift);
        }
    }

    fn add_host<E: HostFloat>(&mut self, features: &[E], shift: &[f64]) {
        let n_features = shift.len();
        let mut centred = Vec::with_capacity(features.len());
        for row in features.chunks_exact(n_features) {
            centred.extend(row.iter().zip(shift).map(|(x, shift)| x.into_f64() - shift));
        }
        for row in centred.chunks_exact(n_features) {
            self.sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        let centred = MatRef::from_row_major_slice(&centred, features.len() / n_features, n_features);
        let products = self.products.as_slice_mut().expect("made in standard layout");
        // Symmetric, so that the rows of the array may stand for its columns.
        triangular::matmul(
            MatMut::from_column_major_slice_mut(products, n_features, n_features),
            BlockStructure::TriangularLower,
            Accum::Add,
            centred.transpose(),
            BlockStructure::Rectangular,
            centred,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
    }

    fn add_tensor<B: Backend>(&mut self, features: &Matrix<B>, shift: &[f64]) {
        let n_features = shift.len();
        let shift = Matrix::<B>::from_vec(shift.to_vec(), [1, n_features]).expect("one shift per feature");
        let centred = features.clone().into_tensor() - shift.into_tensor();
        let sum = Matrix::<B>::from_tensor(centred.clone().sum_dim(0)).to_vec();
        let products = Matrix::<B>::from_tensor(centred.clone().transpose().matmul(centred)).to_array();
        self.sum.iter_mut().zip(sum).for_each(|(total, x)| *total += x);
        self.products += &products;
    }

    fn add_counts<B: Backend>(&mut self, counts: &Matrix<B>, first: usize, support: Support) -> Result<(), Error> {
        let n_neurons = self.n_counts.len();
        let mut add = |values: &mut dyn Iterator<Item = f64>| {
            for (index, value) in values.enumerate() {
                let (row, column) = (first + index / n_neurons, index % n_neurons);
                if value.is_nan() {
                    continue;
                }
                if value.is_infinite() {
                    return Err(nemos_core::Error::Infinite {
                        name: "counts",
                        row,
                        column,
                    }
                    .into());
                }
                if !support.contains(value) {
                    return Err(Error::OutsideSupport {
                        value,
                        row,
                        column,
                        expected: support.describe(),
                    });
                }
                self.n_counts[column] += 1;
                self.count_sum[column] += value;
            }
            Ok(())
        };
        let host = counts.host();
        if let Some(values) = host.as_slice::<f64>() {
            add(&mut values.iter().copied())
        } else {
            add(&mut counts.to_vec().into_iter())
        }
    }

    fn finish(self, shift: &[f64]) -> Survey {
        let n_rows = self.n_rows as f64;
        let offset: Vec<f64> = self.sum.iter().map(|sum| sum / n_rows).collect();
        let covariance = Array2::from_shape_fn(self.products.dim(), |(i, j)| {
            // The lower triangle of columns is the upper one of rows; tensors fill both.
            self.products[(i.min(j), i.max(j))] / n_rows - offset[i] * offset[j]
        });
        Survey {
            pieces: self.pieces,
            mean: offset.iter().zip(shift).map(|(offset, shift)| offset + shift).collect(),
            covariance,
            precision: self.precision,
            mean_count: self.count_sum.iter().zip(&self.n_counts).map(|(sum, &n)| sum / n as f64).collect(),
            n_counts: self.n_counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nemos_core::{Cpu, NdArray};

    fn data<B: Backend>(n_samples: usize) -> (Matrix<B>, Matrix<B>) {
        let value = |row: usize, column: usize| ((row * 7 + column * 13) % 11) as f64 * if column == 1 { 0.1 } else { 1.0 } + 2000.0;
        let mut features = Array2::from_shape_fn((n_samples, 3), |(row, column)| value(row, column));
        features[(1, 2)] = f64::NAN;
        let mut counts = Array2::from_shape_fn((n_samples, 2), |(row, column)| ((row + column) % 3) as f64);
        counts[(3, 1)] = f64::NAN;
        (features.into(), counts.into())
    }

    #[test]
    fn moments_are_those_of_the_complete_rows() {
        let (design, counts) = data::<Cpu>(5000);
        let survey = Survey::new(&design, &counts, Support::NonNegative).unwrap();
        let all = design.to_array();
        let rows: Vec<_> = all.rows().into_iter().filter(|row| !row.iter().any(|x| x.is_nan())).collect();
        let mean = |f: &dyn Fn(&ndarray::ArrayView1<'_, f64>) -> f64| rows.iter().map(f).sum::<f64>() / rows.len() as f64;
        for i in 0..3 {
            let mean_i = mean(&|row| row[i]);
            assert!((survey.mean[i] - mean_i).abs() < 1e-9);
            for j in 0..3 {
                let mean_j = mean(&|row| row[j]);
                let covariance = mean(&|row| (row[i] - mean_i) * (row[j] - mean_j));
                assert!((survey.covariance[(i, j)] - covariance).abs() < 1e-10, "{i} {j}");
            }
        }
        assert_eq!(survey.n_counts, [4999, 4998]);
    }

    #[test]
    fn tensors_and_slices_give_the_same_moments() {
        let (design, counts) = data::<Cpu>(3000);
        let (other_design, other_counts) = data::<NdArray>(3000);
        let a = Survey::new(&design, &counts, Support::NonNegative).unwrap();
        let b = Survey::new(&other_design, &other_counts, Support::NonNegative).unwrap();
        assert!((&a.covariance - &b.covariance).iter().all(|difference| difference.abs() < 1e-9));
        assert_eq!((a.n_counts, a.mean_count), (b.n_counts, b.mean_count));
    }
}
