//! Numbers with sixteen digits or with thirty-one, and what little linear algebra is done in both.
//!
//! # References
//! Hida, Li & Bailey (2001), *15th IEEE Symposium on Computer Arithmetic*; Björck (1967), *BIT* 7.

use std::ops::{Add, Div, Mul, Neg, Sub};

use qd::Quad;

/// A number, and what its rounding leaves of numbers about one in size.
pub(crate) trait Digits:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// Numbers up to this may be rounding alone.
    const NOTHING: f64;
    /// Numbers from this on are more than rounding; of those between nothing is known.
    const SOMETHING: f64;

    fn new(x: f64) -> Self;
    fn rounded(self) -> f64;
    fn root(self) -> Self;
}

// Rounding is 1e-16: sums over thousands of rows lose three digits more, quotients by what just counts as something seven.
impl Digits for f64 {
    const NOTHING: f64 = 1e-13;
    const SOMETHING: f64 = 1e-9;

    fn new(x: f64) -> Self {
        x
    }

    fn rounded(self) -> f64 {
        self
    }

    fn root(self) -> Self {
        self.sqrt()
    }
}

// Rounding is 5e-32: the same with more room, since products of several small differences of features have to be told from it.
impl Digits for Quad {
    const NOTHING: f64 = 1e-27;
    const SOMETHING: f64 = 1e-20;

    fn new(x: f64) -> Self {
        Quad::from_f64(x)
    }

    fn rounded(self) -> f64 {
        self.0
    }

    fn root(self) -> Self {
        self.sqrt()
    }
}

/// Whether a number of a size about one is more than rounding; nothing where that is not known.
pub(crate) fn is_something<D: Digits>(size: f64) -> Option<bool> {
    match size {
        size if size <= D::NOTHING => Some(false),
        size if size >= D::SOMETHING => Some(true),
        _ => None,
    }
}

pub(crate) fn dot<D: Digits>(a: &[D], b: &[D]) -> D {
    a.iter().zip(b).fold(D::new(0.0), |sum, (a, b)| sum + *a * *b)
}

pub(crate) fn norm<D: Digits>(vector: &[D]) -> D {
    dot(vector, vector).root()
}

/// `a += factor · b`
pub(crate) fn add_scaled<D: Digits>(a: &mut [D], factor: D, b: &[D]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a = *a + factor * *b);
}

/// The same direction with a length of one; nothing of a vector of zeros.
pub(crate) fn unit<D: Digits>(vector: &[D]) -> Option<Vec<D>> {
    let length = norm(vector);
    let inverse = D::new(1.0) / length;
    (length.rounded() > 0.0).then(|| vector.iter().map(|x| *x * inverse).collect())
}

/// What is left of a vector beside orthonormal ones, and its parts along them. Twice, so that what is left is orthogonal to the last digit.
fn beside<D: Digits>(basis: &[Vec<D>], vector: &[D]) -> (Vec<D>, Vec<D>) {
    let (mut rest, mut parts) = (vector.to_vec(), vec![D::new(0.0); basis.len()]);
    for _ in 0..2 {
        for (part, direction) in parts.iter_mut().zip(basis) {
            let along = dot(direction, &rest);
            add_scaled(&mut rest, -along, direction);
            *part = *part + along;
        }
    }
    (rest, parts)
}

/// An orthonormal basis of what no row of unit length sees; nothing where rounding decides whether rows depend on each other.
pub(crate) fn null_space<D: Digits>(rows: &[Vec<D>], width: usize) -> Option<Vec<Vec<D>>> {
    let mut seen = Vec::new();
    extend(&mut seen, rows.to_vec(), width, |size| is_something::<D>(size))?;
    // The axes that have most left beside all that is seen span the rest.
    let axis = |axis: usize| {
        (0..width)
            .map(|place| D::new(f64::from(u8::from(place == axis))))
            .collect::<Vec<D>>()
    };
    let axes = (0..width).map(|place| beside(&seen, &axis(place)).0).collect();
    let n_seen = seen.len();
    extend(&mut seen, axes, width, |_| Some(true))?;
    Some(seen.split_off(n_seen))
}

