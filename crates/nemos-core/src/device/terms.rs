//! Loss and slope of every count in one kernel: what tensor operations do in some twenty, each of which reads and writes a number for every
//! row and neuron.
//!
//! The formulas are those of the models (`nemos-glm`), written for `f32`; the tensor operations of a model stay what it is checked against.

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeRuntime, ops::numeric::empty_device_contiguous_dtype};
use cubecl::prelude::*;

use super::kernels::{THREADS, grid, rows_in_a_row};
use super::pairs::{Curve, Scatter, TermSums, Terms};

/// A rate, and what a loss asks of it.
#[derive(CubeType, Copy, Clone)]
struct Mean {
    rate: f32,
    log: f32,
    /// Derivative of the rate in the predictor.
    steepness: f32,
    /// The same over the rate.
    relative: f32,
}

/// A loss, and its derivative in the predictor.
#[derive(CubeType, Copy, Clone)]
struct Term {
    loss: f32,
    slope: f32,
}

/// `ln(1 + x)`: 2 atanh(x / (2 + x)) as a series where `x` is small. Shaders have no such function of their own.
#[cube]
fn ln_1p(x: f32) -> f32 {
    let s = x / (2.0f32 + x);
    let q = s * s;
    let mut series = q * 0.076_923_08f32 + 0.090_909_09f32;
    series = series * q + 0.111_111_11f32;
    series = series * q + 0.142_857_15f32;
    series = series * q + 0.2f32;
    series = series * q + 0.333_333_34f32;
    let near = 2.0f32 * s + 2.0f32 * (s * q * series);
    let far = (1.0f32 + x).ln();
    select(x > 1.0f32, far, near)
}

/// `ln(1 + e^x)`.
#[cube]
fn ln_1p_exp(x: f32) -> f32 {
    select(x > 0.0f32, x, 0.0f32) + ln_1p((0.0f32 - x.abs()).exp())
}

/// `1 / (1 + e^−x)`.
#[cube]
fn logistic(x: f32) -> f32 {
    let e = (0.0f32 - x.abs()).exp();
    select(x > 0.0f32, 1.0f32, e) / (1.0f32 + e)
}

#[cube]
fn mean_of(predictor: f32, #[comptime] curve: Curve) -> Mean {
    if comptime!(curve == Curve::Exp) {
        let rate = predictor.exp();
        Mean {
            rate,
            log: predictor,
            steepness: rate,
            relative: 1.0f32,
        }
    } else if comptime!(curve == Curve::Softplus) {
        let rate = ln_1p_exp(predictor);
        let steepness = logistic(predictor);
        // Rate and slope are the exponential there, and vanish long before their logarithms do.
        let far = predictor + 40.0f32 < 0.0f32;
        Mean {
            rate,
            log: select(far, predictor, rate.ln()),
            steepness,
            relative: select(far, 1.0f32, steepness / rate),
        }
    } else {
        Mean {
            rate: predictor,
            log: predictor.ln(),
            steepness: 1.0f32,
            relative: 1.0f32 / predictor,
        }
    }
}

/// `count · each`, zero without spikes even where `each` is infinite.
#[cube]
fn spikes(count: f32, each: f32) -> f32 {
    select(count == 0.0f32, 0.0f32, count * each)
}

