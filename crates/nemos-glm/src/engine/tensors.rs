//! Passes over data in burn operations: on graphics cards, and for models that have no loops.

use std::cell::OnceCell;

use ndarray::Array2;
use nemos_core::tensor::{Bool, Tensor};
use nemos_core::{Backend, Error, Matrix, Operand, Products, TermSums, Terms, check_launch, own_terms};
use nemos_solvers::Parameters;

use crate::engine::chunk::Chunk;
use crate::engine::host::{Asked, pairs};
use crate::engine::model::{At, Information, Model};
use crate::engine::pending::Pending;

/// Parameters of the problems asked for, where tensors are.
#[derive(Clone, Debug)]
pub(crate) struct OnDevice<B: Backend> {
    /// `[n_features, n_columns · n_predictors]`; nothing where there are only intercepts.
    pub(crate) coef: Option<Tensor<B::Burn, 2>>,
    /// `[1, n_columns · n_predictors]`
    pub(crate) intercept: Tensor<B::Burn, 2>,
    /// `[1, n_columns]`
    pub(crate) scale: Tensor<B::Burn, 2>,
    /// `[1, n_columns]`: what takes losses to negative log-likelihoods.
    pub(crate) factor: Tensor<B::Burn, 2>,
}

/// `[1, n]`
pub(crate) fn row<B: Backend>(values: &[f64]) -> Tensor<B::Burn, 2> {
    let row = Matrix::<B>::from_vec(values.to_vec(), [1, values.len()]);
    row.expect("one row of all values").into_tensor()
}

impl<B: Backend> OnDevice<B> {
    /// Parameters, with one scale for each problem.
    pub(crate) fn new(model: &dyn Model<B::Burn>, at: &Parameters, scales: &[f64]) -> Self {
        let n_predictors = model.n_predictors();
        let (stride, width) = (at.n_parameters() / n_predictors, at.n_problems() * n_predictors);
        let columns = at.as_slice();
        let coef = Array2::from_shape_fn((stride - 1, width), |(feature, column)| columns[column * stride + feature]);
        let intercepts: Vec<f64> = (0..width).map(|column| columns[(column + 1) * stride - 1]).collect();
        OnDevice {
            coef: Some(Matrix::<B>::from(coef).into_tensor()),
            ..OnDevice::of_intercepts(model, &intercepts, scales)
        }
    }

    /// Intercepts alone.
    pub(crate) fn of_intercepts(model: &dyn Model<B::Burn>, intercepts: &[f64], scales: &[f64]) -> Self {
        let factors: Vec<f64> = scales.iter().map(|&scale| model.loss_factor(scale)).collect();
        OnDevice {
            coef: None,
            intercept: row::<B>(intercepts),
            scale: row::<B>(scales),
            factor: row::<B>(&factors),
        }
    }
}

/// Counts without a gap, and where the gaps are, if there are any.
type Masked<T> = (Tensor<T, 2>, Option<Tensor<T, 2, Bool>>);

/// A chunk as the problems asked for see it, in tensors.
pub(crate) struct Seen<B: Backend> {
    features: Option<Operand<B>>,
    /// `[n_rows, n_columns · n_targets]`, NaN where missing.
    given: Tensor<B::Burn, 2>,
    /// What stands in their place, once somebody asks: see [`counts`](Seen::counts) and [`missing`](Seen::missing).
    masked: OnceCell<Masked<B::Burn>>,
    n_targets: usize,
    /// `[n_rows, n_columns]`: the shape.
    dims: [usize; 2],
    /// `[n_rows, n_columns]`
    weights: Option<Tensor<B::Burn, 2>>,
    /// `[n_rows, n_columns · n_predictors]`
    offset: Option<Tensor<B::Burn, 2>>,
    n_predictors: usize,
}

impl<B: Backend> Seen<B> {
    pub(crate) fn new(chunk: &Chunk<B>, asked: Asked<'_>) -> Result<Self, Error> {
        let n_targets = asked.n_targets;
        let width = chunk.counts.dims()[1];
        let counts = if asked.problems.are_all_responses(asked.columns, width / n_targets) {
            chunk.counts.clone()
        } else {
            let first = asked.columns.iter().map(|&problem| asked.problems.response(problem) * n_targets);
            let columns: Vec<usize> = first.flat_map(|first| first..first + n_targets).collect();
            chunk.counts.select_columns(&columns)?
        };
        let counts = counts.into_tensor();
        let dims = [chunk.n_rows(), asked.columns.len()];
        let offset = chunk.offset.as_ref().map(|offset| {
            let of_width = offset.dims()[1];
            if of_width == 1 {
                return Ok(offset.clone().into_tensor());
            }
            let problems = asked.columns.iter().map(|&problem| asked.problems.offset_column(problem, of_width));
            let columns: Vec<usize> = problems
                .flat_map(|column| std::iter::repeat_n(column, asked.n_predictors))
                .collect();
            offset.select_columns(&columns).map(Matrix::into_tensor)
        });
        Ok(Seen {
            features: chunk.features.clone().map(Operand::new),
            masked: match chunk.is_whole {
                true => OnceCell::from((counts.clone(), None)),
                false => OnceCell::new(),
            },
            given: counts,
            n_targets,
            dims,
            weights: weights(chunk, asked)?,
            offset: offset.transpose()?,
            n_predictors: asked.n_predictors,
        })
    }

