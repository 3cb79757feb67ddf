//! From an information to its inverse, and to the directions that the rows say nothing of.

use ndarray::{Array2, s};
use nemos_core::{SymmetricEigen, inverse_positive_definite};

use crate::bread_of_classes;
use crate::columns::Columns;
use crate::symmetric::Symmetric;
use crate::unavailable::Unavailable;

/// The inverse of an information in standardised coordinates, the intercept last.
#[derive(Clone, Debug)]
pub(crate) struct Bread {
    /// `[n_parameters, n_parameters]`: zero for coefficients that are held; a generalised inverse where features are collinear.
    pub(crate) inverse: Symmetric,
    /// `[n_parameters, n_null]`: an orthonormal basis of what no row sees, in the coordinates of the features as they are.
    pub(crate) null: Array2<f64>,
    /// Directions of the features that rows see.
    pub(crate) rank: usize,
}

/// What is known beside the information.
pub(crate) struct Known<'a> {
    pub(crate) columns: &'a Columns,
    /// Places of the coefficients that are free, among the parameters.
    pub(crate) free: &'a [usize],
    /// Curvature that a ridge adds to each parameter, for standardised features.
    pub(crate) ridge: Option<Vec<f64>>,
    /// The rank that the fit found, where it can be relied on.
    pub(crate) rank: Option<usize>,
    /// Directions of less variance than this share of the largest count as none.
    pub(crate) precision: f64,
}

// Of a direction with this share of the largest variance an information has three digits left, and fewer below.
const LOST: f64 = 1e-12;

impl Bread {
    pub(crate) fn new(information: &Array2<f64>, known: &Known<'_>) -> Result<Self, Unavailable> {
        if information.nrows() > known.columns.width() {
            return bread_of_classes::invert(information, known);
        }
        let last = information.nrows() - 1;
        let places: Vec<usize> = known.free.iter().copied().chain([last]).collect();
        let mut reduced = information.select(ndarray::Axis(0), &places).select(ndarray::Axis(1), &places);
        if reduced.iter().any(|value| !value.is_finite()) || reduced[(places.len() - 1, places.len() - 1)] <= 0.0 {
            return Err(Unavailable::Indefinite);
        }
        if let Some(ridge) = &known.ridge {
            known
                .free
                .iter()
                .enumerate()
                .for_each(|(place, &feature)| reduced[(place, place)] += ridge[feature]);
        }
        let null = null_directions(&reduced, known)?;
        let inverse = match null.ncols() {
            0 => inverse_positive_definite(reduced.view()).ok_or(Unavailable::Indefinite)?,
            _ => on_row_space(&reduced, &null, known)?,
        };
        let mut whole = Array2::zeros(information.dim());
        for (i, &row) in places.iter().enumerate() {
            for (j, &column) in places.iter().enumerate() {
                whole[(row, column)] = inverse[(i, j)];
            }
        }
        Ok(Bread {
            inverse: Symmetric::new(&whole),
            rank: known.free.len() - null.ncols(),
            null: with_intercept(&null, known, information.nrows()),
        })
    }
}

/// `[n_free, n_null]`: directions of the features, as they are, that do not vary over the rows; orthonormal.
fn null_directions(information: &Array2<f64>, known: &Known<'_>) -> Result<Array2<f64>, Unavailable> {
    let n = known.free.len();
    if n == 0 {
        return Ok(Array2::zeros((0, 0)));
    }
    // What the features have beside the intercept.
    let corner = information[(n, n)];
    let beside = Array2::from_shape_fn((n, n), |(i, j)| {
        information[(i, j)] - information[(i, n)] * information[(n, j)] / corner
    });
    let scale: Vec<f64> = (0..n)
        .map(|i| {
            let rounding = f64::EPSILON * n as f64 * 16.0 * information[(i, i)].max(information[(i, n)].powi(2) / corner);
            if beside[(i, i)] > rounding {
                beside[(i, i)].sqrt()
            } else {
                f64::INFINITY
            }
        })
        .collect();
    let correlation = Array2::from_shape_fn((n, n), |(i, j)| beside[(i, j)] / (scale[i] * scale[j]));
    let eigen = SymmetricEigen::new(correlation.view()).map_err(|_| Unavailable::Indefinite)?;
    let largest = eigen.values.last().copied().unwrap_or(0.0);
    let below = |cut: f64| eigen.values.iter().filter(|value| **value <= cut * largest).count();
    let n_null = match (&known.ridge, known.rank) {
        // What the rounding of an information leaves nothing of, whatever the fit says.
        (None, Some(rank)) => n.saturating_sub(rank).max(below(LOST)),
        (None, None) => below(known.precision),
        (Some(_), _) => below(f64::EPSILON * n as f64),
    };
    // Of features as they are, not standardised.
    let raw = Array2::from_shape_fn((n, n_null), |(i, k)| {
        let scale = if scale[i].is_finite() { scale[i] } else { 1.0 };
        eigen.vectors[(i, k)] / (scale * known.columns.deviation[known.free[i]])
    });
    Ok(orthonormal(raw))
}

/// `T (Tᵀ I T)⁻¹ Tᵀ`, with `T` the directions that rows see and the intercept.
fn on_row_space(information: &Array2<f64>, null: &Array2<f64>, known: &Known<'_>) -> Result<Array2<f64>, Unavailable> {
    let (n, n_null) = null.dim();
    // The complement of the null space: eigenvectors of its projection, whose eigenvalues are one.
    let projection = Array2::<f64>::eye(n) - null.dot(&null.t());
    let eigen = SymmetricEigen::new(projection.view()).map_err(|_| Unavailable::Indefinite)?;
    let mut to_all = Array2::zeros((n + 1, n - n_null + 1));
    for (i, &feature) in known.free.iter().enumerate() {
        for k in 0..n - n_null {
            to_all[(i, k)] = eigen.vectors[(i, n_null + k)] * known.columns.deviation[feature];
        }
    }
    to_all[(n, n - n_null)] = 1.0;
    let seen = to_all.t().dot(information).dot(&to_all);
    let inverse = inverse_positive_definite(seen.view()).ok_or(Unavailable::Indefinite)?;
    Ok(to_all.dot(&inverse).dot(&to_all.t()))
}

/// The same directions with what the intercept has to make up for, orthonormal again.
fn with_intercept(null: &Array2<f64>, known: &Known<'_>, n_parameters: usize) -> Array2<f64> {
    let mut whole = Array2::zeros((n_parameters, null.ncols()));
    for (place, &feature) in known.free.iter().enumerate() {
        whole.row_mut(feature).assign(&null.row(place));
    }
    let mean = ndarray::aview1(&known.columns.mean);
    let intercept = -mean.dot(&whole.slice(s![..n_parameters - 1, ..]));
    whole.row_mut(n_parameters - 1).assign(&intercept);
    orthonormal(whole)
}

/// Gram and Schmidt, twice.
pub(crate) fn orthonormal(mut vectors: Array2<f64>) -> Array2<f64> {
    for k in 0..vectors.ncols() {
        for _ in 0..2 {
            for before in 0..k {
                let along = vectors.column(before).dot(&vectors.column(k));
                let other = vectors.column(before).to_owned();
                vectors.column_mut(k).scaled_add(-along, &other);
            }
            let norm = vectors.column(k).dot(&vectors.column(k)).sqrt();
            vectors.column_mut(k).mapv_inplace(|x| x / norm);
        }
    }
    vectors
}
