//! Products of features: with coefficients, and with slopes.

use burn_tensor::{Tensor, TensorPrimitive};
use ndarray::Array2;

use super::sums::in_parts;
use super::{Sums, check_launch};
use crate::matrix::primitive;
use crate::{Backend, Error, Matrix, Products};

/// Terms of a sum in one part: what `f32` adds with an error below 1e-6 of the norm.
const TERMS: usize = 1000;
/// The same where tensor cores add, which round more at each step.
const TERMS_SPLIT: usize = 200;

/// Features of a chunk of rows, ready for the two products of a pass: `X · W` and `Xᵀ · S`.
///
/// Both are within 5e-6 of their norm on every backend, however many rows the chunk has. What a backend needs made of the
/// features is made once, here, so that a fit keeps its operands for all its passes.
///
/// # Shapes
/// `features`: `[n_rows, n_features]`. Any of the shapes below may be without elements.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix, Operand};
/// let features = Operand::new(Matrix::<Cpu>::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2])?);
/// let slopes = Matrix::<Cpu>::from_column(vec![1.0, -1.0]).into_tensor();
/// assert_eq!(features.gradient(slopes)?, ndarray::array![[-2.0], [-2.0]]);
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Operand<B: Backend> {
    features: Matrix<B>,
    halves: Option<Halves<B>>,
}

impl<B: Backend> Operand<B> {
    /// Makes features ready.
    pub fn new(features: Matrix<B>) -> Self {
        let split = B::PRODUCTS == Products::Split && !features.dims().contains(&0);
        let halves = split.then(|| Halves::of(features.clone().into_tensor()));
        Operand { features, halves }
    }

    /// The features.
    pub fn features(&self) -> &Matrix<B> {
        &self.features
    }