    /// `[n_rows, n_columns · n_targets]`: the counts, with ones in the place of those that are missing.
    pub(crate) fn counts(&self) -> Tensor<B::Burn, 2> {
        self.masked().0.clone()
    }

    /// `[n_rows, n_columns]`: which counts are missing; nothing where none is.
    fn missing(&self) -> Option<&Tensor<B::Burn, 2, Bool>> {
        self.masked().1.as_ref()
    }

    fn masked(&self) -> &Masked<B::Burn> {
        self.masked.get_or_init(|| {
            let absent = self.given.clone().is_nan();
            let missing = any_of_targets::<B>(absent.clone(), self.dims, self.n_targets);
            (self.given.clone().mask_fill(absent, 1.0), Some(missing))
        })
    }

    /// `[n_rows, n_columns · n_predictors]`
    pub(crate) fn predictor(&self, at: &OnDevice<B>) -> Tensor<B::Burn, 2> {
        check_launch("predictors of a pass", &[self.dims[0], at.intercept.dims()[1]]);
        let predictor = match (&self.features, &at.coef) {
            (Some(features), Some(coef)) => features.predictor(coef.clone()) + at.intercept.clone(),
            _ => at.intercept.clone().expand([self.dims[0], at.intercept.dims()[1]]),
        };
        match &self.offset {
            None => predictor,
            Some(offset) => predictor + offset.clone(),
        }
    }

