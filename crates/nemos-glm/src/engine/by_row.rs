//! What a model says of every row: rates, log-likelihoods.

use nemos_core::tensor::{DType, Tensor};
use nemos_core::{Backend, Design, Matrix, Operand};
use nemos_solvers::Parameters;

use crate::Error;
use crate::engine::chunk::{Chunk, RowNumbers};
use crate::engine::host::{Asked, Predictors, Scratch};
use crate::engine::loops::{LoopFloat, Measure};
use crate::engine::model::Model;
use crate::engine::problems::Problems;
use crate::engine::selection::ChunkRows;
use crate::engine::support::check_support;
use crate::engine::tensors::{OnDevice, Seen};
use crate::fitted::score::check_scale;

/// `[n_rows, width]`: what `of` makes of the predictors `[n_rows, n_problems · n_predictors]` of each row. NaN where the design has
/// one.
pub(crate) fn predicted<B: Backend, E: std::convert::From<nemos_core::Error> + Send>(
    model: &dyn Model<B::Burn>,
    at: &Parameters,
    design: &Design<'_, B>,
    width: usize,
    of: impl Fn(Matrix<B>) -> Result<Matrix<B>, E> + Send + Sync,
) -> Result<Matrix<B>, E> {
    let n_columns = at.n_problems() * model.n_predictors();
    let device = OnDevice::<B>::new(model, at, &vec![1.0; at.n_problems()]);
    let problems = Problems::one_per_response(at.n_problems());
    let columns: Vec<usize> = (0..at.n_problems()).collect();
    let chunk_rows = B::chunk_rows(design.n_columns().max(n_columns));
    Matrix::by_chunks([design.n_rows(), width], chunk_rows, |rows| {
        let features = design.chunk(rows.clone())?;
        // Finds infinities; what is missing stays NaN.
        ChunkRows::complete("design", &features, rows.start)?;
        let coef = device.coef.clone().expect("made of parameters");
        let mut predictor = Operand::new(features).predictor(coef) + device.intercept.clone();
        if let Some(offset) = design.offset() {
            let offset = offset.rows(rows)?;
            let of_width = offset.dims()[1];
            let offset = if of_width == 1 {
                offset
            } else {
                let of_problems = columns.iter().map(|&problem| problems.offset_column(problem, of_width));
                let columns = of_problems.flat_map(|column| std::iter::repeat_n(column, model.n_predictors()));
                offset.select_columns(&columns.collect::<Vec<_>>())?
            };
            predictor = predictor + offset.into_tensor();
        }
        of(Matrix::from_tensor(predictor))
    })
}

/// `[n_rows, n_problems]`: the log-likelihood of every count; NaN where it, or a feature, is missing.
pub(crate) fn log_likelihoods<B: Backend>(
    model: &dyn Model<B::Burn>,
    (at, scale): (&Parameters, &[f64]),
    problems: &Problems,
    design: &Design<'_, B>,
    counts: &Design<'_, B>,
) -> Result<Matrix<B>, Error> {
    check_scale(scale)?;
    match B::DTYPE {
        DType::F64 => log_likelihoods_in::<B, f64>(model, (at, scale), problems, design, counts),
        _ => log_likelihoods_in::<B, f32>(model, (at, scale), problems, design, counts),
    }
}

fn log_likelihoods_in<B: Backend, E: LoopFloat>(
    model: &dyn Model<B::Burn>,
    (at, scale): (&Parameters, &[f64]),
    problems: &Problems,
    design: &Design<'_, B>,
    counts: &Design<'_, B>,
) -> Result<Matrix<B>, Error> {
    let columns: Vec<usize> = (0..problems.n_problems()).collect();
    let asked = Asked::of(problems, &columns, model);
    let on_device = OnDevice::<B>::new(model, at, scale);
    let values: Vec<E> = at.as_slice().iter().map(|&value| E::from_f64(value)).collect();
    let loops = model.loops().map(E::of).filter(|_| B::HOST && asked.n_predictors == 1);
    let loops = loops.as_deref();
    let width = design.n_columns() + counts.n_columns().max(columns.len() * asked.n_predictors);
    Matrix::by_chunks([design.n_rows(), columns.len()], B::chunk_rows(width), |rows| {
        let some = |matrix: Option<&Matrix<B>>| matrix.map(|matrix| matrix.rows(rows.clone())).transpose();
        let chunk = Chunk {
            features: Some(design.chunk(rows.clone())?),
            counts: counts.chunk(rows.clone())?,
            is_whole: false,
            // A log-likelihood is not weighed.
            weights: None,
            offset: some(design.offset())?,
            rows: RowNumbers::Listed(rows.clone().collect()),
        };
        check_support(&chunk, model.support(), asked.n_targets)?;
        let shape = [rows.len(), columns.len()];
        let unweighted = Asked {
            problems: &problems.clone().of_all_rows(),
            ..asked
        };
        let on_host = loops.and_then(|loops| {
            let mut scratch = Scratch::<E>::new(scale, 1);
            scratch.with(&chunk, unweighted, &Predictors::Parameters(&values), |work| {
                loops.measure(Measure::LogLikelihood, work.predictor, work.on_host.observed, work.lanes);
                Matrix::from_host(std::mem::take(work.predictor), shape)
            })
        });
        if let Some(made) = on_host {
            return Ok(made?);
        }
        let terms = log_likelihood_terms(model, &Seen::new(&chunk, unweighted)?, &on_device, asked.n_predictors);
        Ok::<_, Error>(Matrix::from_tensor(terms))
    })
}

/// `[n_rows, n_problems]`: the log-likelihood of every count in tensor operations; NaN where it, or a feature, is missing.
pub(crate) fn log_likelihood_terms<B: Backend>(
    model: &dyn Model<B::Burn>,
    seen: &Seen<B>,
    on_device: &OnDevice<B>,
    n_predictors: usize,
) -> Tensor<B::Burn, 2> {
    let predictor = seen.predictor(on_device);
    let [n_rows, width] = predictor.dims();
    let n_problems = width / n_predictors;
    // A feature that is missing leaves no predictor; of several, the first tells.
    let no_features = match n_predictors {
        1 => predictor.clone().is_nan(),
        n => {
            let sums = predictor.clone().reshape([n_rows, n_problems, n]).sum_dim(2);
            sums.reshape([n_rows, n_problems]).is_nan()
        }
    };
    let terms = model.log_likelihood(seen.counts(), predictor, on_device.scale.clone());
    seen.or_missing(terms).mask_fill(no_features, f32::NAN)
}
