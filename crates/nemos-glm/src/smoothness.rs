//! How fast the gradient of a softplus model can change: what SVRG takes its step length from.

use ndarray::{Array1, Array2};
use nemos_core::{Backend, Design};
use nemos_solvers::{Error, Smoothness};

use crate::data::Chunk;
use crate::{GlmObjective, InverseLink, ObservationModel};

/// Bounds for Poisson counts under a softplus link, the same for all neurons.
///
/// ```text
/// aᵢ = 0.17 · maxₙ counts[i, n] + 0.25
/// worst row   maxᵢ aᵢ ‖xᵢ‖²
/// mean        largest eigenvalue of 1/n Σᵢ aᵢ xᵢ xᵢᵀ
/// ```
pub(crate) fn poisson_softplus<B, D, Y, O, L>(objective: &GlmObjective<'_, B, D, Y, O, L>) -> Result<Smoothness, Error>
where
    B: Backend,
    D: Design<B>,
    Y: Design<B>,
    O: ObservationModel,
    L: InverseLink,
{
    let columns: Vec<usize> = (0..objective.n_counts().len()).collect();
    let new = || (0.0_f64, None::<Array2<f64>>, 0_usize);
    let add = |(worst, products, n_rows): &mut (f64, Option<Array2<f64>>, usize), chunk: Chunk<B>| {
        let (mut features, counts) = (chunk.features.to_array(), chunk.counts.to_array());
        for (mut row, counts) in features.rows_mut().into_iter().zip(counts.rows()) {
            let highest = counts.iter().copied().filter(|count| !count.is_nan()).fold(0.0, f64::max);
            let bound = 0.17 * highest + 0.25;
            *worst = worst.max(bound * row.dot(&row));
            row.mapv_inplace(|x| x * bound.sqrt());
        }
        *n_rows += features.nrows();
        let more = features.t().dot(&features);
        *products = Some(products.take().map_or(more.clone(), |sum| sum + &more));
        Ok(())
    };
    let shards = objective.data().for_each_chunk(&columns, new, add)?;
    let (mut worst_row, mut products, mut n_rows) = (0.0_f64, None::<Array2<f64>>, 0);
    for (worst, more, rows) in shards {
        worst_row = worst_row.max(worst);
        n_rows += rows;
        products = match (products, more) {
            (Some(sum), Some(more)) => Some(sum + &more),
            (sum, more) => sum.or(more),
        };
    }
    let mean = products.map_or(0.0, |products| largest_eigenvalue(&products) / n_rows as f64);
    Ok(Smoothness { worst_row, mean })
}

/// By at most twenty power iterations from a vector of ones.
fn largest_eigenvalue(matrix: &Array2<f64>) -> f64 {
    let mut vector = Array1::<f64>::ones(matrix.nrows());
    vector /= vector.dot(&vector).sqrt();
    for _ in 0..20 {
        let next = matrix.dot(&vector);
        let norm = next.dot(&next).sqrt();
        if norm == 0.0 {
            return 0.0;
        }
        vector = next / norm;
    }
    vector.dot(&matrix.dot(&vector))
}
