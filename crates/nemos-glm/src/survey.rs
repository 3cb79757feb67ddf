//! One pass over the data before a fit: which rows can be used, and the moments of the features over them.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::Array2;
use nemos_core::tensor::DType;
use nemos_core::{Backend, Design, HostFloat, Matrix, first_time_apart, row_blocks};

use crate::per_row::PerRow;
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
    /// `[n_neurons]`: complete rows of positive weight in which the neuron's count is not missing.
    pub(crate) n_counts: Vec<usize>,
    /// `[n_neurons]`: their weights together; as many as there are, where rows have no weights.
    pub(crate) weight: Vec<f64>,
    /// `[n_neurons]`: mean count over those rows.
    pub(crate) mean_count: Vec<f64>,
    /// `[n_neurons]`: mean offset over those rows, zero where there is none.
    pub(crate) mean_offset: Vec<f64>,
    /// Whether the design has an offset.
    pub(crate) has_offset: bool,
}

/// Sums over some of the rows.
struct Moments {
    pieces: Vec<Piece>,
    n_rows: f64,
    /// Sums of the features, less a shift.
    sum: Vec<f64>,
    /// Sums of their products, less a shift: the lower triangle.
    products: Array2<f64>,
    precision: f64,
    n_counts: Vec<usize>,
    weight: Vec<f64>,
    count_sum: Vec<f64>,
    offset_sum: Vec<f64>,
    has_offset: bool,
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
        let blocks: Vec<_> = row_blocks(n_samples, B::block_rows(n_features + n_neurons)).collect();
        let shift = shift(design, &blocks)?;
        let shards = in_shards(&blocks, |blocks| {
            let mut moments = Moments::new(n_features, n_neurons);
            for rows in blocks {
                let block = design.block(rows.clone())?;
                for piece in complete_pieces(design, &block, rows.clone())? {
                    let features = piece.of(&Block {
                        matrix: &block,
                        first: rows.start,
                    })?;
                    let weights = piece.of_some(|rows| design.weights(rows))?;
                    let offset = piece.of_some(|rows| design.offset(rows))?;
                    check_columns("weights", weights.as_ref(), n_neurons)?;
                    check_columns("offset", offset.as_ref(), n_neurons)?;
                    moments.add_features(&features, weights.as_ref(), &shift);
                    let row_of = |index| piece.row(index);
                    let extras = Extras {
                        weights: weights.as_ref().map(PerRow::new),
                        offset: offset.as_ref().map(PerRow::new),
                    };
                    moments.add_counts(&piece.of(counts)?, extras, support, &row_of)?;
                    moments.pieces.push(piece);
                }
            }
            Ok::<_, Error>(moments)
        })?;
        let total = shards
            .into_iter()
            .reduce(Moments::merge)
            .unwrap_or_else(|| Moments::new(n_features, n_neurons));
        if total.n_rows == 0.0 {
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
    if let (Some(left), Some(right)) = (design.times(), counts.times())
        && let Some(row) = first_time_apart(left, right)
    {
        return Err(Error::TimesDiffer {
            row,
            design: left[row],
            counts: right[row],
        });
    }
    Ok(())
}

fn check_columns<B: Backend>(name: &'static str, values: Option<&Matrix<B>>, n_neurons: usize) -> Result<(), Error> {
    match values.map(|values| values.dims()[1]) {
        None | Some(1) => Ok(()),
        Some(got) if got == n_neurons => Ok(()),
        Some(got) => Err(nemos_core::Error::Columns {
            name,
            got,
            expected: n_neurons,
            why: "one per neuron, or one for all",
        }
        .into()),
    }
}

/// The rows of a block without NaN, in the features or the offset.
pub(crate) fn complete_pieces<B: Backend>(
    design: &impl Design<B>,
    block: &Matrix<B>,
    rows: std::ops::Range<usize>,
) -> Result<Vec<Piece>, nemos_core::Error> {
    match design.offset(rows.clone())? {
        None => Piece::complete("design", block, rows.start),
        Some(offset) => Piece::complete("design", &Matrix::beside(vec![block.clone(), offset])?, rows.start),
    }
}

/// Weights and offsets of some rows, on the host.
struct Extras {
    weights: Option<PerRow>,
    offset: Option<PerRow>,
}

/// A block as a design of its own, whose rows keep their numbers.
pub(crate) struct Block<'a, B: Backend> {
    pub(crate) matrix: &'a Matrix<B>,
    pub(crate) first: usize,
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
        if let Some(piece) = complete_pieces(design, &block, rows.clone())?.first() {
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
            n_rows: 0.0,
            sum: vec![0.0; n_features],
            products: Array2::zeros((n_features, n_features)),
            precision: PRECISION_F64,
            n_counts: vec![0; n_neurons],
            weight: vec![0.0; n_neurons],
            count_sum: vec![0.0; n_neurons],
            offset_sum: vec![0.0; n_neurons],
            has_offset: false,
        }
    }

    fn merge(mut self, other: Moments) -> Moments {
        self.pieces.extend(other.pieces);
        self.n_rows += other.n_rows;
        self.products += &other.products;
        self.precision = self.precision.max(other.precision);
        self.has_offset |= other.has_offset;
        self.n_counts.iter_mut().zip(other.n_counts).for_each(|(a, b)| *a += b);
        for (mine, theirs) in [
            (&mut self.sum, other.sum),
            (&mut self.weight, other.weight),
            (&mut self.count_sum, other.count_sum),
            (&mut self.offset_sum, other.offset_sum),
        ] {
            mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
        }
        self
    }

    fn add_features<B: Backend>(&mut self, features: &Matrix<B>, weights: Option<&Matrix<B>>, shift: &[f64]) {
        // A row counts as much as it does for the mean neuron.
        let weights = weights.map(|weights| {
            let width = weights.dims()[1];
            let rows = weights.to_vec();
            rows.chunks_exact(width)
                .map(|row| row.iter().sum::<f64>() / width as f64)
                .collect::<Vec<_>>()
        });
        self.n_rows += weights.as_ref().map_or(features.dims()[0] as f64, |weights| weights.iter().sum());
        let host = features.host();
        if let Some(values) = host.as_slice::<f64>() {
            self.add_host(values, weights, shift);
        } else if let Some(values) = host.as_slice::<f32>() {
            self.precision = PRECISION_F32;
            self.add_host(values, weights, shift);
        } else {
            self.precision = if B::DTYPE == DType::F64 {
                PRECISION_F64
            } else {
                PRECISION_TENSORS_F32
            };
            self.add_tensor(features, weights, shift);
        }
    }

    fn add_host<E: HostFloat>(&mut self, features: &[E], weights: Option<Vec<f64>>, shift: &[f64]) {
        let n_features = shift.len();
        let mut centred = Vec::with_capacity(features.len());
        for row in features.chunks_exact(n_features) {
            centred.extend(row.iter().zip(shift).map(|(x, shift)| x.into_f64() - shift));
        }
        for (index, row) in centred.chunks_exact_mut(n_features).enumerate() {
            let weight = weights.as_ref().map_or(1.0, |weights| weights[index]);
            self.sum.iter_mut().zip(&*row).for_each(|(sum, x)| *sum += weight * x);
            if weight != 1.0 {
                row.iter_mut().for_each(|x| *x *= weight.sqrt());
            }
        }
        self.add_products(&centred);
    }

    /// Adds the products of rows of centred features.
    #[inline(never)]
    fn add_products(&mut self, centred: &[f64]) {
        let n_features = self.sum.len();
        let centred = MatRef::from_row_major_slice(centred, centred.len() / n_features, n_features);
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

    fn add_tensor<B: Backend>(&mut self, features: &Matrix<B>, weights: Option<Vec<f64>>, shift: &[f64]) {
        let n_features = shift.len();
        let shift = Matrix::<B>::from_vec(shift.to_vec(), [1, n_features]).expect("one shift per feature");
        let centred = features.clone().into_tensor() - shift.into_tensor();
        let weighted = match weights {
            None => centred.clone(),
            Some(weights) => centred.clone() * Matrix::<B>::from_column(weights).into_tensor(),
        };
        let sum = Matrix::<B>::from_tensor(weighted.clone().sum_dim(0)).to_vec();
        let products = Matrix::<B>::from_tensor(weighted.transpose().matmul(centred)).to_array();
        self.sum.iter_mut().zip(sum).for_each(|(total, x)| *total += x);
        self.products += &products;
    }

    fn add_counts<B: Backend>(
        &mut self,
        counts: &Matrix<B>,
        extras: Extras,
        support: Support,
        row_of: &dyn Fn(usize) -> usize,
    ) -> Result<(), Error> {
        let n_neurons = self.n_counts.len();
        self.has_offset |= extras.offset.is_some();
        let mut add = |values: &mut dyn Iterator<Item = f64>| {
            for (index, value) in values.enumerate() {
                let (row, column) = (index / n_neurons, index % n_neurons);
                if value.is_nan() {
                    continue;
                }
                if value.is_infinite() {
                    return Err(nemos_core::Error::Infinite {
                        name: "counts",
                        row: row_of(row),
                        column,
                    }
                    .into());
                }
                if !support.contains(value) {
                    return Err(Error::OutsideSupport {
                        value,
                        row: row_of(row),
                        column,
                        expected: support.describe(),
                    });
                }
                let weight = extras.weights.as_ref().map_or(1.0, |weights| weights.at(row, column));
                if weight > 0.0 {
                    self.n_counts[column] += 1;
                    self.weight[column] += weight;
                    self.count_sum[column] += weight * value;
                    if let Some(offset) = &extras.offset {
                        self.offset_sum[column] += weight * offset.at(row, column);
                    }
                }
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
        let n_rows = self.n_rows;
        let means = |sums: Vec<f64>| sums.iter().zip(&self.weight).map(|(sum, weight)| sum / weight).collect();
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
            mean_count: means(self.count_sum),
            mean_offset: means(self.offset_sum),
            has_offset: self.has_offset,
            n_counts: self.n_counts,
            weight: self.weight,
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
