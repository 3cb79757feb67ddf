//! Fits that are fed batch by batch.

use nemos_core::{Backend, ToDesign};
use nemos_solvers::{ColumnOutcome, Outcome, Penalized, Solver, State, Status, begin};

use crate::engine::survey::Survey;
use crate::fit::task::{Task, names_of_neurons, start_of};
use crate::fitted::fit::Fit;
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
/// let mut training = PopulationGlm::new(Poisson).initialize(&solver, &stimulus, &counts)?;
/// for step in 0..300 {
///     let (stimulus, counts) = batch(step * 50);
///     training.update(&stimulus, &counts)?;
/// }
/// assert!((training.fitted()?.coef()[(0, 0)].exp() - 3.0).abs() < 0.05);
/// # Ok::<(), nemos_glm::Error>(())
/// ```
#[doc(alias = "partial_fit")]
#[derive(Clone, Debug)]
#[must_use]
pub struct Training<O, L> {
    specification: PopulationGlm<O, L>,
    state: State,
    /// What does not change from batch to batch.
    template: Fit,
    steps: usize,
}

impl<O: ObservationModel, L: InverseLink> Training<O, L> {
    pub(crate) fn new<B: Backend>(specification: PopulationGlm<O, L>, solver: &dyn Solver, task: &Task<'_, B>) -> Result<Self, Error> {
        if specification.observation.scale() == Scale::MaximumLikelihood {
            return Err(Error::ScaleInBatches);
        }
        let options = &specification.options;
        let regularizer = task.penalty(options)?;
        let objective = task.objective(options, None, Survey::WithMoments)?;
        let parameters = start_of(options, &objective)?;
        let mut state = begin(&Penalized::new(&objective, &regularizer), solver, options.stopping, &parameters)?;
        // Says at once whether the solver can see other data at every step.
        state.reopen()?;
        let (n_features, n_neurons) = (task.design.n_columns(), parameters.n_problems());
        let template = Fit {
            outcome: Outcome::new(state.name(), vec![ColumnOutcome::new(Status::StepLimit, n_features); n_neurons]),
            dof_resid: vec![f64::NAN; n_neurons],
            scale: objective.scale().to_vec(),
            has_offset: objective.has_offset(),
            features: task.design.names().clone(),
            neurons: names_of_neurons(&task.counts, n_neurons),
            parameters,
        };
        Ok(Training {
            state,
            template,
            steps: 0,
            specification,
        })
    }

    /// Takes one step of the solver on a batch: one look at its counts, and the passes of the step.
    ///
    /// # Errors
    /// As [`PopulationGlm::fit`], and if the batch has other features or neurons than the first one, or calls them otherwise. After an error the
    /// training is where it was before.
    pub fn update<B: Backend>(&mut self, design: &(impl ToDesign<B> + ?Sized), counts: &(impl ToDesign<B> + ?Sized)) -> Result<(), Error> {
        let task = self.specification.task(design, counts);
        let expected = [self.template.parameters.n_parameters() - 1, self.template.parameters.n_problems()];
        let got = [task.design.n_columns(), task.counts.n_columns()];
        if got != expected {
            return Err(Error::StartShape { got, expected });
        }
        self.template.check_design(&task.design, got[0])?;
        self.template.check_counts("counts", &task.counts)?;
        let options = &self.specification.options;
        let regularizer = task.penalty(options)?;
        let mut objective = task.objective(options, None, Survey::CountsOnly)?;
        objective.release_edge();
        let mut state = self.state.clone();
        state.reopen()?;
        state.step(&Penalized::new(&objective, &regularizer))?;
        self.state = state;
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
    pub fn score<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        self.fitted()?.score(design, counts, score)
    }

    /// The model as it is now. Its status is [`Status::StepLimit`]: batches cannot tell whether a fit has converged.
    ///
    /// Scales are one where they are estimated after a fit; residual degrees of freedom are not known.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a parameter is not finite.
    pub fn fitted(&self) -> Result<FittedPopulationGlm<O, L>, Error> {
        let parameters = self.state.parameters().clone();
        if let Some(neuron) = parameters.columns().position(|column| column.iter().any(|x| !x.is_finite())) {
            return Err(Error::Diverged { neuron, steps: self.steps });
        }
        let mut fit = Fit {
            parameters,
            ..self.template.clone()
        };
        fit.outcome.columns.iter_mut().for_each(|column| column.steps = self.steps);
        Ok(FittedPopulationGlm::new(self.specification.clone(), fit))
    }
}
