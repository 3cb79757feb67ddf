//! Products of matrices in host memory, each on the thread that asks for it.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{ArrayView2, ArrayViewMut2};

use crate::HostFloat;
use crate::addresses;

/// What happens to the numbers that a product is written to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Onto {
    /// They are replaced.
    Nothing,
    /// The product is added to them.
    Them,
}

/// `to = left · right`, or `to += left · right`.
///
/// # Shapes
/// `to`: `[n, m]`; `left`: `[n, k]`; `right`: `[k, m]`, in any order in memory.
///
/// # Panics
/// If the shapes do not fit.
///
/// # Example
/// ```
/// use ndarray::{Array2, array};
/// use nemos_core::{Onto, multiply};
/// let (left, right) = (array![[1.0, 2.0], [3.0, 4.0]], array![[1.0], [10.0]]);
/// let mut to = Array2::zeros((2, 1));
/// multiply(to.view_mut(), Onto::Nothing, left.view(), right.view());
/// assert_eq!(to, array![[21.0], [43.0]]);
/// ```
pub fn multiply<E: HostFloat>(mut to: ArrayViewMut2<'_, E>, onto: Onto, left: ArrayView2<'_, E>, right: ArrayView2<'_, E>) {
    if addresses::are_few() {
        return multiply_in_few(to, onto, left, right);
    }
    matmul(
        of_faer_mut(&mut to),
        accum(onto),
        of_faer(&left),
        of_faer(&right),
        E::from_f64(1.0),
        Par::Seq,
    );
}

/// The same in buffers no larger than the second cache.
fn multiply_in_few<E: HostFloat>(mut to: ArrayViewMut2<'_, E>, onto: Onto, left: ArrayView2<'_, E>, right: ArrayView2<'_, E>) {
    let ([n, k], m) = ([left.nrows(), left.ncols()], right.ncols());
    assert!(right.nrows() == k && to.dim() == (n, m), "shapes fit");
    let (down, across) = (to.strides()[0], to.strides()[1]);
    // SAFETY: the views say where their numbers are, of which those of `to` are borrowed alone; the shapes fit each other.
    #[expect(unsafe_code, reason = "the library takes pointers")]
    unsafe {
        gemm::gemm(
            n,
            m,
            k,
            to.as_mut_ptr(),
            across,
            down,
            onto == Onto::Them,
            left.as_ptr(),
            left.strides()[1],
            left.strides()[0],
            right.as_ptr(),
            right.strides()[1],
            right.strides()[0],
            E::from_f64(1.0),
            E::from_f64(1.0),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The same for a product that is symmetric: its lower triangle, the other numbers of `to` being left as they are or not.
///
/// # Shapes
/// `to`: `[n, n]`; `left`: `[n, k]`; `right`: `[k, n]`, in any order in memory.
///
/// # Panics
/// If the shapes do not fit.
pub fn multiply_lower<E: HostFloat>(mut to: ArrayViewMut2<'_, E>, onto: Onto, left: ArrayView2<'_, E>, right: ArrayView2<'_, E>) {
    if addresses::are_few() {
        return multiply(to, onto, left, right);
    }
    triangular::matmul(
        of_faer_mut(&mut to),
        BlockStructure::TriangularLower,
        accum(onto),
        of_faer(&left),
        BlockStructure::Rectangular,
        of_faer(&right),
        BlockStructure::Rectangular,
        E::from_f64(1.0),
        Par::Seq,
    );
}

fn accum(onto: Onto) -> Accum {
    match onto {
        Onto::Nothing => Accum::Replace,
        Onto::Them => Accum::Add,
    }
}

fn of_faer<'m, E>(matrix: &'m ArrayView2<'_, E>) -> MatRef<'m, E> {
    let (rows, columns) = matrix.dim();
    let strides = matrix.strides();
    // SAFETY: a view of ndarray says where its numbers are, and borrows them for as long.
    #[expect(unsafe_code, reason = "one library's view of memory becomes another's")]
    unsafe {
        MatRef::from_raw_parts(matrix.as_ptr(), rows, columns, strides[0], strides[1])
    }
}

fn of_faer_mut<'m, E>(matrix: &'m mut ArrayViewMut2<'_, E>) -> MatMut<'m, E> {
    let (rows, columns) = matrix.dim();
    let (down, right) = (matrix.strides()[0], matrix.strides()[1]);
    // SAFETY: as above; the view borrows the numbers alone, and none is in two places.
    #[expect(unsafe_code, reason = "one library's view of memory becomes another's")]
    unsafe {
        MatMut::from_raw_parts_mut(matrix.as_mut_ptr(), rows, columns, down, right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, ShapeBuilder};

    #[test]
    fn products_are_those_of_ndarray_in_any_order_of_memory() {
        let number = |(row, column): (usize, usize)| ((row * 31 + column * 17) % 13) as f64 - 6.0;
        let (left, right) = (Array2::from_shape_fn((5, 7), number), Array2::from_shape_fn((7, 5), number));
        let falls = Array2::from_shape_fn((7, 5).f(), number);
        let expected = left.dot(&right);
        for right in [right.view(), falls.view()] {
            let mut to = Array2::from_elem((5, 5), f64::NAN);
            multiply(to.view_mut(), Onto::Nothing, left.view(), right);
            assert_eq!(to, expected);
            multiply(to.view_mut().reversed_axes(), Onto::Them, right.t(), left.t());
            assert_eq!(to, &expected * 2.0);
        }
        for (rows, inner, columns) in [(5, 7, 5), (40, 300, 3), (1, 9, 1), (4, 0, 2), (0, 3, 2), (2, 3, 0)] {
            let (left, right) = (
                Array2::from_shape_fn((rows, inner), number),
                Array2::from_shape_fn((inner, columns), number),
            );
            let falls = Array2::from_shape_fn((inner, columns).f(), number);
            for right in [right.view(), falls.view()] {
                let mut to = Array2::from_elem((rows, columns), f64::NAN);
                multiply_in_few(to.view_mut(), Onto::Nothing, left.view(), right);
                assert_eq!(to, left.dot(&right));
                multiply_in_few(to.view_mut().reversed_axes(), Onto::Them, right.t(), left.t());
                assert_eq!(to, &left.dot(&right) * 2.0);
            }
        }
        let mut lower = Array2::zeros((5, 5));
        multiply_lower(lower.view_mut(), Onto::Nothing, left.view(), left.t());
        let square = left.dot(&left.t());
        for (row, column) in (0..5).flat_map(|row| (0..=row).map(move |column| (row, column))) {
            assert_eq!(lower[(row, column)], square[(row, column)]);
        }
    }
}
