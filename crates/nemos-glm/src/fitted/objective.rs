//! The objective of a fitted model: what its informations and scores are taken of.

use nemos_core::{Backend, Design};
use nemos_solvers::Parameters;

use crate::engine::survey::Survey;
use crate::fit::task::Task;
use crate::{Error, FittedPopulationGlm, GlmObjective, InverseLink, ObservationModel, Problems};

impl<O: ObservationModel, L: InverseLink> FittedPopulationGlm<O, L> {
    /// `[n_features + 1, n_neurons]`: the coefficients of each neuron, and then its intercept.
    pub fn parameters(&self) -> &Parameters {
        &self.fit().parameters
    }

    /// The loss that the fit minimised, less the penalty, on any data, at the scale that the fit of each neuron ended with: what
    /// informations and scores are taken of. No coefficient is held, and the features are not surveyed, so that solvers know of no
    /// curvature before their first step.
    ///
    /// # Errors
    /// If design and counts do not fit each other or, in shape or by name, the model, or the problems do not fit the counts.
    pub fn objective<'a, B: Backend>(
        &self,
        problems: Problems,
        design: Design<'a, B>,
        counts: Design<'a, B>,
    ) -> Result<GlmObjective<'a, B>, Error> {
        self.fit().check_design(&design, self.n_features())?;
        self.fit().check_counts("counts", &counts)?;
        let scale = (0..problems.n_problems()).map(|problem| self.scale()[problems.response(problem)]);
        let scale = scale.collect();
        let task = Task {
            model: self.specification().model::<B>(),
            design,
            counts,
        };
        let options = crate::Options::default();
        let mut objective = task.objective(&options, Some(problems), Survey::CountsOnly)?;
        objective.set_scale(scale);
        Ok(objective)
    }
}