    /// `[n_rows, n_columns]`: terms times weights, and zero where counts are missing.
    pub(crate) fn weigh(&self, terms: Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2> {
        check_launch("terms of a pass", &terms.dims());
        let terms = self.where_missing(terms, 0.0);
        match &self.weights {
            None => terms,
            // A row of weight zero adds nothing, even where its term is infinite.
            Some(weights) => {
                let weights = weights.clone().expand(terms.dims());
                let none = weights.clone().equal_elem(0.0);
                (terms * weights).mask_fill(none, 0.0)
            }
        }
    }

    /// The same for `[n_rows, n_columns · n_predictors]`.
    fn weigh_slopes(&self, slopes: Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2> {
        if self.n_predictors == 1 {
            return self.weigh(slopes);
        }
        let [n_rows, width] = slopes.dims();
        if self.missing().is_none() && self.weights.is_none() {
            return slopes;
        }
        let ones = Tensor::ones(self.dims, (&B::device(), B::DTYPE));
        let shape = [n_rows, width / self.n_predictors, self.n_predictors];
        let keep = self.weigh(ones).unsqueeze_dim::<3>(2).expand(shape).reshape([n_rows, width]);
        let none = keep.clone().equal_elem(0.0);
        (slopes * keep).mask_fill(none, 0.0)
    }

    /// `[n_rows, n_columns · n_predictors]`: the counts, or the share of each class, times weights.
    pub(crate) fn weighted_targets(&self, model: &dyn Model<B::Burn>) -> Tensor<B::Burn, 2> {
        self.weigh_slopes(model.targets(self.counts()))
    }

    /// NaN where the count is missing.
    pub(crate) fn or_missing(&self, terms: Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2> {
        self.where_missing(terms, f32::NAN)
    }

    fn where_missing(&self, terms: Tensor<B::Burn, 2>, value: f32) -> Tensor<B::Burn, 2> {
        match self.missing() {
            None => terms,
            Some(missing) => terms.mask_fill(missing.clone(), value),
        }
    }

    /// `[n_rows, n_columns]`: weights, zero where counts are missing.
    pub(crate) fn kept(&self) -> Tensor<B::Burn, 2> {
        self.weigh(Tensor::ones(self.dims, (&B::device(), B::DTYPE)))
    }

    /// `[n_rows, n_columns]`: one where the count is missing, else zero.
    pub(crate) fn absent(&self) -> Tensor<B::Burn, 2> {
        self.where_missing(Tensor::zeros(self.dims, (&B::device(), B::DTYPE)), 1.0)
    }

    /// Where a model is looked at.
    pub(crate) fn at(&self, at: &OnDevice<B>) -> At<B::Burn> {
        At {
            predictor: self.predictor(at),
            scale: at.scale.clone(),
            factor: at.factor.clone(),
        }
    }

    /// Slopes of the loss, times weights: `[n_rows, n_columns · n_predictors]`.
    pub(crate) fn slopes(&self, model: &dyn Model<B::Burn>, at: &OnDevice<B>) -> Tensor<B::Burn, 2> {
        let (_, slopes) = model.slope(self.counts(), self.predictor(at), at.scale.clone());
        self.weigh_slopes(slopes)
    }

    /// Adds losses, gradients and, where asked, curvatures.
    pub(crate) fn add(&self, model: &dyn Model<B::Burn>, at: &OnDevice<B>, with_curvature: bool, sums: &mut Pending<B>) {
        if let Some(terms) = self.in_one_kernel(model, at) {
            sums.rows(terms.losses);
            sums.gradient(self.operand(), terms.slopes);
            sums.rows(terms.slope_sums);
        } else {
            let (losses, slopes) = model.slope(self.counts(), self.predictor(at), at.scale.clone());
            let slopes = self.weigh_slopes(slopes);
            sums.rows(self.weigh(losses));
            sums.gradient(self.operand(), slopes.clone());
            sums.rows(slopes);
        }
        if with_curvature {
            self.add_curvature(model, Information::Expected, &self.at(at), sums);
        }
    }

    /// Losses and slopes by a kernel, where the backend has one for this model.
    fn in_one_kernel(&self, model: &dyn Model<B::Burn>, at: &OnDevice<B>) -> Option<TermSums<Tensor<B::Burn, 2>>> {
        if B::PRODUCTS != Products::Own {
            return None;
        }
        let (scatter, curve) = model.kernel()?;
        let terms = Terms {
            predictor: self.features.as_ref()?.predictor(at.coef.clone()?),
            counts: self.given.clone(),
            weights: self.weights.clone(),
            offset: self.offset.clone(),
            intercept: at.intercept.clone(),
            scale: at.scale.clone(),
        };
        own_terms::<B>(terms, scatter, curve)
    }

    /// Adds `Σₜ weightₜ (xₜ, 1)(xₜ, 1)ᵀ` for every pair of predictors and every problem, weights being curvatures of the loss.
    pub(crate) fn add_curvature(&self, model: &dyn Model<B::Burn>, information: Information, at: &At<B::Burn>, sums: &mut Pending<B>) {
        let rows = self.with_ones();
        for pair in pairs(self.n_predictors) {
            let weights = model.curvature(information, self.counts(), at.clone(), pair);
            sums.second_moments(&rows, &self.weigh(weights));
        }
    }

    /// `[n_rows, n_columns]`: `zᵀ A z` for the symmetric matrix of each problem, times the expected curvature of its loss.
    pub(crate) fn leverage(&self, model: &dyn Model<B::Burn>, at: &OnDevice<B>, matrices: &[Array2<f64>]) -> Tensor<B::Burn, 2> {
        let rows = self.with_ones();
        let form = |matrix: &Array2<f64>| {
            let spread = rows.predictor(Matrix::<B>::from_array(matrix.view()).into_tensor());
            (spread * rows.features().clone().into_tensor()).sum_dim(1)
        };
        let forms = Tensor::cat(matrices.iter().map(form).collect(), 1);
        let curvature = model.curvature(Information::Expected, self.counts(), self.at(at), (0, 0));
        self.weigh(forms * curvature)
    }

    /// The features, and a column of ones.
    pub(crate) fn with_ones(&self) -> Operand<B> {
        let features = self.operand().features().clone().into_tensor();
        let ones = Tensor::ones([features.dims()[0], 1], (&B::device(), B::DTYPE));
        Operand::new(Matrix::from_tensor(Tensor::cat(vec![features, ones], 1)))
    }

    fn operand(&self) -> &Operand<B> {
        self.features.as_ref().expect("a pass for gradients reads the features")
    }
}

/// `dims`: a response is missing where one of its targets is.
fn any_of_targets<B: Backend>(absent: Tensor<B::Burn, 2, Bool>, dims: [usize; 2], n_targets: usize) -> Tensor<B::Burn, 2, Bool> {
    if n_targets == 1 {
        return absent;
    }
    let of_responses = absent.float().reshape([dims[0], dims[1], n_targets]);
    of_responses.sum_dim(2).reshape(dims).greater_elem(0.0)
}

/// `[n_rows, n_columns]`: weights as the problems see them, zero in the fold that one leaves out.
fn weights<B: Backend>(chunk: &Chunk<B>, asked: Asked<'_>) -> Result<Option<Tensor<B::Burn, 2>>, Error> {
    let given = match &chunk.weights {
        None => None,
        Some(weights) if weights.dims()[1] == 1 => Some(weights.clone().into_tensor()),
        Some(weights) => {
            let width = weights.dims()[1];
            let columns = asked.columns.iter().map(|&problem| asked.problems.weight_column(problem, width));
            Some(weights.select_columns(&columns.collect::<Vec<_>>())?.into_tensor())
        }
    };
    let Some(folds) = asked.problems.folds() else { return Ok(given) };
    let of_row: Vec<usize> = (0..chunk.n_rows())
        .map(|row| usize::from(folds.of_row[chunk.rows.at(row)]))
        .collect();
    let kept = folds.kept(asked.columns);
    let dims = [kept.len(), asked.columns.len()];
    let kept = Matrix::<B>::from_vec(kept.concat(), dims)?.select_rows(&of_row)?.into_tensor();
    Ok(Some(match given {
        None => kept,
        Some(weights) => kept.clone() * weights.expand(kept.dims()),
    }))
}
