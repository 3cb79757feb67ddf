//! The null model: a constant rate, or an intercept beside an offset.

use nemos_core::tensor::Tensor;
use nemos_core::{Backend, Design, Matrix};

use crate::data::{Chunk, Data};
use crate::measure::{Measure, Terms};
use crate::predictor::{Pass, Predictor};
use crate::rows::in_shards;
use crate::{Error, Identity, InverseLink, ObservationModel};

const PASSES: usize = 100;
const PRECISION: f64 = 1e-10;

/// `[n_neurons]`: sums of log-likelihoods of the null model, or of its deviances.
pub(crate) fn sums<B: Backend, O: ObservationModel, L: InverseLink>(
    measure: Measure,
    model: &Predictor<'_, B, O, L>,
    pass: &Pass,
    design: &impl Design<B>,
    counts: &impl Design<B>,
) -> Result<Vec<f64>, Error> {
    let (observation, scale) = (model.observation(), model.on_device().scale);
    let means: Vec<f64> = pass.count_sum.iter().zip(&pass.weight).map(|(sum, weight)| sum / weight).collect();
    let row = |values: &[f64]| Matrix::<B>::from_vec(values.to_vec(), [1, values.len()]).map(Matrix::into_tensor);
    if design.offset(0..0)?.is_none() {
        let rate = row(&means)?;
        let link = &Identity;
        let terms = Terms {
            measure,
            observation,
            link,
            scale,
        };
        return over_counts(pass, design, counts, |chunk| {
            terms.sum(chunk, rate.clone().expand(chunk.counts.dims()))
        });
    }
    let intercept = row(&intercepts(model, pass, design, counts, &means)?)?;
    let link = model.link();
    let terms = Terms {
        measure,
        observation,
        link,
        scale,
    };
    over_counts(pass, design, counts, |chunk| terms.sum(chunk, beside_offset(chunk, &intercept)))
}

/// `[n_neurons]`: the intercepts that, beside the offset, fit the counts best, by Fisher scoring.
fn intercepts<B: Backend, O: ObservationModel, L: InverseLink>(
    model: &Predictor<'_, B, O, L>,
    pass: &Pass,
    design: &impl Design<B>,
    counts: &impl Design<B>,
    means: &[f64],
) -> Result<Vec<f64>, Error> {
    let scale = model.on_device().scale;
    let offsets = over_counts(pass, design, counts, |chunk| {
        chunk.sum(beside_offset(chunk, &Tensor::zeros([1, means.len()], (&B::device(), B::DTYPE))))
    })?;
    let neurons = means.iter().zip(offsets.iter().zip(&pass.weight)).enumerate();
    let mut intercepts = neurons
        .map(|(neuron, (&mean, (offset, weight)))| Ok(crate::start::intercept::<B>(model.link(), mean, neuron)? - offset / weight))
        .collect::<Result<Vec<f64>, Error>>()?;
    for _ in 0..PASSES {
        let at = Matrix::<B>::from_vec(intercepts.clone(), [1, means.len()])?.into_tensor();
        let args = |chunk: &Chunk<B>| (chunk.present_counts(), beside_offset(chunk, &at));
        let slopes = over_counts(pass, design, counts, |chunk| {
            let (counts, predictor) = args(chunk);
            chunk.sum(model.observation().slope(counts, predictor, model.link(), scale.clone()).1)
        })?;
        let weights = over_counts(pass, design, counts, |chunk| {
            let (counts, predictor) = args(chunk);
            chunk.sum(model.observation().fisher_weight(counts, predictor, model.link(), scale.clone()))
        })?;
        let mut farthest = 0.0_f64;
        for (intercept, (slope, weight)) in intercepts.iter_mut().zip(slopes.iter().zip(weights)) {
            let step = (slope / weight).clamp(-5.0, 5.0);
            if step.is_finite() {
                *intercept -= step;
                farthest = farthest.max(step.abs());
            }
        }
        if farthest <= PRECISION.max(B::epsilon() * 8.0) {
            break;
        }
    }
    Ok(intercepts)
}

/// `[n_rows, n_neurons]`: an intercept plus the offset of each row.
fn beside_offset<B: Backend>(chunk: &Chunk<B>, intercept: &Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2> {
    let intercept = intercept.clone().expand(chunk.counts.dims());
    match &chunk.offset {
        None => intercept,
        Some(offset) => intercept + offset.clone().into_tensor(),
    }
}

/// Adds up `sums` `[n_neurons]` of the chunks of a pass, without reading the design again.
fn over_counts<B: Backend>(
    pass: &Pass,
    design: &impl Design<B>,
    counts: &impl Design<B>,
    sums: impl Fn(&Chunk<B>) -> Vec<f64> + Send + Sync,
) -> Result<Vec<f64>, Error> {
    let n_neurons = counts.n_features();
    let data = Data::new(design, counts, Vec::new(), n_neurons);
    let all: Vec<usize> = (0..n_neurons).collect();
    let shards = in_shards(&pass.pieces, |pieces| {
        let mut total = vec![0.0; n_neurons];
        for piece in pieces {
            let chunk = data.chunk_without_features(piece, &all)?;
            total.iter_mut().zip(sums(&chunk)).for_each(|(a, b)| *a += b);
        }
        Ok::<_, Error>(total)
    })?;
    Ok(shards.into_iter().fold(vec![0.0; n_neurons], |mut total, shard| {
        total.iter_mut().zip(shard).for_each(|(a, b)| *a += b);
        total
    }))
}
