//! What there is to say of the models of states after a maximisation: scales on their floor, likelihoods without a maximum, collinear
//! features.

use nemos_core::Backend;
use nemos_glm::Scale;

use crate::Finding;
use crate::fit::em::Em;
use crate::fit::glms::Candidate;

impl<B: Backend> Em<'_, '_, B> {
    /// Scales that lie on their floor.
    pub(crate) fn on_floor(&self, candidate: &Candidate) -> Vec<Finding> {
        let n_neurons = self.data.n_neurons();
        let low = (0..candidate.frozen.len()).filter(|&problem| candidate.parameters.scales[problem] <= self.floors[problem % n_neurons]);
        low.map(|problem| {
            let (state, neuron) = (problem / n_neurons, problem % n_neurons);
            if self.data.observations.scale() == Scale::MaximumLikelihood {
                Finding::PoissonLimit { state, neuron }
            } else {
                let floor = self.floors[neuron];
                Finding::ScaleFloor { state, neuron, floor }
            }
        })
        .collect()
    }

    /// Models whose likelihood has no maximum, or whose features are collinear; and those that a Newton step still moves by much, which
    /// have none where nothing is left to gain.
    pub(crate) fn no_maximum(&self, candidate: &Candidate) -> (Vec<Finding>, Vec<Finding>) {
        let n_neurons = self.data.n_neurons();
        let problems = 0..candidate.frozen.len();
        let (mut findings, mut moving) = (Vec::new(), Vec::new());
        for problem in problems.filter(|&problem| !candidate.frozen[problem]) {
            let (state, neuron) = (problem / n_neurons, problem % n_neurons);
            let slot = candidate.slot * candidate.frozen.len() + problem;
            let step = candidate.moves[problem];
            if self.objective.on_edge()[slot] || candidate.on_edge[problem] {
                findings.push(Finding::NoMaximum { state, neuron, step });
            } else if step > 0.3 {
                moving.push(Finding::NoMaximum { state, neuron, step });
            }
            let full = self.seen.n_used() + 1;
            let rank = candidate.ranks[problem];
            if rank < full && candidate.parameters.n_predictors == 1 && !self.objective.on_edge()[slot] {
                findings.push(Finding::Collinear { state, neuron, rank });
            }
        }
        (findings, moving)
    }
}
