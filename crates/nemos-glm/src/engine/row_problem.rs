//! Problems row by row, in double precision: what their minima are proven from.

use std::sync::Arc;

use ndarray::{Array2, Axis, concatenate};
use nemos_core::tensor::{DType, Tensor, TensorData};
use nemos_core::{Backend, Digest, Matrix};
use nemos_solvers::{ClassRows, Error, Losses, Objective, RowLoss, RowProblem};

use crate::engine::data::Data;
use crate::engine::loops::Loops;
use crate::engine::model::{At, Information, Model};
use crate::engine::numbers::Numbers;
use crate::engine::objective::GlmObjective;
use crate::engine::problems::Problems;
use crate::engine::shards::{Sum, fold_over_processes};

/// All rows of all processes that can be used, on the host.
#[derive(Debug)]
pub(crate) struct Held {
    features: Array2<f64>,
    counts: Array2<f64>,
    weights: Option<Array2<f64>>,
    offset: Option<Array2<f64>>,
    /// Their numbers in the whole data.
    numbers: Vec<usize>,
}

impl Held {
    pub(crate) fn new<B: Backend>(data: &Data<'_, B>) -> Result<Self, nemos_core::Error> {
        let here = data.gather_all().and_then(|chunk| {
            let read = |matrix: &Option<Matrix<B>>| matrix.as_ref().map(Matrix::try_to_array).transpose();
            Ok(Held {
                features: read(&chunk.features)?.expect("rows are gathered with their features"),
                counts: chunk.counts.try_to_array()?,
                weights: read(&chunk.weights)?,
                offset: read(&chunk.offset)?,
                numbers: (0..chunk.n_rows()).map(|row| chunk.rows.at(row)).collect(),
            })
        });
        let none = |columns: usize| Array2::zeros((0, columns));
        let extra = |matrix: Option<&Matrix<B>>| matrix.map(|matrix| none(matrix.dims()[1]));
        let nothing = || Held {
            features: none(data.design.n_columns()),
            counts: none(data.counts.n_columns()),
            weights: extra(data.design.weights()),
            offset: extra(data.design.offset()),
            numbers: Vec::new(),
        };
        fold_over_processes(data.design.share(), Digest::of_text("held rows"), here, nothing)
    }

    fn parts(&mut self) -> impl Iterator<Item = &mut Array2<f64>> {
        let extras = [self.weights.as_mut(), self.offset.as_mut()];
        [&mut self.features, &mut self.counts]
            .into_iter()
            .chain(extras.into_iter().flatten())
    }

    /// How much each row counts in a problem: nothing where it is left out, or has no count.
    fn weights_of(&self, problems: &Problems, problem: usize) -> Vec<f64> {
        let response = problems.response(problem);
        let weight_of = |row: usize| {
            let left_out = problems.folds().is_some_and(|folds| folds.leaves_out(problem, self.numbers[row]));
            let weights = self.weights.as_ref();
            let weight = weights.map_or(1.0, |weights| weights[(row, problems.weight_column(problem, weights.ncols()))]);
            if left_out || self.counts[(row, response)].is_nan() {
                0.0
            } else {
                weight
            }
        };
        (0..self.numbers.len()).map(weight_of).collect()
    }
}

impl Sum for Held {
    fn merge(&mut self, mut later: Self) {
        for (part, below) in self.parts().zip(later.parts()) {
            let all = concatenate![Axis(0), *part, *below];
            *part = all;
        }
        self.numbers.append(&mut later.numbers);
    }

    fn pack(&self, to: &mut Vec<f64>) {
        to.push(self.numbers.len() as f64);
        to.extend(self.numbers.iter().map(|&number| number as f64));
        let extras = [self.weights.as_ref(), self.offset.as_ref()];
        let parts = [&self.features, &self.counts].into_iter().chain(extras.into_iter().flatten());
        parts.for_each(|part| to.extend(part));
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        let n = from.next()? as usize;
        let mut numbers = vec![0.0; n];
        from.fill(&mut numbers)?;
        self.numbers = numbers.into_iter().map(|number| number as usize).collect();
        self.parts().try_for_each(|part| {
            *part = Array2::zeros((n, part.ncols()));
            from.fill_matrix(part)
        })
    }
}

