//! The mean loss of every problem: what a fit minimises, less the penalty.

use std::sync::{Arc, OnceLock};

use ndarray::Array2;
use nemos_core::tensor::DType;
use nemos_core::{Backend, Design, Digest, Matrix};
use nemos_solvers::{
    ClassRows, Error, Evaluation, ExpectedCurvature, Moments, Objective, Order, Parameters, Request, RowProblem, Smoothness,
};

use crate::engine::chunk::Chunk;
use crate::engine::data::{Data, Read};
use crate::engine::host::{Asked, Predictors, Scratch};
use crate::engine::loops::LoopFloat;
use crate::engine::model::{At, Information, Model};
use crate::engine::numbers::Numbers;
use crate::engine::pending::Pending;
use crate::engine::problems::Problems;
use crate::engine::row_problem::{self, Held};
use crate::engine::shards::Sum;
use crate::engine::sums::Sums;
use crate::engine::survey::{FoldMoments, Survey, Totals, survey};
use crate::engine::tensors::{OnDevice, Seen, row};
use crate::engine::views::Views;
use crate::fit::plan::Room;
use crate::fit::{dispersion, smoothness, start};
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
    divisor: Vec<f64>,
    on_edge: Vec<bool>,
    start: Parameters,
    /// `[n_problems]`
    scale: Vec<f64>,
    free: Option<Array2<bool>>,
    pub(super) expected: Option<ExpectedCurvature>,
    held: OnceLock<Held>,
    /// What is taken off the features as they are read, where their means are large.
    centre: Option<Arc<Vec<f64>>>,
    room: Option<Room>,
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

    /// Takes in what a survey found: its totals, and these moments.
    pub(super) fn take(&mut self, moments: Option<FoldMoments>) -> Result<(), crate::Error> {
        self.start = start::parameters::<B>(&*self.model, &self.totals, self.data.design.n_columns(), &self.problems)?;
        let (support, totals) = (self.model.support(), &self.totals);
        let on_edge = (0..self.problems.n_problems()).map(|problem| support.on_edge(totals.n_above[problem], totals.n_counts[problem]));
        self.on_edge = on_edge.collect();
        self.divisor = self.problems.divisors().map_or_else(|| totals.weight.clone(), <[f64]>::to_vec);
        if let Some(moments) = moments {
            self.centre = centre::<B>(&moments.moments[0]);
            self.expected = Some(self.expect(moments));
            self.hold_all_but(self.free.clone());
        }
        Ok(())
    }

    /// What is known of curvature before the first step: where only the intercept acts, every row has the same.
    fn expect(&self, moments: FoldMoments) -> ExpectedCurvature {
        let n_predictors = self.model.n_predictors();
        let n_problems = self.problems.n_problems();
        let stride = self.start.n_parameters() / n_predictors;
        let predictor = (0..n_problems * n_predictors).map(|place| {
            let offset = self.totals.mean_offset[place / n_predictors];
            self.start.as_slice()[(place + 1) * stride - 1] + offset
        });
        let factor: Vec<f64> = self.scale.iter().map(|&scale| self.model.loss_factor(scale)).collect();
        let at = At {
            predictor: row::<B>(&predictor.collect::<Vec<_>>()),
            scale: row::<B>(&self.scale),
            factor: row::<B>(&factor),
        };
        let n_targets = self.model.n_targets();
        // Which label it is does not change the curvature, but it has to be one.
        let is_label = n_targets == 1 && matches!(self.model.support(), Support::Classes(_));
        let mean = (0..n_problems * n_targets).map(|place| match is_label {
            true => 0.0,
            false => self.totals.mean[(place % n_targets, place / n_targets)],
        });
        let mean = row::<B>(&mean.collect::<Vec<_>>());
        let mut weight = Array2::zeros((n_predictors, n_problems));
        for predictor in 0..n_predictors {
            let curvature = self
                .model
                .curvature(Information::Expected, mean.clone(), at.clone(), (predictor, predictor));
            for (problem, value) in Matrix::<B>::from_tensor(curvature).to_vec().into_iter().enumerate() {
                let usable = if value.is_finite() && value > 0.0 { value.max(1e-8) } else { 1.0 };
                // Curvatures are of the loss; what is minimised is its sum over a divisor.
                weight[(predictor, problem)] = usable * self.totals.weight[problem] / self.divisor[problem];
            }
        }
        ExpectedCurvature {
            moments: moments.moments,
            of_problem: moments.of_problem,
            weight,
            ridge: None,
            free: None,
            centre: self.centre.clone(),
        }
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

    /// Takes other weights of the rows without looking at the data again, for problems with [divisors of their
    /// own](Problems::divided_by): counts of rows and sums of weights stay what they were.
    ///
    /// # Errors
    /// If the weights do not fit the rows and problems, or are negative or not finite.
    pub fn replace_weights(&mut self, weights: Matrix<B>) -> Result<(), crate::Error> {
        let design = self.data.design.clone().with_weights(weights)?;
        check_extras(&design, &self.data.counts, &self.problems, &*self.model)?;
        self.data.design = design;
        self.held = OnceLock::new();
        Ok(())
    }

    /// `[n_problems]`: the weights of the rows used, together; as many as there are, where rows have no weights.
    pub fn total_weights(&self) -> &[f64] {
        &self.totals.weight
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

    /// Takes other weights of the rows, in as many columns as before. Neither the features nor their moments are looked at
    /// again: the maximisation steps of a hidden Markov model differ in weights alone.
    ///
    /// # Errors
    /// If the weights do not fit the rows and problems, or are negative or not finite.
    pub fn reweigh(&mut self, weights: Matrix<B>) -> Result<(), crate::Error> {
        let design = self.data.design.clone().with_weights(weights)?;
        check_extras(&design, &self.data.counts, &self.problems, &*self.model)?;
        let mut data = self.data.clone();
        data.design = design;
        let (totals, _) = survey(&mut data, &*self.model, &self.problems, Survey::CountsOnly)?;
        (self.data, self.totals) = (data, totals);
        self.held = OnceLock::new();
        if self.problems.divisors().is_none() {
            self.divisor.clone_from(&self.totals.weight);
        }
        Ok(())
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
        Asked {
            problems: &self.problems,
            columns,
            places: None,
            n_predictors: self.model.n_predictors(),
            n_targets: self.model.n_targets(),
        }
    }

    pub(crate) fn scales_of(&self, columns: &[usize]) -> Vec<f64> {
        columns.iter().map(|&column| self.scale[column]).collect()
    }

    /// What the sums of a problem are multiplied with, where they are over all rows.
    pub(crate) fn share(&self, problem: usize) -> f64 {
        if self.on_edge[problem] { 0.0 } else { 1.0 / self.divisor[problem] }
    }

    /// The same parameters where the centre is taken off the features.
    fn centred(&self, at: &Parameters) -> Parameters {
        let mut centred = at.clone();
        let Some(centre) = &self.centre else { return centred };
        for problem in 0..centred.n_problems() {
            for predictor in centred.column_mut(problem).chunks_exact_mut(centre.len() + 1) {
                let shift: f64 = predictor.iter().zip(&**centre).map(|(coef, centre)| coef * centre).sum();
                predictor[centre.len()] += shift;
            }
        }
        centred
    }

    /// The rows on the host, read at the first call.
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

    /// What an evaluation is of: processes that went different ways must not add up what they find there.
    fn key(&self, at: &Parameters, request: Request<'_>) -> u64 {
        if self.data.design.share().is_none() {
            return 0;
        }
        key_of(at, request)
    }

    /// All chunks through the fused loops, or through tensor operations.
    fn sums<E: LoopFloat>(&self, at: &Parameters, request: Request<'_>) -> Result<Sums, Error> {
        let key = self.key(at, request);
        let at = &self.centred(at);
        let asked = self.asked(request.columns);
        let scales = self.scales_of(request.columns);
        let loops = self.model.loops().filter(|_| B::HOST).map(E::of);
        let loops = loops.as_deref();
        let request = match request.order {
            // Tensor operations would bring those of all features.
            Order::CurvatureAmong(_) if loops.is_none() => Request {
                order: Order::Gradient,
                ..request
            },
            _ => request,
        };
        let on_host: Vec<E> = at.as_slice().iter().map(|&value| E::from_f64(value)).collect();
        let on_device = if loops.is_some() {
            None
        } else {
            Some(OnDevice::<B>::new(&*self.model, at, &scales))
        };
        let with_curvature = request.order == Order::Curvature;
        // Curvatures are for all problems.
        let views = Views::new(asked, &on_host, &scales).filter(|_| request.order == Order::Gradient);
        let new = || Shard::<B, E> {
            pending: Pending::new(),
            sums: Sums::new(at.n_parameters(), request),
            scratch: Scratch::new(&scales, asked.n_predictors),
        };
        let add = |shard: &mut Shard<B, E>, chunk: &Chunk<B>| {
            let less;
            let chunk = match &self.centre {
                Some(centre) => {
                    less = chunk.less(centre);
                    &less
                }
                None => chunk,
            };
            let Shard { sums, pending, scratch } = shard;
            let done = loops.and_then(|loops| match views.as_ref().and_then(|views| Some((views, views.of(chunk)?))) {
                Some((_, view)) if view.scales.is_empty() => Some(()),
                Some((views, view)) => {
                    scratch.turn_to(Some(view.fold), &view.scales, asked.n_predictors);
                    let predictors = Predictors::Parameters(&view.values);
                    scratch.with(chunk, views.asked(view), &predictors, |work| work.add(loops, sums))
                }
                None => {
                    scratch.turn_to(None, &scales, asked.n_predictors);
                    let predictors = Predictors::Parameters(&on_host);
                    scratch.with(chunk, asked, &predictors, |work| work.add(loops, sums))
                }
            });
            if done.is_none() {
                let at = match &on_device {
                    Some(at) => at,
                    // Values that are not where loops can read them, of a backend whose others are.
                    None => &OnDevice::<B>::new(&*self.model, at, &scales),
                };
                Seen::new(chunk, asked)?.add(&*self.model, at, with_curvature, pending);
                pending.end_of_chunk()?;
            }
            Ok::<_, nemos_core::Error>(())
        };
        let shard = match request.rows {
            None => self.data.pass_at(key, Read::Everything, new, add)?.sums,
            Some(rows) => self.data.pass_over(key, rows, new, add)?,
        };
        let mut sums = shard.sums;
        sums.add_read(shard.pending.finish()?, asked.n_predictors);
        if let Some(centre) = &self.centre {
            sums.uncentre(centre);
        }
        Ok(sums)
    }
}

/// What tells one evaluation from another.
pub(crate) fn key_of(at: &Parameters, request: Request<'_>) -> u64 {
    let mut digest = Digest::new();
    digest.numbers(at.as_slice());
    let rows = request.rows.unwrap_or_default();
    digest.add(u64::from(request.order == Order::Curvature));
    let few = match request.order {
        Order::CurvatureAmong(features) => features,
        _ => &[],
    };
    for list in [request.columns, rows].into_iter().chain(few.iter().map(Vec::as_slice)) {
        digest.add(list.len() as u64);
        list.iter().for_each(|&place| digest.add(place as u64));
    }
    digest.word()
}

/// What one shard of a pass carries: the sums, and memory that loops use again.
struct Shard<B: Backend, E> {
    sums: Sums,
    pending: Pending<B>,
    scratch: Scratch<E>,
}

impl<B: Backend, E: LoopFloat> Sum for Shard<B, E> {
    fn merge(&mut self, later: Self) {
        self.sums.merge(later.sums);
        self.pending.merge(later.pending);
    }

    fn tidy(&mut self) {
        self.scratch = Scratch::empty();
    }

    fn pack(&self, to: &mut Vec<f64>) {
        self.sums.pack(to);
        self.pending.pack(to);
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.sums.unpack(from)?;
        self.pending.unpack(from)
    }
}

impl<B: Backend> Objective for GlmObjective<'_, B> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let room = self.room.unwrap_or(Room::unlimited(0));
        let groups = memory_groups(at.n_parameters(), request, room.curvature_bytes);
        if groups.len() > 1 {
            return evaluate_in_groups(self, at, request, groups);
        }
        let mut sums = match B::DTYPE {
            DType::F64 => self.sums::<f64>(at, request)?,
            _ => self.sums::<f32>(at, request)?,
        };
        if let Some(free) = &self.free {
            sums.hold(request.columns, free, self.data.design.n_columns());
        }
        // A batch stands for all rows.
        let factor = request.rows.map_or(1.0, |rows| self.n_rows() as f64 / rows.len().max(1) as f64);
        Ok(sums.means(request.columns, |problem| factor * self.share(problem)))
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

/// The means of features of which one at least is so large, beside its standard deviation, that products and gradients of
/// the features as they are would lose the digits that matter; as numbers of the backend's precision.
fn centre<B: Backend>(moments: &Moments) -> Option<Arc<Vec<f64>>> {
    let (large, round): (f64, fn(f64) -> f64) = match B::DTYPE {
        DType::F64 => (1e3, |x| x),
        _ => (16.0, |x| f64::from(x as f32)),
    };
    let variances = moments.covariance.diag();
    let is_large = moments
        .mean
        .iter()
        .zip(variances)
        .any(|(mean, variance)| *variance > 0.0 && mean.abs() > large * variance.sqrt());
    is_large.then(|| Arc::new(moments.mean.iter().map(|&mean| round(mean)).collect()))
}

/// Cuts columns into groups whose curvatures fit into so many bytes.
fn memory_groups(n_parameters: usize, request: Request<'_>, curvature_bytes: usize) -> Vec<std::ops::Range<usize>> {
    let n_columns = request.columns.len();
    let at_a_time = match request.order {
        Order::Curvature => curvature_bytes / (8 * n_parameters * n_parameters),
        _ => n_columns,
    };
    nemos_core::row_chunks(n_columns, at_a_time.max(1)).collect()
}

fn evaluate_in_groups<B: Backend>(
    objective: &GlmObjective<'_, B>,
    at: &Parameters,
    request: Request<'_>,
    groups: Vec<std::ops::Range<usize>>,
) -> Result<Evaluation, Error> {
    let (mut values, mut columns, mut curvature) = (Vec::new(), Vec::new(), Vec::new());
    for group in groups {
        let places: Vec<usize> = group.clone().collect();
        let request = Request {
            columns: &request.columns[group],
            ..request
        };
        let part = objective.evaluate(&at.select(&places), request)?;
        values.extend(part.values);
        columns.extend_from_slice(part.gradient.as_slice());
        curvature.extend(part.curvature.unwrap_or_default());
    }
    Ok(Evaluation {
        values,
        gradient: Parameters::from_columns(at.n_parameters(), columns.chunks_exact(at.n_parameters())),
        curvature: Some(curvature),
    })
}

/// Checks that problems, weights and offset fit the columns of the counts.
fn check_extras<B: Backend>(
    design: &Design<'_, B>,
    counts: &Design<'_, B>,
    problems: &Problems,
    model: &dyn Model<B::Burn>,
) -> Result<(), crate::Error> {
    let n_targets = model.n_targets();
    if !counts.n_columns().is_multiple_of(n_targets) {
        return Err(nemos_core::Error::Columns {
            name: "counts",
            got: counts.n_columns(),
            expected: counts.n_columns().next_multiple_of(n_targets),
            why: "one per class of each response",
        }
        .into());
    }
    let n_responses = counts.n_columns() / n_targets;
    let weight_columns = design.weights().map(|weights| weights.dims()[1]);
    problems.validate(design.n_rows(), n_responses, weight_columns)?;
    let given = problems.has_weight_columns();
    for (name, values, free) in [("weights", design.weights(), given), ("offset", design.offset(), false)] {
        match values.map(|values| values.dims()[1]) {
            None | Some(1) => {}
            Some(got) if got == n_responses || free => {}
            Some(got) => {
                return Err(nemos_core::Error::Columns {
                    name,
                    got,
                    expected: n_responses,
                    why: "one per neuron, or one for all",
                }
                .into());
            }
        }
    }
    Ok(())
}
