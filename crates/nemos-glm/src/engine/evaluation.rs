//! One evaluation of an objective: all rows, or some of them, become losses, gradients and curvatures.

use std::ops::Range;

use nemos_core::tensor::DType;
use nemos_core::{Backend, Digest, row_chunks};
use nemos_solvers::{Error, Evaluation, Objective, Order, Parameters, Request};

use crate::engine::chunk::Chunk;
use crate::engine::data::Read;
use crate::engine::host::{Asked, Predictors, Scratch};
use crate::engine::loops::{LoopFloat, Loops};
use crate::engine::model::Model;
use crate::engine::numbers::Numbers;
use crate::engine::objective::GlmObjective;
use crate::engine::pending::Pending;
use crate::engine::shards::Sum;
use crate::engine::sums::Sums;
use crate::engine::tensors::{OnDevice, Seen};
use crate::engine::views::Views;
use crate::fit::room::Room;

impl<B: Backend> GlmObjective<'_, B> {
    /// Evaluates as many columns at a time as there is room for curvatures.
    pub(super) fn evaluate_in_room(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let room = self.room.unwrap_or(Room::unlimited(0));
        let groups = memory_groups(at.n_parameters(), request, room.curvature_bytes);
        if groups.len() > 1 {
            return self.evaluate_in_groups(at, request, groups);
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

    /// One group after the other, for curvatures among all parameters.
    fn evaluate_in_groups(&self, at: &Parameters, request: Request<'_>, groups: Vec<Range<usize>>) -> Result<Evaluation, Error> {
        let (mut values, mut columns, mut curvature) = (Vec::new(), Vec::new(), Vec::new());
        for group in groups {
            let places: Vec<usize> = group.clone().collect();
            let request = Request {
                columns: &request.columns[group],
                ..request
            };
            let part = self.evaluate_in_room(&at.select(&places), request)?;
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

    /// What an evaluation is of: processes that went different ways must not add up what they find there.
    fn key(&self, at: &Parameters, request: Request<'_>) -> u64 {
        if self.data.design.share().is_none() {
            return 0;
        }
        key_of(at, request)
    }

    /// All chunks through the fused loops, or through tensor operations.
    fn sums<'r, E: LoopFloat>(&self, at: &Parameters, request: Request<'r>) -> Result<Sums<'r>, Error> {
        let key = self.key(at, request);
        let at = &self.centred(at);
        let asked = self.asked(request.columns);
        let scales = self.scales_of(request.columns);
        let loops = self.model.loops().filter(|_| B::HOST).map(E::of);
        let request = match request.order {
            // Tensor operations would bring those of all features.
            Order::CurvatureAmong(_) if loops.is_none() => Request {
                order: Order::Gradient,
                ..request
            },
            _ => request,
        };
        let on_host: Vec<E> = at.as_slice().iter().map(|&value| E::from_f64(value)).collect();
        let pass = Pass {
            model: &*self.model,
            centre: self.centre(),
            asked,
            at,
            scales: &scales,
            // Curvatures are for all problems.
            views: Views::new(asked, &on_host, &scales).filter(|_| request.order == Order::Gradient),
            on_host: &on_host,
            on_device: loops.is_none().then(|| OnDevice::<B>::new(&*self.model, at, &scales)),
            loops: loops.as_deref(),
            with_curvature: request.order == Order::Curvature,
        };
        let new = || Shard::<B, E> {
            pending: Pending::new(),
            sums: Sums::new(at.n_parameters(), request),
            scratch: Scratch::new(&scales, asked.n_predictors),
        };
        let add = |shard: &mut Shard<'r, B, E>, chunk: &Chunk<B>| pass.add(shard, chunk);
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

/// What all chunks of an evaluation are added with.
struct Pass<'p, B: Backend, E> {
    model: &'p dyn Model<B::Burn>,
    centre: Option<&'p [f64]>,
    asked: Asked<'p>,
    /// Where features are less the centre, as everything below.
    at: &'p Parameters,
    /// `[n_columns]`
    scales: &'p [f64],
    on_host: &'p [E],
    /// Nothing where loops do all.
    on_device: Option<OnDevice<B>>,
    loops: Option<&'p dyn Loops<E>>,
    views: Option<Views<'p, E>>,
    with_curvature: bool,
}

impl<B: Backend, E: LoopFloat> Pass<'_, B, E> {
    fn add(&self, shard: &mut Shard<'_, B, E>, chunk: &Chunk<B>) -> Result<(), nemos_core::Error> {
        let less = self.centre.map(|centre| chunk.less(centre));
        let chunk = less.as_ref().unwrap_or(chunk);
        if self.add_in_loops(shard, chunk).is_some() {
            return Ok(());
        }
        let made;
        let at = match &self.on_device {
            Some(at) => at,
            // Values that are not where loops can read them, of a backend whose others are.
            None => {
                made = OnDevice::<B>::new(self.model, self.at, self.scales);
                &made
            }
        };
        Seen::new(chunk, self.asked)?.add(self.model, at, self.with_curvature, &mut shard.pending);
        shard.pending.end_of_chunk()
    }

    /// Nothing where there are no loops, or they cannot read the chunk.
    fn add_in_loops(&self, shard: &mut Shard<'_, B, E>, chunk: &Chunk<B>) -> Option<()> {
        let (loops, n_predictors) = (self.loops?, self.asked.n_predictors);
        let Shard { sums, scratch, .. } = shard;
        match self.views.as_ref().and_then(|views| Some((views, views.of(chunk)?))) {
            // Every problem leaves these rows out.
            Some((_, view)) if view.scales.is_empty() => Some(()),
            Some((views, view)) => {
                scratch.turn_to(Some(view.fold), &view.scales, n_predictors);
                let predictors = Predictors::Parameters(&view.values);
                scratch.with(chunk, views.asked(view), &predictors, |work| work.add(loops, sums))
            }
            None => {
                scratch.turn_to(None, self.scales, n_predictors);
                let predictors = Predictors::Parameters(self.on_host);
                scratch.with(chunk, self.asked, &predictors, |work| work.add(loops, sums))
            }
        }
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
struct Shard<'r, B: Backend, E> {
    sums: Sums<'r>,
    pending: Pending<B>,
    scratch: Scratch<E>,
}

impl<B: Backend, E: LoopFloat> Sum for Shard<'_, B, E> {
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

/// Cuts columns into groups whose curvatures fit into so many bytes.
fn memory_groups(n_parameters: usize, request: Request<'_>, curvature_bytes: usize) -> Vec<Range<usize>> {
    let n_columns = request.columns.len();
    let at_a_time = match request.order {
        Order::Curvature => curvature_bytes / (8 * n_parameters * n_parameters),
        _ => n_columns,
    };
    row_chunks(n_columns, at_a_time.max(1)).collect()
}