    /// `X · W`.
    ///
    /// # Shapes
    /// `coef`: `[n_features, n_columns]`; the result: `[n_rows, n_columns]`.
    pub fn predictor(&self, coef: Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2> {
        let ([rows, inner], columns) = (self.features.dims(), coef.dims()[1]);
        if rows * inner * columns == 0 {
            return Matrix::<B>::zeros([rows, columns]).into_tensor();
        }
        check_launch("predictor", &[rows, inner, columns]);
        match &self.halves {
            Some(halves) => halves.product(&Halves::of(coef)),
            None => multiply_as::<B>(B::PRODUCTS, self.features.clone().into_tensor(), coef),
        }
    }

    /// `Xᵀ · S`.
    ///
    /// # Shapes
    /// `slopes`: `[n_rows, n_columns]`; the result: `[n_features, n_columns]`.
    ///
    /// # Errors
    /// [`Error::Device`] if a device fails.
    pub fn gradient(&self, slopes: Tensor<B::Burn, 2>) -> Result<Array2<f64>, Error> {
        let mut sums = Sums::new();
        sums.gradient(self, slopes);
        sums.read_one()
    }

    /// `Σ_t w_t x_t x_tᵀ`, with `w = 1` where there are no weights.
    ///
    /// # Shapes
    /// `weights`: `[n_rows, 1]`; the result: `[n_features, n_features]`.
    ///
    /// # Errors
    /// [`Error::Device`] if a device fails.
    pub fn second_moment(&self, weights: Option<Tensor<B::Burn, 2>>) -> Result<Array2<f64>, Error> {
        let mut sums = Sums::new();
        sums.second_moment(self, weights);
        sums.read_one()
    }

    /// The features, each row times its weight.
    pub(super) fn weighted(&self, weights: Option<Tensor<B::Burn, 2>>) -> Tensor<B::Burn, 2> {
        let features = self.features.clone().into_tensor();
        match weights {
            Some(weights) if !self.features.dims().contains(&0) => features * weights,
            _ => features,
        }
    }

    /// `Xᵀ · S` in parts: each tensor is `[n_parts, n_features, n_columns]`, and what is asked for is the sum of all parts.
    pub(super) fn gradient_parts(&self, slopes: Tensor<B::Burn, 2>) -> Vec<Tensor<B::Burn, 3>> {
        let [rows, inner] = self.features.dims();
        check_launch("gradient", &[rows, inner, slopes.dims()[1]]);
        match &self.halves {
            Some(halves) => halves.transposed_parts(&Halves::of(slopes)),
            None => transposed_parts_as::<B>(B::PRODUCTS, self.features.clone().into_tensor(), slopes),
        }
    }
}

/// `left · right`, neither of them empty.
pub(crate) fn multiply<B: Backend>(left: Tensor<B::Burn, 2>, right: Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2> {
    multiply_as::<B>(B::PRODUCTS, left, right)
}

fn multiply_as<B: Backend>(products: Products, left: Tensor<B::Burn, 2>, right: Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2> {
    match products {
        Products::Plain | Products::InParts => left.matmul(right),
        Products::Split => Halves::<B>::of(left).product(&Halves::of(right)),
        Products::Own => {
            let (n_terms, n_rows, n_columns) = (left.dims()[1], left.dims()[0], right.dims()[1]);
            // A few features more than a part holds are not worth a second one.
            let terms = if n_terms <= 4 * TERMS { n_terms } else { TERMS };
            let Some(parts) = B::own_product(primitive::<B, 2>(left.clone()), primitive::<B, 2>(right.clone()), terms) else {
                return left.matmul(right);
            };
            let parts = Tensor::<B::Burn, 3>::from_primitive(TensorPrimitive::Float(parts));
            let n_parts = n_terms.div_ceil(terms);
            if n_parts == 1 {
                return parts.reshape([n_rows, n_columns]);
            }
            let sums = in_parts::<B>(parts.reshape([n_parts, n_rows * n_columns]), n_parts);
            sums.into_iter()
                .fold(Tensor::zeros([n_rows, n_columns], (&B::device(), B::DTYPE)), |sum, part| {
                    sum + part.reshape([n_rows, n_columns])
                })
        }
    }
}

fn transposed_parts_as<B: Backend>(products: Products, left: Tensor<B::Burn, 2>, right: Tensor<B::Burn, 2>) -> Vec<Tensor<B::Burn, 3>> {
    match products {
        Products::Plain => vec![left.transpose().matmul(right).unsqueeze()],
        Products::InParts => batched::<B>(&left, &right, TERMS),
        Products::Split => Halves::<B>::of(left).transposed_parts(&Halves::of(right)),
        Products::Own => match B::own_transposed_product(primitive::<B, 2>(left.clone()), primitive::<B, 2>(right.clone()), TERMS) {
            Some(parts) => vec![Tensor::from_primitive(TensorPrimitive::Float(parts))],
            None => batched::<B>(&left, &right, TERMS),
        },
    }
}

/// `leftᵀ · right` as one batch of short products, and one product of the rows that remain.
fn batched<B: Backend>(left: &Tensor<B::Burn, 2>, right: &Tensor<B::Burn, 2>, terms: usize) -> Vec<Tensor<B::Burn, 3>> {
    let [rows, inner] = left.dims();
    let columns = right.dims()[1];
    let n_parts = rows / terms;
    let whole = n_parts * terms;
    let mut parts = Vec::new();
    if n_parts > 0 {
        let left = left.clone().narrow(0, 0, whole).reshape([n_parts, terms, inner]);
        let right = right.clone().narrow(0, 0, whole).reshape([n_parts, terms, columns]);
        parts.push(left.swap_dims(1, 2).matmul(right));
    }
    if whole < rows {
        let rest = |tensor: &Tensor<B::Burn, 2>| tensor.clone().narrow(0, whole, rows - whole);
        parts.push(rest(left).transpose().matmul(rest(right)).unsqueeze());
    }
    parts
}

/// A factor in two halves of eleven bits, which tensor cores multiply without rounding:
///
/// ```text
/// c = 8193 a;  aʰ = c − (c − a);  aˡ = a − aʰ;  a·b ≈ aʰ·bʰ + (aʰ·bˡ + aˡ·bʰ)
/// ```
///
/// # References
/// Dekker (1971), *Numerische Mathematik* 18(3), for the halves. doi:10.1007/BF01397083
#[derive(Clone, Debug)]
struct Halves<B: Backend> {
    high: Tensor<B::Burn, 2>,
    low: Tensor<B::Burn, 2>,
}

impl<B: Backend> Halves<B> {
    fn of(factor: Tensor<B::Burn, 2>) -> Self {
        let c = factor.clone() * 8193.0;
        let high = c.clone() - (c - factor.clone());
        let low = factor - high.clone();
        Halves { high, low }
    }

    fn product(&self, right: &Self) -> Tensor<B::Burn, 2> {
        let of = |left: &Tensor<B::Burn, 2>, right: &Tensor<B::Burn, 2>| left.clone().matmul(right.clone());
        of(&self.high, &right.high) + (of(&self.high, &right.low) + of(&self.low, &right.high))
    }

    fn transposed_parts(&self, right: &Self) -> Vec<Tensor<B::Burn, 3>> {
        let mut parts = batched::<B>(&self.high, &right.high, TERMS_SPLIT);
        // The small ones are as exact in longer sums.
        parts.extend(batched::<B>(&self.high, &right.low, TERMS));
        parts.extend(batched::<B>(&self.low, &right.high, TERMS));
        parts
    }
}
