//! Which states of one fit are those of another; and where a chain ends up.

use ndarray::Array2;
use nemos_core::SymmetricEigen;

use crate::error::check_shape;
use crate::state_model::StateModel;
use crate::{Error, FittedGlmHmm, HmmParameters};

impl<S: StateModel> FittedGlmHmm<S> {
    /// The same fit with its states in the order in which they are most like those of other parameters: of another fold, animal or replicate.
    /// The order has the smallest sum of absolute differences of coefficients and intercepts.
    ///
    /// # Errors
    /// [`Error::Shape`] if the parameters are of other states, neurons or features.
    pub fn matched_to(&self, other: &HmmParameters) -> Result<Self, Error> {
        let of = |parameters: &HmmParameters| [parameters.n_states(), parameters.n_neurons(), parameters.glms.n_parameters()];
        check_shape(
            "parameters to match",
            &of(other),
            &of(&self.parameters),
            "states, neurons, parameters of a neuron",
        )?;
        let (n, n_neurons) = (other.n_states(), other.n_neurons());
        let column = |parameters: &HmmParameters, k: usize, neuron: usize| parameters.glms.column(k * n_neurons + neuron).to_vec();
        let distance = |theirs: usize, ours: usize| -> f64 {
            let neurons = (0..n_neurons).flat_map(|neuron| {
                let theirs = column(other, theirs, neuron);
                theirs.into_iter().zip(column(&self.parameters, ours, neuron))
            });
            neurons.map(|(a, b)| (a - b).abs()).sum()
        };
        let costs: Vec<f64> = (0..n * n).map(|place| distance(place / n, place % n)).collect();
        self.permuted(&assignment(&costs, n))
    }
}

/// The order `k → order[k]` of least total cost `[n, n]`, by successive shortest paths.
///
/// # References
/// Kuhn (1955), *Naval Research Logistics Quarterly* 2. doi:10.1002/nav.3800020109
pub(crate) fn assignment(costs: &[f64], n: usize) -> Vec<usize> {
    // Potentials of rows and columns; column 0 stands for none, so that both are counted from one.
    let (mut u, mut v) = (vec![0.0; n + 1], vec![0.0; n + 1]);
    let (mut row_of, mut way) = (vec![0; n + 1], vec![0; n + 1]);
    for row in 1..=n {
        row_of[0] = row;
        let mut column = 0;
        let (mut least, mut used) = (vec![f64::INFINITY; n + 1], vec![false; n + 1]);
        loop {
            used[column] = true;
            let (from, mut delta, mut next) = (row_of[column], f64::INFINITY, 0);
            for j in (1..=n).filter(|&j| !used[j]) {
                let cost = costs[(from - 1) * n + j - 1] - u[from] - v[j];
                if cost < least[j] {
                    (least[j], way[j]) = (cost, column);
                }
                if least[j] < delta {
                    (delta, next) = (least[j], j);
                }
            }
            for j in 0..=n {
                if used[j] {
                    u[row_of[j]] += delta;
                    v[j] -= delta;
                } else {
                    least[j] -= delta;
                }
            }
            column = next;
            if row_of[column] == 0 {
                break;
            }
        }
        while column != 0 {
            row_of[column] = row_of[way[column]];
            column = way[column];
        }
    }
    let mut order = vec![0; n];
    (1..=n).for_each(|column| order[row_of[column] - 1] = column - 1);
    order
}

/// The probabilities that transitions leave as they are, where there are no others.
pub(crate) fn stationary(steps: &[f64], n: usize) -> Option<Vec<f64>> {
    // (I − A) (I − A)ᵀ is singular along left eigenvectors of A whose eigenvalue is one.
    let rest = Array2::from_shape_fn((n, n), |(i, j)| f64::from(u8::from(i == j)) - steps[i * n + j]);
    let eigen = SymmetricEigen::new(rest.dot(&rest.t()).view()).ok()?;
    if eigen.values.get(1).is_some_and(|&next| next < 1e-12) {
        return None;
    }
    let vector = eigen.vectors.column(0);
    let total: f64 = vector.iter().sum();
    Some(vector.iter().map(|value| (value / total).max(0.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_the_cheapest_of_all_orders() {
        let costs = [4.0, 1.0, 3.0, 2.0, 0.0, 5.0, 3.0, 2.0, 2.0];
        let order = assignment(&costs, 3);
        let cost = |order: &[usize]| -> f64 { order.iter().enumerate().map(|(row, &column)| costs[row * 3 + column]).sum() };
        let all = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let least = all.iter().map(|order| cost(order)).fold(f64::INFINITY, f64::min);
        assert_eq!(cost(&order), least);
        assert_eq!(order, [1, 0, 2]);
    }

    #[test]
    fn a_chain_that_cannot_come_back_has_no_stationary_law_of_its_own() {
        let law = stationary(&[0.9, 0.1, 0.3, 0.7], 2).unwrap();
        assert!((law[0] - 0.75).abs() < 1e-12 && (law[1] - 0.25).abs() < 1e-12);
        assert_eq!(stationary(&[1.0, 0.0, 0.0, 1.0], 2), None);
        assert_eq!(stationary(&[1.0], 1), Some(vec![1.0]));
    }
}
