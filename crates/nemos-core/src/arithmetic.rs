//! `+ − × ÷` of matrices, element by element.
//!
//! With a number there is always a result. Two matrices may not fit each other, so that their operators give a `Result`:
//! `(&counts / &rates)?`.

use std::ops::{Add, Div, Mul, Sub};

use burn_tensor::Tensor;

use crate::{Backend, Error, Matrix};

impl<B: Backend> Matrix<B> {
    /// Every element, taken through an operation on the device.
    fn each(self, operation: impl FnOnce(Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2>) -> Self {
        if self.dims().contains(&0) {
            return self;
        }
        Matrix::from_tensor(operation(self.into_tensor()))
    }

    /// Elements of two matrices of one shape; a right one of a single column goes with every column.
    fn with(
        &self,
        right: &Self,
        operation: impl FnOnce(Tensor<B::Burn, 2>, Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2>,
    ) -> Result<Self, Error> {
        let ([left_rows, columns], [right_rows, right_columns]) = (self.dims(), right.dims());
        if left_rows != right_rows {
            return Err(Error::RowsDiffer {
                left_name: "the left matrix",
                left: left_rows,
                right_name: "the right one",
                right: right_rows,
            });
        }
        if right_columns != columns && right_columns != 1 {
            return Err(Error::Columns {
                name: "the right matrix",
                got: right_columns,
                expected: columns,
                why: "as many as the left one has, or a single one for all",
            });
        }
        Ok(self.clone().each(|left| operation(left, right.clone().into_tensor())))
    }
}

impl<B: Backend> Add<f64> for &Matrix<B> {
    type Output = Matrix<B>;

    fn add(self, right: f64) -> Matrix<B> {
        self.clone().each(|left| left + right)
    }
}

impl<B: Backend> Sub<f64> for &Matrix<B> {
    type Output = Matrix<B>;

    fn sub(self, right: f64) -> Matrix<B> {
        self.clone().each(|left| left - right)
    }
}

impl<B: Backend> Mul<f64> for &Matrix<B> {
    type Output = Matrix<B>;

    fn mul(self, right: f64) -> Matrix<B> {
        self.clone().each(|left| left * right)
    }
}

impl<B: Backend> Div<f64> for &Matrix<B> {
    type Output = Matrix<B>;

    fn div(self, right: f64) -> Matrix<B> {
        self.clone().each(|left| left / right)
    }
}

impl<B: Backend> Add<f64> for Matrix<B> {
    type Output = Matrix<B>;

    fn add(self, right: f64) -> Matrix<B> {
        &self + right
    }
}

impl<B: Backend> Sub<f64> for Matrix<B> {
    type Output = Matrix<B>;

    fn sub(self, right: f64) -> Matrix<B> {
        &self - right
    }
}

impl<B: Backend> Mul<f64> for Matrix<B> {
    type Output = Matrix<B>;

    fn mul(self, right: f64) -> Matrix<B> {
        &self * right
    }
}

impl<B: Backend> Div<f64> for Matrix<B> {
    type Output = Matrix<B>;

    fn div(self, right: f64) -> Matrix<B> {
        &self / right
    }
}

impl<B: Backend> Add for &Matrix<B> {
    type Output = Result<Matrix<B>, Error>;

    fn add(self, right: Self) -> Self::Output {
        self.with(right, |left, right| left + right)
    }
}

impl<B: Backend> Sub for &Matrix<B> {
    type Output = Result<Matrix<B>, Error>;

    fn sub(self, right: Self) -> Self::Output {
        self.with(right, |left, right| left - right)
    }
}

impl<B: Backend> Mul for &Matrix<B> {
    type Output = Result<Matrix<B>, Error>;

    fn mul(self, right: Self) -> Self::Output {
        self.with(right, |left, right| left * right)
    }
}

impl<B: Backend> Div for &Matrix<B> {
    type Output = Result<Matrix<B>, Error>;

    fn div(self, right: Self) -> Self::Output {
        self.with(right, |left, right| left / right)
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::Cpu;

    fn matrix(values: &[f64], dims: [usize; 2]) -> Matrix<Cpu> {
        Matrix::from_vec(values.to_vec(), dims).expect("as many values as the shape has")
    }

    #[test]
    fn numbers_go_with_every_element() {
        let doubled = (matrix(&[1.0, 2.0, f64::NAN], [3, 1]) * 2.0 - 1.0).to_vec();
        assert_eq!(doubled[..2], [1.0, 3.0]);
        assert!(doubled[2].is_nan());
        assert_eq!((Matrix::<Cpu>::zeros([0, 3]) / 2.0 + 1.0).dims(), [0, 3]);
    }

    #[test]
    fn matrices_go_element_by_element_and_a_column_with_each() {
        let left = matrix(&[1.0, 2.0, 3.0, 4.0], [2, 2]);
        assert_eq!((&left * &left).unwrap().to_vec(), [1.0, 4.0, 9.0, 16.0]);
        assert_eq!((&left / &matrix(&[1.0, 2.0], [2, 1])).unwrap().to_vec(), [1.0, 2.0, 1.5, 2.0]);
        let error = (&left + &Matrix::zeros([2, 3])).unwrap_err().to_string();
        assert!(error.contains("the right matrix has 3 columns; 2 are needed"), "{error}");
        assert!((&left - &Matrix::zeros([3, 2])).is_err());
    }
}