/// Adds orthonormal directions until there are `width`, each time of the vector that has most left beside those before, as long as that
/// counts; nothing where that is not known.
fn extend<D: Digits>(basis: &mut Vec<Vec<D>>, mut left: Vec<Vec<D>>, width: usize, counts: impl Fn(f64) -> Option<bool>) -> Option<()> {
    while basis.len() < width {
        let sizes = left.iter().map(|vector| norm(vector).rounded()).enumerate();
        let Some((longest, size)) = sizes.max_by(|a, b| a.1.total_cmp(&b.1)) else {
            break;
        };
        if !counts(size)? {
            break;
        }
        let direction = unit(&beside(basis, &left[longest]).0)?;
        for vector in &mut left {
            let along = dot(&direction, vector);
            add_scaled(vector, -along, &direction);
        }
        basis.push(direction);
    }
    Some(())
}

/// The least squares of `Σ solutionⱼ columnⱼ ≈ target`; nothing where columns of unit length depend on each other, or nearly.
pub(crate) fn least_squares<D: Digits>(columns: &[&[D]], target: &[D]) -> Option<Vec<D>> {
    let (mut basis, mut triangle): (Vec<Vec<D>>, Vec<Vec<D>>) = (Vec::new(), Vec::new());
    for column in columns {
        let (rest, mut parts) = beside(&basis, column);
        if !is_something::<D>(norm(&rest).rounded())? {
            return None;
        }
        parts.push(norm(&rest));
        triangle.push(parts);
        basis.push(unit(&rest)?);
    }
    let mut solution = beside(&basis, target).1;
    for place in (0..solution.len()).rev() {
        solution[place] = solution[place] / triangle[place][place];
        let value = solution[place];
        for before in 0..place {
            solution[before] = solution[before] - triangle[place][before] * value;
        }
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quads(rows: &[&[f64]]) -> Vec<Vec<Quad>> {
        rows.iter().map(|row| row.iter().map(|x| Quad::new(*x)).collect()).collect()
    }

    #[test]
    fn what_differs_by_the_last_digit_is_told_apart_in_twice_the_digits() {
        let rows: [&[f64]; 2] = [&[1.0, 1.0, 0.0], &[1.0, 1.0 + f64::EPSILON, 0.0]];
        let found = null_space(&quads(&rows), 3).unwrap();
        assert_eq!(found.len(), 1);
        assert!((found[0][2].rounded().abs() - 1.0).abs() < 1e-15, "{found:?}");
        let doubles: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
        assert!(null_space(&doubles, 3).is_none_or(|found| found.len() == 2));
    }

    #[test]
    fn no_row_sees_anything_of_the_null_space() {
        let rows = quads(&[&[3.0, 4.0, 0.0, 0.0], &[0.0, 3.0, 4.0, 0.0], &[3.0, 7.0, 4.0, 0.0]]);
        let rows: Vec<Vec<Quad>> = rows.iter().map(|row| unit(row).unwrap()).collect();
        let found = null_space(&rows, 4).unwrap();
        assert_eq!(found.len(), 2);
        for (row, direction) in rows.iter().flat_map(|row| found.iter().map(move |direction| (row, direction))) {
            assert!(dot(row, direction).rounded().abs() < 1e-30);
        }
        assert_eq!(null_space::<f64>(&[], 2).unwrap().len(), 2);
    }

    #[test]
    fn least_squares_of_hilbert_columns_are_exact() {
        let columns: Vec<Vec<Quad>> = (0..6)
            .map(|j| unit(&(0..6).map(|i| Quad::new(1.0) / Quad::new(f64::from(i + j + 1))).collect::<Vec<_>>()).unwrap())
            .collect();
        let target = columns.iter().fold(vec![Quad::new(0.0); 6], |mut sum, column| {
            add_scaled(&mut sum, Quad::new(2.0), column);
            sum
        });
        let columns: Vec<&[Quad]> = columns.iter().map(Vec::as_slice).collect();
        for value in least_squares(&columns, &target).unwrap() {
            assert!((value - Quad::new(2.0)).rounded().abs() < 1e-20, "{value:?}");
        }
    }
}