#[cube]
fn term_of(predictor: f32, count: f32, scale: f32, #[comptime] scatter: Scatter, #[comptime] curve: Curve) -> Term {
    if comptime!(scatter == Scatter::Gaussian) {
        let residual = predictor - count;
        Term {
            loss: residual * residual,
            slope: 2.0f32 * residual,
        }
    } else if comptime!(scatter == Scatter::Bernoulli && curve == Curve::Logistic) {
        let is_silent = count == 0.0f32;
        let towards = select(is_silent, predictor, 0.0f32 - predictor);
        let slope = logistic(towards);
        Term {
            loss: ln_1p_exp(towards),
            slope: select(is_silent, slope, 0.0f32 - slope),
        }
    } else if comptime!(scatter == Scatter::Bernoulli) {
        let is_silent = count == 0.0f32;
        let probability = select(is_silent, 1.0f32 - predictor, predictor);
        let slope = 1.0f32 / probability;
        // The logarithm of what is above one is that of a number below zero, which is none.
        let bounded = select(probability > 1.0f32, 1.0f32 - probability, probability);
        Term {
            loss: 0.0f32 - bounded.ln(),
            slope: select(is_silent, slope, 0.0f32 - slope),
        }
    } else if comptime!(scatter == Scatter::Gamma && curve == Curve::Reciprocal) {
        Term {
            loss: count * predictor - predictor.ln(),
            slope: count - 1.0f32 / predictor,
        }
    } else if comptime!(scatter == Scatter::Gamma) {
        let mean = mean_of(predictor, curve);
        let ratio = count / mean.rate;
        Term {
            loss: ratio + mean.log,
            slope: mean.relative * (1.0f32 - ratio),
        }
    } else if comptime!(scatter == Scatter::NegativeBinomial) {
        let mean = mean_of(predictor, curve);
        let z = mean.log + scale.ln();
        Term {
            loss: ln_1p_exp(z) / scale + spikes(count, ln_1p_exp(0.0f32 - z)),
            slope: mean.relative * (logistic(z) / scale - spikes(count, logistic(0.0f32 - z))),
        }
    } else {
        let mean = mean_of(predictor, curve);
        Term {
            loss: mean.rate - spikes(count, mean.log),
            slope: mean.steepness - spikes(count, mean.relative),
        }
    }
}

/// Slopes times weights, one for each row and column; sums of them and of the losses over the rows of each part, compensated, one column to a
/// unit. Cubes are numbered by part, then by columns. What is missing, or has no weight, adds nothing.
#[cube(launch_unchecked, address_type = "dynamic")]
fn terms_of_parts(
    predictor: &Tensor<f32>,
    counts: &Tensor<f32>,
    weights: &Tensor<f32>,
    offset: &Tensor<f32>,
    intercept: &Tensor<f32>,
    scale: &Tensor<f32>,
    slopes: &mut Tensor<f32>,
    loss_sums: &mut Tensor<f32>,
    slope_sums: &mut Tensor<f32>,
    rows_of_part: u32,
    #[comptime] scatter: Scatter,
    #[comptime] curve: Curve,
    #[comptime] is_weighted: bool,
    #[comptime] has_offset: bool,
) {
    let cube = CUBE_POS_Y as usize * CUBE_COUNT_X as usize + CUBE_POS_X as usize;
    let n_columns = slopes.shape(1);
    let groups = n_columns.div_ceil(CUBE_DIM_X as usize);
    let part = cube / groups;
    let column = cube % groups * CUBE_DIM_X as usize + UNIT_POS_X as usize;
    if column < n_columns && part < loss_sums.shape(0) {
        let first = part * rows_of_part as usize;
        let end = clamp_max(first + rows_of_part as usize, slopes.shape(0));
        let constant = intercept[column];
        let dispersion = scale[column];
        // One column is for all.
        let weight_column = select(weights.shape(1) == 1usize, 0usize, column);
        let offset_column = select(offset.shape(1) == 1usize, 0usize, column);
        let mut loss_sum = 0.0f32;
        let mut slope_sum = 0.0f32;
        let mut loss_excess = 0.0f32;
        let mut slope_excess = 0.0f32;
        // Short sums first, as in `sums_of_parts`.
        for short in 0..(end - first).div_ceil(32usize) {
            let start = first + short * 32;
            let mut next_loss = 0.0f32 - loss_excess;
            let mut next_slope = 0.0f32 - slope_excess;
            for row in start..clamp_max(start + 32, end) {
                let mut at = predictor[row * predictor.stride(0) + column] + constant;
                if has_offset {
                    at += offset[row * offset.stride(0) + offset_column];
                }
                let count = counts[row * counts.stride(0) + column];
                let is_missing = count.is_nan();
                let mut weight = select(is_missing, 0.0f32, 1.0f32);
                if is_weighted {
                    weight *= weights[row * weights.stride(0) + weight_column];
                }
                let term = term_of(at, select(is_missing, 1.0f32, count), dispersion, scatter, curve);
                // A row of weight zero adds nothing, even where its term is infinite.
                let adds = weight > 0.0f32;
                let loss = select(adds, weight * term.loss, 0.0f32);
                let slope = select(adds, weight * term.slope, 0.0f32);
                slopes[row * slopes.stride(0) + column] = slope;
                next_loss += loss;
                next_slope += slope;
            }
            let raised = loss_sum + next_loss;
            loss_excess = (raised - loss_sum) - next_loss;
            loss_sum = raised;
            let raised = slope_sum + next_slope;
            slope_excess = (raised - slope_sum) - next_slope;
            slope_sum = raised;
        }
        loss_sums[part * loss_sums.stride(0) + column] = loss_sum;
        slope_sums[part * slope_sums.stride(0) + column] = slope_sum;
    }
}

