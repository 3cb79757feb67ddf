//! How fast the gradient of a softplus model can change: what SVRG takes its step length from.

use ndarray::{Array1, Array2};
use nemos_core::Backend;
use nemos_solvers::{Error, Smoothness};

use crate::GlmObjective;
use crate::engine::chunk::Chunk;
use crate::engine::data::Read;
use crate::engine::numbers::{Numbers, pack_matrices};
use crate::engine::shards::Sum;

/// Bounds on the change of gradients, the same for all problems, where the curvature of a row's loss is bounded by a number
/// that depends on its count.
///
/// ```text
/// aᵢ = the largest bound over the counts of row i         (Poisson with softplus: 0.17 · count + 0.25)
/// worst row   maxᵢ aᵢ ‖xᵢ‖²
/// mean        largest eigenvalue of 1/n Σᵢ aᵢ xᵢ xᵢᵀ
/// ```
pub(crate) fn of<B: Backend>(objective: &GlmObjective<'_, B>) -> Result<Option<Smoothness>, Error> {
    if objective.model.curvature_bound(0.0).is_none() {
        return Ok(None);
    }
    let add = |bounds: &mut Bounds, chunk: &Chunk<B>| {
        let counts = chunk.counts.try_to_array()?;
        let mut features = chunk
            .features
            .as_ref()
            .map(nemos_core::Matrix::try_to_array)
            .transpose()?
            .unwrap_or_default();
        for (mut row, counts) in features.rows_mut().into_iter().zip(counts.rows()) {
            let of_row = counts.iter().filter(|count| !count.is_nan());
            let bound = of_row
                .filter_map(|&count| objective.model.curvature_bound(count))
                .fold(objective.model.curvature_bound(0.0).unwrap_or(0.0), f64::max);
            bounds.worst_row = bounds.worst_row.max(bound * row.dot(&row));
            row.mapv_inplace(|x| x * bound.sqrt());
        }
        bounds.n_rows += features.nrows();
        let products = features.t().dot(&features);
        bounds.products = Some(match bounds.products.take() {
            None => products,
            Some(sum) => sum + products,
        });
        Ok::<_, nemos_core::Error>(())
    };
    let bounds = objective.data.pass(Read::Everything, Bounds::default, add)?.sums;
    let largest = bounds.products.map_or(0.0, |products| largest_eigenvalue(&products));
    Ok(Some(Smoothness {
        worst_row: bounds.worst_row,
        mean: largest / bounds.n_rows as f64,
    }))
}

#[derive(Default)]
struct Bounds {
    worst_row: f64,
    products: Option<Array2<f64>>,
    n_rows: usize,
}

impl Sum for Bounds {
    fn merge(&mut self, later: Self) {
        self.worst_row = self.worst_row.max(later.worst_row);
        self.n_rows += later.n_rows;
        self.products = match (self.products.take(), later.products) {
            (Some(sum), Some(more)) => Some(sum + more),
            (sum, more) => sum.or(more),
        };
    }

    fn pack(&self, to: &mut Vec<f64>) {
        to.extend([self.worst_row, self.n_rows as f64]);
        pack_matrices(self.products.as_slice(), to);
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        (self.worst_row, self.n_rows) = (from.next()?, from.next()? as usize);
        self.products = from.matrices()?.pop();
        Some(())
    }
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
