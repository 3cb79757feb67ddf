//! Wald's test: estimates that are all zero, judged by their covariance.

use ndarray::{Array1, Array2};
use nemos_core::SymmetricEigen;

use crate::estimates::ESTIMABLE;
use crate::tests_of::{Test, Tests};
use crate::{Error, Estimates, Reference, Terms};

impl Estimates {
    /// Wald's test that these coefficients are all zero, with this covariance: `βᵀ V⁻¹ β`. Where features are collinear it is of what
    /// can be estimated of them, such as all differences along a curve.
    ///
    /// # Errors
    /// If there is no such block or column.
    #[doc(alias("wald_test", "t_test"))]
    pub fn wald(&self, terms: impl Into<Terms>) -> Result<Tests, Error> {
        let terms = terms.into();
        let n_features = self.names.len() - 1;
        let columns = terms.columns(&self.features, n_features)?;
        let each = (0..self.neurons.len()).map(|neuron| self.wald_of(&columns, neuron));
        Ok(Tests {
            title: format!(
                "Wald test of {}, covariance: {}",
                terms.title(&self.features, n_features),
                self.covariance_title
            ),
            neurons: self.neurons.clone(),
            each: each.collect(),
        })
    }

    fn wald_of(&self, columns: &[usize], neuron: usize) -> Test {
        let of = &self.each[neuron];
        let Ok(covariance) = self.covariance(neuron) else {
            return Test::none();
        };
        let columns: Vec<usize> = columns.iter().copied().filter(|&column| of.free[column]).collect();
        let value: Array1<f64> = columns.iter().map(|&column| self.parameters[(column, neuron)]).collect();
        let within = covariance.select(ndarray::Axis(0), &columns).select(ndarray::Axis(1), &columns);
        self.tested_together(value, within, &of.null.select(ndarray::Axis(0), &columns), neuron)
    }

    /// Wald's test that some estimates are all zero, with their covariance and what the directions that no row sees have of them.
    pub(crate) fn tested_together(&self, mut value: Array1<f64>, mut within: Array2<f64>, null: &Array2<f64>, neuron: usize) -> Test {
        if null.ncols() > 0 {
            // Contrasts among them that no such direction moves.
            let Ok(eigen) = SymmetricEigen::new(null.dot(&null.t()).view()) else {
                return Test::none();
            };
            let seen: Vec<usize> = (0..value.len()).filter(|&place| eigen.values[place] <= ESTIMABLE).collect();
            let contrasts = eigen.vectors.select(ndarray::Axis(1), &seen);
            within = contrasts.t().dot(&within).dot(&contrasts);
            value = contrasts.t().dot(&value);
        }
        match quadratic(&value, &within) {
            Some((statistic, rank)) if rank > 0 => self.tested(statistic, rank, neuron),
            _ => Test::none(),
        }
    }

    /// A quadratic form of estimates with the inverse of their covariance.
    pub(crate) fn tested(&self, statistic: f64, rank: usize, neuron: usize) -> Test {
        let q = rank as f64;
        match self.each[neuron].reference {
            Reference::StudentT(dof) => Test::new(statistic / q, q, Reference::F(q, dof)),
            _ => Test::new(statistic, q, Reference::ChiSquared(q)),
        }
    }
}

// Eigenvalues below this share of the largest count as zero: the covariance of few clusters has some, and what is larger has three
// digits at least.
const RANK: f64 = 1e-12;

/// `valueᵀ covariance⁺ value`, and the rank of the covariance.
pub(crate) fn quadratic(value: &Array1<f64>, covariance: &Array2<f64>) -> Option<(f64, usize)> {
    let scale: Array1<f64> = covariance
        .diag()
        .mapv(|variance| if variance > 0.0 { variance.sqrt() } else { 1.0 });
    if value.is_empty() {
        return Some((0.0, 0));
    }
    // Of one size, so that units do not decide the rank.
    let scaled = Array2::from_shape_fn(covariance.dim(), |(i, j)| covariance[(i, j)] / (scale[i] * scale[j]));
    let eigen = SymmetricEigen::new(scaled.view()).ok()?;
    let along = eigen.vectors.t().dot(&(value / &scale));
    let largest = eigen.values.last().copied()?;
    let seen = along.iter().zip(&eigen.values).filter(|(_, variance)| **variance > RANK * largest);
    Some(seen.fold((0.0, 0), |(sum, rank), (along, variance)| {
        (sum + along * along / variance, rank + 1)
    }))
}
