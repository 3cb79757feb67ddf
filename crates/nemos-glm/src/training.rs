//! Fits that are fed batch by batch.

use nemos_core::{Backend, Design, Matrix};
use nemos_solvers::{ColumnOutcome, Outcome, Parameters, Penalized, Status, Stochastic};

use crate::fit::Fit;
use crate::{Error, FittedPopulationGlm, InverseLink, ObservationModel, PopulationGlm, Scale, Score};

/// A fit that is fed batch by batch, for recordings that do not fit into memory or have not ended yet.
///
/// Each [`update`](Training::update) takes one step of the solver on the batch that it is given. Nothing is kept of a
/// batch but the parameters that it led to and the state of the solver, so that a solver should be careful: a fixed
/// step, no acceleration.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Poisson, PopulationGlm};
/// use nemos_solvers::{Acceleration, GradientDescent, StepLength};
///
/// let batch = |first: i32| {
///     let stimulus = Matrix::<Cpu>::from_column((first..first + 50).map(|bin| f64::from(bin % 2)).collect());
///     let counts = Matrix::from_column((first..first + 50).map(|bin| f64::from(1 + bin % 2 * 2)).collect());
///     (stimulus, counts)
/// };
/// let solver = GradientDescent::new().acceleration(Acceleration::Plain).step_length(StepLength::Fixed(0.2));
/// let (stimulus, counts) = batch(0);
/// let mut training = PopulationGlm::new(Poisson).initialize(solver, &stimulus, &counts)?;
/// for step in 0..300 {
///     let (stimulus, counts) = batch(step * 50);
///     training.update(&stimulus, &counts)?;
/// }
/// assert!((training.fitted()?.coef()[(0, 0)].exp() - 3.0).abs() < 0.05);
/// # Ok::<(), nemos_glm::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Training<B: Backend, O, L, S: Stochastic> {
    specification: PopulationGlm<O, L>,
    solver: S,
    state: S::State,
    parameters: Parameters,
    has_offset: bool,
    steps: usize,
    backend: std::marker::PhantomData<B>,
}

impl<B: Backend, O: ObservationModel, L: InverseLink, S: Stochastic> Training<B, O, L, S> {
    pub(crate) fn new(
        specification: PopulationGlm<O, L>,
        solver: S,
        design: &impl Design<B>,
        counts: &impl Design<B>,
    ) -> Result<Self, Error> {
        if specification.observation.scale() == Scale::MaximumLikelihood {
            return Err(Error::ScaleInBatches);
        }
        let regularizer = specification.penalty(design, counts)?;
        let objective = specification.prepare(design, counts)?;
        let parameters = specification.start_of(&objective)?;
        let state = solver.init(&Penalized::new(&objective, &regularizer), &parameters)?;
        let has_offset = objective.has_offset();
        drop(objective);
        Ok(Training {
            specification,
            solver,
            state,
            parameters,
            has_offset,
            steps: 0,
            backend: std::marker::PhantomData,
        })
    }

    /// Takes one step of the solver on a batch.
    ///
    /// # Errors
    /// As [`PopulationGlm::fit`], and if the batch has other features or neurons than the first one. After an error the
    /// training is where it was before.
    pub fn update(&mut self, design: &impl Design<B>, counts: &impl Design<B>) -> Result<(), Error> {
        let expected = [self.parameters.n_parameters() - 1, self.parameters.n_problems()];
        let got = [design.n_features(), counts.n_features()];
        if got != expected {
            return Err(Error::StartShape { got, expected });
        }
        let regularizer = self.specification.penalty(design, counts)?;
        let mut objective = self.specification.prepare(design, counts)?;
        objective.release_edge();
        let objective = Penalized::new(&objective, &regularizer);
        let state = self.solver.reopen(self.state.clone());
        let (parameters, state) = self.solver.step(&objective, self.parameters.clone(), state)?;
        (self.parameters, self.state) = (parameters, state);
        self.steps += 1;
        Ok(())
    }

    /// Steps taken.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// How well the model, as it is now, describes counts.
    ///
    /// # Errors
    /// As [`FittedPopulationGlm::score`].
    pub fn score(&self, design: &impl Design<B>, counts: &impl Design<B>, score: Score) -> Result<f64, Error> {
        self.fitted()?.score(design, counts, score)
    }

    /// The model as it is now. Its status is [`Status::StepLimit`]: batches cannot tell whether a fit has converged.
    ///
    /// Scales are one where they are estimated after a fit; residual degrees of freedom are not known.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a parameter is not finite.
    pub fn fitted(&self) -> Result<FittedPopulationGlm<B, O, L>, Error> {
        let (n_features, n_neurons) = (self.parameters.n_parameters() - 1, self.parameters.n_problems());
        if let Some(neuron) = self.parameters.columns().position(|column| column.iter().any(|x| !x.is_finite())) {
            return Err(Error::Diverged { neuron, steps: self.steps });
        }
        let mut columns = vec![ColumnOutcome::new(Status::StepLimit, n_features); n_neurons];
        columns.iter_mut().for_each(|column| column.steps = self.steps);
        let name = self.solver.name(&self.state);
        let fit = Fit {
            coef: Matrix::from(self.parameters.to_array(n_features)),
            parameters: self.parameters.clone(),
            outcome: Outcome::new(name, columns),
            dof_resid: vec![f64::NAN; n_neurons],
            scale: vec![self.specification.observation.scale().start(); n_neurons],
            has_offset: self.has_offset,
        };
        Ok(FittedPopulationGlm::new(self.specification.clone(), fit))
    }
}
