//! The mean negative log-likelihood of every neuron, by blocks of rows.

use ndarray::Array2;
use nemos_core::tensor::{DType, Tensor};
use nemos_core::{Backend, Design, HostFloat, Matrix};
use nemos_solvers::{Error, Evaluation, Gram, Objective, Parameters, Request, Smoothness};

use crate::data::{Chunk, Data, OnDevice};
use crate::fused::Scratch;
use crate::kernel::Kernel;
use crate::sums::Sums;
use crate::survey::Survey;
use crate::{InverseLink, ObservationModel, smoothness, start};

/// The mean over samples of a model's negative log-likelihood, one column per neuron: what a fit minimises, less the
/// penalty.
///
/// ```text
/// fⱼ(w, b) = Σₜ weight[t, j] · loss(counts[t, j], design[t] · w + b + offset[t, j]) / Σₜ weight[t, j]
/// ```
///
/// over the rows in which neither the design nor the count is missing.
#[derive(Debug)]
pub struct GlmObjective<'a, B: Backend, D, Y, O, L> {
    data: Data<'a, D, Y>,
    observation: &'a O,
    link: &'a L,
    kernel: Option<Kernel>,
    n_counts: Vec<usize>,
    /// `[n_neurons]`: weights of the rows used, together.
    weight: Vec<f64>,
    has_offset: bool,
    on_edge: Vec<bool>,
    start: Vec<f64>,
    /// `[n_neurons]`
    scale: Vec<f64>,
    gram: Gram,
    backend: std::marker::PhantomData<B>,
}

impl<'a, B: Backend, D: Design<B>, Y: Design<B>, O: ObservationModel, L: InverseLink> GlmObjective<'a, B, D, Y, O, L> {
    /// Checks and surveys the data.
    pub(crate) fn new(design: &'a D, counts: &'a Y, observation: &'a O, link: &'a L) -> Result<Self, crate::Error> {
        let survey = Survey::new(design, counts, observation.support())?;
        let start = start::intercepts::<B>(link, &survey, observation.support())?;
        let on_edge = survey.mean_count.iter().map(|&mean| observation.support().on_edge(mean)).collect();
        // Every sample has the same weight where only the intercept acts.
        let row = |values: Vec<f64>| Matrix::<B>::from_vec(values, [1, start.len()]).map(Matrix::into_tensor);
        let scale = vec![observation.scale().start(); start.len()];
        let predictor = start.iter().zip(&survey.mean_offset).map(|(start, offset)| start + offset);
        let weight = observation.fisher_weight(row(survey.mean_count)?, row(predictor.collect())?, link, row(scale.clone())?);
        let usable = |weight: f64| if weight.is_finite() && weight > 0.0 { weight } else { 1.0 };
        let weight = Matrix::<B>::from_tensor(weight).to_array().mapv(usable);
        Ok(GlmObjective {
            data: Data::new(design, counts, survey.pieces, start.len()),
            observation,
            link,
            kernel: Kernel::of(observation, link),
            n_counts: survey.n_counts,
            weight: survey.weight,
            has_offset: survey.has_offset,
            on_edge,
            start,
            scale,
            gram: Gram {
                mean: survey.mean,
                covariance: survey.covariance,
                precision: survey.precision,
                weight,
                ridge: None,
                free: None,
            },
            backend: std::marker::PhantomData,
        })
    }

    /// Holds the other coefficients at zero: `[n_features, n_neurons]`.
    pub(crate) fn hold_all_but(&mut self, free: Option<Array2<bool>>) {
        self.gram.free = free;
    }

    /// Lets neurons move whose counts lie on the edge of their support: in a batch they may.
    pub(crate) fn release_edge(&mut self) {
        self.on_edge.fill(false);
    }

    /// Takes other scales, one per neuron.
    pub(crate) fn set_scale(&mut self, scale: Vec<f64>) {
        self.scale = scale;
    }

    /// Scale (dispersion) of each neuron in the loss.
    pub(crate) fn scale(&self) -> &[f64] {
        &self.scale
    }

