//! The mean loss of every problem: what a fit minimises, less the penalty.

use std::sync::{Arc, OnceLock};

use ndarray::Array2;
use nemos_core::{Backend, Design};
use nemos_solvers::{ClassRows, Error, Evaluation, ExpectedCurvature, Objective, Parameters, Request, RowProblem, Smoothness};

use crate::engine::data::Data;
use crate::engine::host::Asked;
use crate::engine::model::Model;
use crate::engine::problems::Problems;
use crate::engine::row_problem::{self, Held};
use crate::engine::survey::{Survey, survey};
use crate::engine::totals::Totals;
use crate::engine::weights::check_extras;
use crate::fit::room::Room;
use crate::fit::{dispersion, smoothness};
use crate::{Scale, Support};

/// The mean loss over rows, one column per problem: what a fit minimises, less the penalty.
///
/// ```text
/// fⱼ(w, b) = Σₜ weight[t, j] · loss(counts[t, j], design[t] · w + b + offset[t, j]) / divisorⱼ
/// ```
///
/// over the rows in which neither the design nor the count is missing, and that problem `j` does not leave out. The divisor
/// is the sum of their weights, unless [`Problems`] gives another.
pub struct GlmObjective<'a, B: Backend> {
    pub(crate) data: Data<'a, B>,
    pub(crate) model: Arc<dyn Model<B::Burn>>,
    pub(crate) problems: Problems,
    pub(super) totals: Totals,
    /// `[n_problems]`: what sums of losses are divided by.
    pub(super) divisor: Vec<f64>,
    /// `[n_problems]`
    pub(super) on_edge: Vec<bool>,
    pub(super) start: Parameters,
    /// `[n_problems]`
    pub(super) scale: Vec<f64>,
    /// `[n_predictors · n_features, n_problems]`: the coefficients that may move; all of them where there is nothing.
    pub(super) free: Option<Array2<bool>>,
    pub(super) expected: Option<ExpectedCurvature>,
    pub(super) held: OnceLock<Held>,
    /// What is taken off the features as they are read, where their means are large.
    pub(super) centre: Option<Arc<Vec<f64>>>,
    pub(super) room: Option<Room>,
}

impl<B: Backend> std::fmt::Debug for GlmObjective<'_, B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("GlmObjective")
            .field("design", &self.data.design)
            .field("counts", &self.data.counts)
            .field("n_problems", &self.problems.n_problems())
            .finish_non_exhaustive()
    }
}

impl<'a, B: Backend> GlmObjective<'a, B> {
    /// Checks and surveys the data.
    pub(crate) fn new(
        model: Arc<dyn Model<B::Burn>>,
        (design, counts): (Design<'a, B>, Design<'a, B>),
        problems: Problems,
        which: Survey,
        room: Option<Room>,
    ) -> Result<Self, crate::Error> {
        let n_columns = problems.n_problems() * model.n_predictors();
        let data = Data::checked(design, counts, n_columns, |design, counts| {
            if problems.folds().is_some() {
                design.check_whole("a fit that leaves rows out")?;
            }
            check_extras(design, counts, &problems, &*model)
        })?;
        let mut data = data.with_block_rows(room.map(|room| room.block_rows));
        let (totals, moments) = survey(&mut data, &*model, &problems, which)?;
        let mut objective = GlmObjective {
            on_edge: Vec::new(),
            divisor: Vec::new(),
            free: None,
            expected: None,
            held: OnceLock::new(),
            centre: None,
            room,
            data,
            scale: vec![model.scale().start(); problems.n_problems()],
            model,
            problems,
            totals,
            start: Parameters::zeros(1, 0),
        };
        objective.take(moments)?;
        Ok(objective)
    }

    /// Holds the other coefficients at zero: `[n_predictors · n_features, n_problems]`.
    pub(crate) fn hold_all_but(&mut self, free: Option<Array2<bool>>) {
        if let Some(expected) = &mut self.expected {
            expected.free = free.clone();
        }
        self.free = free;
    }

    /// The coefficients that may move; all of them where there is nothing.
    pub(crate) fn free(&self) -> Option<&Array2<bool>> {
        self.free.as_ref()
    }

    /// Lets problems move whose counts lie on the edge of their support: in a batch they may.
    pub(crate) fn release_edge(&mut self) {
        self.on_edge.fill(false);
    }

    /// What is taken off the features as they are read, where their means are large: [curvatures](Objective::evaluate) are
    /// about it.
    pub fn centre(&self) -> Option<&[f64]> {
        self.centre.as_ref().map(|centre| centre.as_slice())
    }

