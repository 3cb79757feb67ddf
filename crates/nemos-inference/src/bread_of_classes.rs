//! The inverse information of a classifier: one of its classes follows from the others.
//!
//! Adding the same numbers to the parameters of all classes changes no probability. So the parameters of the first class are held at
//! zero, where nothing else tells them: intercepts, and coefficients that are free in all classes and have no penalty. Differences
//! between classes are the same whatever is held, and nothing but these is said of the parameters.

use ndarray::{Array2, Axis, s};
use nemos_core::{SymmetricEigen, inverse_positive_definite};

use crate::bread::{Bread, Known, orthonormal};
use crate::symmetric::Symmetric;
use crate::unavailable::Unavailable;

/// The inverse of the information of all classes, `[n_classes · (n_features + 1), ..]` on either side.
pub(crate) fn invert(information: &Array2<f64>, known: &Known<'_>) -> Result<Bread, Unavailable> {
    let n_intercepts = information.nrows() / known.columns.width() - 1;
    let places = places(information.nrows(), known);
    let mut reduced = information.select(Axis(0), &places).select(Axis(1), &places);
    if let Some(ridge) = &known.ridge {
        places.iter().enumerate().for_each(|(i, &place)| reduced[(i, i)] += ridge[place]);
    }
    let scale = scales(&reduced, &places, known.columns.width())?;
    let correlation = Array2::from_shape_fn(reduced.dim(), |(i, j)| reduced[(i, j)] / (scale[i] * scale[j]));
    let eigen = SymmetricEigen::new(correlation.view()).map_err(|_| Unavailable::Indefinite)?;
    let n = places.len();
    let largest = eigen.values.last().copied().unwrap_or(0.0);
    let below = |cut: f64| eigen.values.iter().filter(|value| **value <= cut * largest).count();
    let rounding = f64::EPSILON * n as f64;
    let n_null = match (&known.ridge, known.rank) {
        (None, Some(rank)) => (n - n_intercepts).saturating_sub(rank).max(below(rounding)),
        (None, None) => below(known.precision),
        (Some(_), _) => below(rounding),
    };
    let inverse = match n_null {
        0 => inverse_positive_definite(reduced.view()).ok_or(Unavailable::Indefinite)?,
        // Of directions that rows see.
        _ if n_null < n && eigen.values[n_null] > 0.0 => {
            let seen = eigen.vectors.slice(s![.., n_null..]);
            let over = &seen / &ndarray::aview1(&eigen.values[n_null..]);
            let within = over.dot(&seen.t());
            Array2::from_shape_fn((n, n), |(i, j)| within[(i, j)] / (scale[i] * scale[j]))
        }
        _ => return Err(Unavailable::Indefinite),
    };
    let mut whole = Array2::zeros(information.dim());
    let mut null = Array2::zeros((information.nrows(), n_null));
    for (i, &row) in places.iter().enumerate() {
        for (j, &column) in places.iter().enumerate() {
            whole[(row, column)] = inverse[(i, j)];
        }
        for k in 0..n_null {
            // A column that does not vary is a direction of its own.
            null[(row, k)] = eigen.vectors[(i, k)] / if scale[i].is_finite() { scale[i] } else { 1.0 };
        }
    }
    Ok(Bread {
        inverse: Symmetric::new(&whole),
        null: orthonormal(known.columns.unstandardise_rows(&null)),
        rank: (n - n_intercepts).saturating_sub(n_null),
    })
}

/// Parameters that are not held, among all.
fn places(n_parameters: usize, known: &Known<'_>) -> Vec<usize> {
    let width = known.columns.width();
    let mut is_free = vec![false; n_parameters];
    known.free.iter().for_each(|&place| is_free[place] = true);
    (width - 1..n_parameters)
        .step_by(width)
        .for_each(|intercept| is_free[intercept] = true);
    let penalty = |place: usize| known.ridge.as_ref().map_or(0.0, |ridge| ridge[place]);
    let follows = |row: usize| {
        (row..n_parameters)
            .step_by(width)
            .all(|place| is_free[place] && penalty(place) == 0.0)
    };
    (0..n_parameters)
        .filter(|&place| is_free[place] && !(place < width && follows(place)))
        .collect()
}

/// Roots of the diagonal; infinite for a column that does not vary.
fn scales(information: &Array2<f64>, places: &[usize], width: usize) -> Result<Vec<f64>, Unavailable> {
    let of_intercepts = places.iter().enumerate().filter(|(_, place)| *place % width == width - 1);
    let smallest = of_intercepts.map(|(i, _)| information[(i, i)]).fold(f64::INFINITY, f64::min);
    if information.iter().any(|value| !value.is_finite()) || smallest <= 0.0 {
        return Err(Unavailable::Indefinite);
    }
    let scale = |value: &f64| {
        if *value > f64::EPSILON * smallest {
            value.sqrt()
        } else {
            f64::INFINITY
        }
    };
    Ok(information.diag().iter().map(scale).collect())
}
