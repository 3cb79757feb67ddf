//! What fitting one neuron and fitting many have in common.

use nemos_core::{Backend, Design, Matrix};
use nemos_solvers::{Outcome, Parameters, Penalized, Regularizer, Solver, Status, minimize};

use crate::objective::GlmObjective;
use crate::{Error, InverseLink, ObservationModel};

/// The result of a fit, one column per neuron.
#[derive(Clone, Debug)]
pub(crate) struct Fit<B: Backend> {
    /// `[n_features, n_neurons]`
    pub(crate) coef: Matrix<B>,
    pub(crate) parameters: Parameters,
    pub(crate) outcome: Outcome,
    /// Residual degrees of freedom per neuron.
    pub(crate) dof_resid: Vec<f64>,
}

/// A model without its data.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Specification<'a, O, L> {
    pub(crate) observation: &'a O,
    pub(crate) link: &'a L,
    pub(crate) regularizer: &'a Regularizer,
}

impl<O: ObservationModel, L: InverseLink> Specification<'_, O, L> {
    pub(crate) fn fit<B: Backend>(&self, solver: &impl Solver, design: &impl Design<B>, counts: &impl Design<B>) -> Result<Fit<B>, Error> {
        let n_features = design.n_features();
        self.regularizer.validate(n_features, counts.n_features())?;
        let objective = GlmObjective::<B, _, _, O, L>::new(design, counts, self.observation, self.link)?;
        let mut solution = minimize(&Penalized::new(&objective, self.regularizer), solver, &objective.start())?;
        for (column, _) in solution
            .outcome
            .columns
            .iter_mut()
            .zip(objective.silent())
            .filter(|(_, silent)| **silent)
        {
            column.status = Status::NoMaximum;
        }
        let dof_resid = solution.outcome.columns.iter().zip(objective.n_counts()).map(|(column, &n)| {
            let n_coef = if *self.regularizer == Regularizer::Unregularized {
                column.rank
            } else {
                n_features
            };
            n as f64 - n_coef as f64 - 1.0
        });
        Ok(Fit {
            dof_resid: dof_resid.collect(),
            coef: Matrix::from(solution.parameters.to_array(n_features)),
            parameters: solution.parameters,
            outcome: solution.outcome,
        })
    }
}
