//! An objective whose evaluations are kept in a file.

use std::sync::{Mutex, PoisonError};

use ndarray::Array2;
use nemos_solvers::{
    ClassRows, Error, Evaluation, ExpectedCurvature, Objective, Order, Parameters, Regularizer, Request, RowProblem, Smoothness,
};

use crate::engine::evaluation::key_of;
use crate::fit::saved::Saved;

/// An objective whose evaluations are taken from a file as far as it holds them, and kept there from then on.
pub(crate) struct Recorded<'a, O> {
    objective: &'a O,
    saved: Mutex<&'a mut Saved>,
}

impl<'a, O> Recorded<'a, O> {
    pub(crate) fn new(objective: &'a O, saved: &'a mut Saved) -> Self {
        let saved = Mutex::new(saved);
        Recorded { objective, saved }
    }
}

impl<O: Objective> Objective for Recorded<'_, O> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let key = key_of(at, request);
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(numbers) = saved.replayed(key).map_err(of_file)? {
            return evaluation(&numbers, at, request).ok_or_else(|| of_file(saved.damaged()));
        }
        let evaluation = self.objective.evaluate(at, request)?;
        let curvature = evaluation.curvature.iter().flatten().flatten();
        let numbers = evaluation.values.iter().chain(evaluation.gradient.as_slice()).chain(curvature);
        saved.seen(key, numbers.copied()).map_err(of_file)?;
        Ok(evaluation)
    }

    fn n_rows(&self) -> usize {
        self.objective.n_rows()
    }

    fn n_predictors(&self) -> usize {
        self.objective.n_predictors()
    }

    fn expected_curvature(&self) -> Option<&ExpectedCurvature> {
        self.objective.expected_curvature()
    }

    fn penalty(&self) -> Option<&Regularizer> {
        self.objective.penalty()
    }

    fn nats(&self, problem: usize) -> f64 {
        self.objective.nats(problem)
    }

    fn akin(&self, problem: usize) -> usize {
        self.objective.akin(problem)
    }

    fn hold_rows(&self) -> Result<(), Error> {
        self.objective.hold_rows()
    }

    fn by_row(&self, problem: usize) -> Result<Option<RowProblem<'_>>, Error> {
        self.objective.by_row(problem)
    }

    fn by_class(&self, problem: usize) -> Result<Option<ClassRows>, Error> {
        self.objective.by_class(problem)
    }

    fn smoothness(&self) -> Result<Option<Smoothness>, Error> {
        self.objective.smoothness()
    }

    fn curvatures_held(&self) -> usize {
        self.objective.curvatures_held()
    }

    fn resolution(&self) -> f64 {
        self.objective.resolution()
    }
}

/// Errors of a file as solvers pass them on.
fn of_file(error: crate::Error) -> Error {
    match error {
        crate::Error::Data(error) => Error::Data(error),
        crate::Error::Option(error) => error,
        other => Error::Data(nemos_core::Error::Checkpoint {
            path: Default::default(),
            why: other.to_string(),
        }),
    }
}

fn evaluation(numbers: &[f64], at: &Parameters, request: Request<'_>) -> Option<Evaluation> {
    let (n_columns, n_parameters) = (request.columns.len(), at.n_parameters());
    let (values, rest) = numbers.split_at_checked(n_columns)?;
    let (gradient, rest) = rest.split_at_checked(n_columns * n_parameters)?;
    let width = |column: usize| match request.order {
        Order::CurvatureAmong(features) => features[column].len() + 1,
        _ => n_parameters,
    };
    let curvature = if rest.is_empty() {
        None
    } else {
        Some(matrices(rest, (0..n_columns).map(width))?)
    };
    Some(Evaluation {
        values: values.to_vec(),
        gradient: Parameters::from_columns(n_parameters, gradient.chunks_exact(n_parameters.max(1))),
        curvature,
    })
}

/// Square matrices of these widths, one after the other; nothing unless they are all that there is.
fn matrices(mut numbers: &[f64], widths: impl Iterator<Item = usize>) -> Option<Vec<Array2<f64>>> {
    let mut matrices = Vec::new();
    for width in widths {
        let (matrix, rest) = numbers.split_at_checked(width * width)?;
        matrices.push(Array2::from_shape_vec((width, width), matrix.to_vec()).ok()?);
        numbers = rest;
    }
    numbers.is_empty().then_some(matrices)
}