/// Rows of a part: as many as give a large card enough parts to run side by side.
const ROWS: usize = 128;

/// Slopes, and sums of losses and slopes in parts.
pub(crate) fn terms<R: CubeRuntime>(terms: Terms<CubeTensor<R>>, scatter: Scatter, curve: Curve) -> TermSums<CubeTensor<R>> {
    let Terms {
        predictor,
        counts,
        weights,
        offset,
        intercept,
        scale,
    } = terms;
    let [n_rows, n_columns] = [predictor.meta.shape()[0], predictor.meta.shape()[1]];
    let n_parts = n_rows.div_ceil(ROWS);
    let units = n_columns.next_multiple_of(32).min(THREADS);
    let client = predictor.client.clone();
    let empty = |rows: usize| {
        let shape = [rows, n_columns].into();
        empty_device_contiguous_dtype(client.clone(), predictor.device.clone(), shape, predictor.dtype)
    };
    let (slopes, losses, slope_sums) = (empty(n_rows), empty(n_parts), empty(n_parts));
    let (is_weighted, has_offset) = (weights.is_some(), offset.is_some());
    let [predictor, counts, intercept, scale] = [predictor, counts, intercept, scale].map(rows_in_a_row);
    // What is not there is never looked at.
    let [weights, offset] = [weights, offset].map(|given| given.map_or_else(|| intercept.clone(), rows_in_a_row));
    let others = [&predictor, &counts, &weights, &offset];
    let addresses = others.into_iter().fold(slopes.required_address_type(), |most, tensor| {
        most.max(tensor.required_address_type())
    });
    // SAFETY: the kernel guards every index by the shapes of the tensors, which are those of the predictor, and its loops end.
    #[expect(unsafe_code, reason = "bounds are guarded in the kernel")]
    unsafe {
        terms_of_parts::launch_unchecked::<R>(
            &client,
            grid(&client, n_parts * n_columns.div_ceil(units)),
            CubeDim::new_1d(units as u32),
            addresses,
            predictor.into_tensor_arg(),
            counts.into_tensor_arg(),
            weights.into_tensor_arg(),
            offset.into_tensor_arg(),
            intercept.into_tensor_arg(),
            scale.into_tensor_arg(),
            slopes.clone().into_tensor_arg(),
            losses.clone().into_tensor_arg(),
            slope_sums.clone().into_tensor_arg(),
            ROWS.min(n_rows) as u32,
            scatter,
            curve,
            is_weighted,
            has_offset,
        );
    }
    TermSums {
        slopes,
        losses,
        slope_sums,
    }
}