    pub(crate) fn data(&self) -> &Data<'a, D, Y> {
        &self.data
    }

    pub(crate) fn observation(&self) -> &O {
        self.observation
    }

    pub(crate) fn link(&self) -> &L {
        self.link
    }

    /// Where a fit starts: no effect of any feature, and the intercept that gives each neuron its mean count.
    pub fn start(&self) -> Parameters {
        let n_features = self.gram.mean.len();
        let mut start = Parameters::zeros(n_features + 1, self.start.len());
        for (neuron, &intercept) in self.start.iter().enumerate() {
            start.column_mut(neuron)[n_features] = intercept;
        }
        start
    }

    /// Rows used per neuron: neither the design nor the count is missing, and the weight is above zero.
    pub fn n_counts(&self) -> &[usize] {
        &self.n_counts
    }

    /// Whether the design has an offset.
    pub fn has_offset(&self) -> bool {
        self.has_offset
    }

    /// Neurons whose counts all lie on the edge of their support: without a spike, or with one in every bin of a binary
    /// recording. Their loss falls for ever; here it is held at zero, so that they stay where they start.
    pub fn on_edge(&self) -> &[bool] {
        &self.on_edge
    }

    /// Parameters and scales of the columns asked for, on the device.
    pub(crate) fn on_device(&self, at: &Parameters, columns: &[usize]) -> Result<OnDevice<B>, Error> {
        let n_features = at.n_parameters() - 1;
        let row = |values: Vec<f64>| Matrix::<B>::from_vec(values, [1, columns.len()]).map(Matrix::into_tensor);
        Ok(OnDevice {
            coef: Matrix::<B>::from(at.to_array(n_features)).into_tensor(),
            intercept: row(at.columns().map(|column| column[n_features]).collect())?,
            scale: row(columns.iter().map(|&column| self.scale[column]).collect())?,
        })
    }

    /// One chunk through tensor operations: one read-back.
    fn add_tensors(&self, chunk: Chunk<B>, at: &OnDevice<B>, sums: &mut Sums) {
        let n_rows = chunk.features.dims()[0];
        let (features, counts) = (chunk.features.clone().into_tensor(), chunk.present_counts());
        let predictor = chunk.predictor(at);
        let (losses, slopes) = self
            .observation
            .slope(counts.clone(), predictor.clone(), self.link, at.scale.clone());
        let (losses, slopes) = (chunk.weigh(losses), chunk.weigh(slopes));
        let gradient = features.clone().transpose().matmul(slopes.clone());
        let packed = Tensor::cat(vec![losses.sum_dim(0), gradient, slopes.sum_dim(0)], 0);
        sums.add_packed(&Matrix::<B>::from_tensor(packed).to_array());
        if !sums.curvature.is_empty() {
            let fisher = chunk.weigh(self.observation.fisher_weight(counts, predictor, self.link, at.scale.clone()));
            let ones = Tensor::ones([n_rows, 1], (&B::device(), B::DTYPE));
            let features = Tensor::cat(vec![features, ones], 1);
            for (index, curvature) in sums.curvature.iter_mut().enumerate() {
                let weighted = features.clone() * fisher.clone().narrow(1, index, 1);
                *curvature += &Matrix::<B>::from_tensor(weighted.transpose().matmul(features.clone())).to_array();
            }
        }
    }

    /// All chunks through the fused loop, or through tensor operations.
    fn sums<E: HostFloat>(&self, at: &Parameters, request: Request<'_>) -> Result<Sums, Error> {
        let scales: Vec<f64> = request.columns.iter().map(|&column| self.scale[column]).collect();
        let kernel = self.kernel.filter(|_| B::HOST);
        let on_host: Vec<E> = at.as_slice().iter().map(|&value| E::from_f64(value)).collect();
        let on_device = self.on_device(at, request.columns)?;
        let new = || (Sums::new(at.n_parameters(), request), Scratch::<E>::new(&scales));
        let add = |(sums, scratch): &mut (Sums, Scratch<E>), chunk: Chunk<B>| {
            if !kernel.is_some_and(|kernel| scratch.add(kernel, &chunk, &on_host, sums)) {
                self.add_tensors(chunk, &on_device, sums);
            }
            Ok(())
        };
        let shards = match request.rows {
            None => self.data.for_each_chunk(request.columns, new, add)?,
            Some([]) => Vec::new(),
            Some(rows) => {
                let mut state = new();
                add(&mut state, self.data.gather(rows, request.columns)?)?;
                vec![state]
            }
        };
        let total = shards.into_iter().map(|(sums, _)| sums).reduce(Sums::merge);
        Ok(total.unwrap_or_else(|| Sums::new(at.n_parameters(), request)))
    }
}

impl<B: Backend, D: Design<B>, Y: Design<B>, O: ObservationModel, L: InverseLink> Objective for GlmObjective<'_, B, D, Y, O, L> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let mut sums = match B::DTYPE {
            DType::F64 => self.sums::<f64>(at, request)?,
            _ => self.sums::<f32>(at, request)?,
        };
        if let Some(free) = &self.gram.free {
            sums.hold(request.columns, free, self.gram.mean.len());
        }
        // A batch stands for all rows.
        let factor = request.rows.map_or(1.0, |rows| self.n_rows() as f64 / rows.len().max(1) as f64);
        let share = |neuron: usize| if self.on_edge[neuron] { 0.0 } else { factor / self.weight[neuron] };
        Ok(sums.means(request.columns, share))
    }

    fn n_rows(&self) -> usize {
        self.data.n_rows()
    }

    fn gram(&self) -> Option<&Gram> {
        Some(&self.gram)
    }

    fn resolution(&self) -> f64 {
        4.0 * B::epsilon()
    }

    fn smoothness(&self) -> Result<Option<Smoothness>, Error> {
        match self.kernel {
            Some(Kernel::PoissonSoftplus) => Ok(Some(smoothness::poisson_softplus(self)?)),
            _ => Ok(None),
        }
    }
}