/// One problem of an objective; nothing where its loss is held at zero, or its model has no rows in double precision.
pub(crate) fn of<'a, B: Backend>(objective: &'a GlmObjective<'_, B>, held: &Held, problem: usize) -> Option<RowProblem<'a>> {
    let (model, problems) = (&objective.model, objective.problems());
    let loops = model.loops().map(|both| both.double);
    let is_of_rows = model.n_predictors() == 1 && model.n_targets() == 1 && (loops.is_some() || B::HOST);
    if !is_of_rows || objective.on_edge()[problem] {
        return None;
    }
    let response = problems.response(problem);
    let weights = held.weights_of(problems, problem);
    let rows: Vec<usize> = (0..weights.len()).filter(|&row| weights[row] > 0.0).collect();
    let counts: Vec<f64> = rows.iter().map(|&row| held.counts[(row, response)]).collect();
    let share = objective.share(problem);
    let shares: Vec<f64> = rows.iter().map(|&row| weights[row] * share).collect();
    let offset = held.offset.as_ref().map(|offset| {
        let column = problems.offset_column(problem, offset.ncols());
        rows.iter().map(|&row| offset[(row, column)]).collect()
    });
    let n_features = held.features.ncols();
    let scale = objective.scale()[problem];
    Some(RowProblem {
        features: held.features.select(Axis(0), &rows),
        offset,
        free: (0..n_features)
            .map(|feature| objective.free().is_none_or(|free| free[(feature, problem)]))
            .collect(),
        ridge: vec![0.0; n_features],
        nats: objective.nats(problem),
        losses: losses::<B>(model.clone(), loops, Rows { counts, shares, scale }),
    })
}

/// One problem of a classifier; nothing for other models, and where shares stand in the place of labels.
pub(crate) fn of_classes<B: Backend>(objective: &GlmObjective<'_, B>, held: &Held, problem: usize) -> Option<ClassRows> {
    let (model, problems) = (&objective.model, objective.problems());
    if model.n_predictors() == 1 || model.n_targets() > 1 {
        return None;
    }
    let (response, weights) = (problems.response(problem), held.weights_of(problems, problem));
    let rows: Vec<usize> = (0..weights.len()).filter(|&row| weights[row] > 0.0).collect();
    let n_free = model.n_predictors() * held.features.ncols();
    Some(ClassRows {
        features: held.features.select(Axis(0), &rows),
        // Labels were looked at when the data were: whole numbers below the number of classes.
        labels: rows.iter().map(|&row| held.counts[(row, response)] as usize).collect(),
        n_classes: model.n_predictors(),
        free: (0..n_free)
            .map(|place| objective.free().is_none_or(|free| free[(place, problem)]))
            .collect(),
    })
}

/// What the losses of the rows depend on besides predictors.
struct Rows {
    counts: Vec<f64>,
    /// Weights over the divisor.
    shares: Vec<f64>,
    scale: f64,
}

fn losses<'a, B: Backend>(model: Arc<dyn Model<B::Burn>>, loops: Option<Arc<dyn Loops<f64>>>, rows: Rows) -> Losses<'a> {
    Box::new(move |predictors| {
        let mut losses = match &loops {
            Some(loops) => {
                let terms = predictors.iter().zip(&rows.counts);
                terms.map(|(&predictor, &count)| loops.row(predictor, count, rows.scale)).collect()
            }
            None => in_tensors::<B>(&*model, predictors, &rows),
        };
        for (loss, share) in losses.iter_mut().zip(&rows.shares) {
            loss.value *= share;
            loss.slope *= share;
            loss.curvature *= share;
            loss.expected *= share;
        }
        Ok::<Vec<RowLoss>, Error>(losses)
    })
}

/// The same in tensor operations, in double precision whatever that of the backend.
fn in_tensors<B: Backend>(model: &dyn Model<B::Burn>, predictors: &[f64], rows: &Rows) -> Vec<RowLoss> {
    let tensor = |values: &[f64], dims: [usize; 2]| {
        let data = TensorData::new(values.to_vec(), dims);
        Tensor::<B::Burn, 2>::from_data(data, (&B::device(), DType::F64))
    };
    let dims = [predictors.len(), 1];
    let (counts, predictor) = (tensor(&rows.counts, dims), tensor(predictors, dims));
    let scale = tensor(&[rows.scale], [1, 1]);
    let at = At {
        predictor: predictor.clone(),
        scale: scale.clone(),
        factor: tensor(&[model.loss_factor(rows.scale)], [1, 1]),
    };
    let read = |values: Tensor<B::Burn, 2>| -> Vec<f64> { values.into_data().iter::<f64>().collect() };
    let (value, slope) = model.slope(counts.clone(), predictor, scale);
    let observed = read(model.curvature(Information::Observed, counts.clone(), at.clone(), (0, 0)));
    let expected = read(model.curvature(Information::Expected, counts, at, (0, 0)));
    let (values, slopes) = (read(value), read(slope));
    let curvatures = observed.into_iter().zip(expected);
    let rows = values.into_iter().zip(slopes).zip(curvatures);
    rows.map(|((value, slope), (observed, expected))| RowLoss {
        value,
        slope,
        curvature: if observed.is_nan() { expected } else { observed },
        expected,
    })
    .collect()
}