    /// `[n_problems]`: for each problem, the scale that makes its counts most likely at these parameters, under the weights
    /// of its rows; between 1e-6 and 1e6.
    ///
    /// # Errors
    /// If the data cannot be read.
    pub fn likeliest_scales(&self, at: &Parameters) -> Result<Vec<f64>, crate::Error> {
        dispersion::maximum_likelihood(self, at)
    }

    /// What takes the loss of each problem to the negative log-likelihood, at its scale.
    pub fn loss_factor(&self, problem: usize) -> f64 {
        self.model.loss_factor(self.scale[problem])
    }

    /// Takes the scales of a fit, one per problem: for models whose scale changes their coefficients.
    ///
    /// # Errors
    /// [`PerProblem`](crate::Error::PerProblem) unless there is one per problem.
    pub fn with_scale(mut self, scale: Vec<f64>) -> Result<Self, crate::Error> {
        let expected = self.problems.n_problems();
        if scale.len() != expected {
            return Err(crate::Error::PerProblem {
                what: "scales",
                got: scale.len(),
                expected,
            });
        }
        self.scale = scale;
        Ok(self)
    }

    /// Takes other scales, one per problem.
    pub fn set_scale(&mut self, scale: Vec<f64>) {
        self.scale = scale;
    }

    /// Scale (dispersion) of each problem in the loss.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// Where a fit starts: no effect of any feature, and the intercept that gives each problem its mean count.
    pub fn start(&self) -> Parameters {
        self.start.clone()
    }

    /// Rows used per problem: neither the design nor the count is missing, and the weight is above zero.
    pub fn n_counts(&self) -> &[usize] {
        &self.totals.n_counts
    }

    /// Whether the design has an offset.
    pub fn has_offset(&self) -> bool {
        self.data.design.offset().is_some()
    }

    /// Problems whose counts all lie on the edge of their support: without a spike, or with one in every bin of a binary
    /// recording. Their loss falls for ever; here it is held at zero, so that they stay where they start.
    pub fn on_edge(&self) -> &[bool] {
        &self.on_edge
    }

    /// The problems, and what data each sees.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    pub(crate) fn asked<'s>(&'s self, columns: &'s [usize]) -> Asked<'s> {
        Asked::of(&self.problems, columns, &*self.model)
    }

    pub(crate) fn scales_of(&self, columns: &[usize]) -> Vec<f64> {
        columns.iter().map(|&column| self.scale[column]).collect()
    }

    /// What the sums of a problem are multiplied with, where they are over all rows.
    pub(crate) fn share(&self, problem: usize) -> f64 {
        if self.on_edge[problem] { 0.0 } else { 1.0 / self.divisor[problem] }
    }

    /// Whether there is room for all rows on the host.
    fn may_hold_rows(&self) -> bool {
        self.room.is_none_or(|room| room.may_hold_rows)
    }

    /// The rows on the host, read at the first call.
    fn held(&self) -> Result<&Held, Error> {
        if let Some(held) = self.held.get() {
            return Ok(held);
        }
        let held = Held::new(&self.data)?;
        Ok(self.held.get_or_init(|| held))
    }
}

impl<B: Backend> Objective for GlmObjective<'_, B> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        self.evaluate_in_room(at, request)
    }

    fn n_rows(&self) -> usize {
        self.data.n_complete()
    }

    fn n_predictors(&self) -> usize {
        self.model.n_predictors()
    }

    fn expected_curvature(&self) -> Option<&ExpectedCurvature> {
        self.expected.as_ref()
    }

    fn resolution(&self) -> f64 {
        4.0 * B::epsilon()
    }

    fn nats(&self, problem: usize) -> f64 {
        match (self.model.scale(), self.share(problem)) {
            (_, 0.0) => 0.0,
            // Squares have the units of the data, until their scale is known.
            (Scale::Pearson, _) if self.model.support() == Support::Real => 0.0,
            (_, share) => self.model.loss_factor(self.scale[problem]) / share,
        }
    }

    fn akin(&self, problem: usize) -> usize {
        self.problems.akin(problem)
    }

    fn curvatures_held(&self) -> usize {
        self.room.map_or(usize::MAX, |room| room.curvatures)
    }

    fn hold_rows(&self) -> Result<(), Error> {
        if self.may_hold_rows() {
            self.held()?;
        }
        Ok(())
    }

    fn by_row(&self, problem: usize) -> Result<Option<RowProblem<'_>>, Error> {
        if !self.may_hold_rows() {
            return Ok(None);
        }
        Ok(row_problem::of(self, self.held()?, problem))
    }

    fn by_class(&self, problem: usize) -> Result<Option<ClassRows>, Error> {
        if !self.may_hold_rows() {
            return Ok(None);
        }
        Ok(row_problem::of_classes(self, self.held()?, problem))
    }

    fn smoothness(&self) -> Result<Option<Smoothness>, Error> {
        smoothness::of(self)
    }
}
