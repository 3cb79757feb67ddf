//! Objectives: what is minimised, by columns.

use ndarray::Array2;

use crate::error::Error;
use crate::penalty::regularizer::Regularizer;
use crate::problem::class_rows::ClassRows;
use crate::problem::expected_curvature::ExpectedCurvature;
use crate::problem::parameters::Parameters;
use crate::problem::row_problem::RowProblem;

/// What one evaluation should bring.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order<'a> {
    /// Values and gradients.
    Gradient,
    /// Values, gradients and curvatures (Hessians, or the Fisher information in their place).
    Curvature,
    /// The same with curvatures among a few features of each column alone, which rise, and the intercept: it costs hardly more than a
    /// gradient. An objective may bring none. Where problems have one predictor.
    CurvatureAmong(&'a [Vec<usize>]),
}

/// Which problems to evaluate, on which rows, and what for.
#[derive(Copy, Clone, Debug)]
pub struct Request<'a> {
    /// The problems, by number; the parameters that come with a request have one column for each, in this order.
    pub columns: &'a [usize],
    /// Rows of `0..n_rows` to estimate the objective from, repeats allowed; all of them where there is nothing.
    pub rows: Option<&'a [usize]>,
    /// What the evaluation should bring.
    pub order: Order<'a>,
}

/// What an objective is worth at one point per column.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// One value per column.
    pub values: Vec<f64>,
    /// `[n_parameters, n_columns]`.
    pub gradient: Parameters,
    /// One `[n_parameters, n_parameters]` per column, or one row and column for each of a few features and the intercept, where they
    /// were asked for and the objective has them; about the [centre](ExpectedCurvature::centre), where there is one.
    pub curvature: Option<Vec<Array2<f64>>>,
}

/// A sum over data, for each of many independent problems.
///
/// *Implementor must* return the gradient of exactly the value returned, at the same point, and give a column the same
/// result whichever others are evaluated with it.
/// *Implementor may* return non-finite values: the step is then rejected.
/// *Caller must* pass one column of parameters per column requested.
pub trait Objective: Sync {
    /// Values, gradients and, where asked, curvatures of the requested columns.
    ///
    /// # Errors
    /// Where the data cannot be read.
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error>;

    /// How many rows the objective is a mean over: a [`Request`] may name some of them. Zero where it is no such mean.
    fn n_rows(&self) -> usize {
        0
    }

    /// Predictors that the parameters of a problem belong to, each of which has one coefficient per feature followed by an
    /// intercept: one, or one per class of a classifier.
    fn n_predictors(&self) -> usize {
        1
    }

    /// The curvature that is known before the first step, where parameters are coefficients of features followed by an
    /// intercept. Solvers ask when they begin; what is stepped on later, such as a batch, need not know.
    fn expected_curvature(&self) -> Option<&ExpectedCurvature> {
        None
    }

    /// The penalty whose nonsmooth part [`evaluate`](Objective::evaluate) leaves out; nothing where evaluations are
    /// complete. Only solvers that [handle](crate::Solver::handles) it may minimise such an objective.
    fn penalty(&self) -> Option<&Regularizer> {
        None
    }

    /// What takes a value of a problem to nats, over all rows together; zero where that is not known. A fit that is nats away from
    /// its minimum is not there, whatever share of its value that is.
    fn nats(&self, _problem: usize) -> f64 {
        0.0
    }

    /// The first problem whose curvature is much like that of this one, as it is where both see nearly the same rows of the same
    /// counts: itself, unless that is known.
    fn akin(&self, problem: usize) -> usize {
        problem
    }

    /// Reads the rows that problems [row by row](Objective::by_row) are made of. It is called once before they are asked for, from many
    /// threads.
    ///
    /// # Errors
    /// Where the data cannot be read.
    fn hold_rows(&self) -> Result<(), Error> {
        Ok(())
    }

    /// One problem row by row, without the nonsmooth part of its penalty; nothing where rows are no such thing, or too many
    /// to hold. It is asked for to prove a minimum.
    ///
    /// # Errors
    /// Where the data cannot be read.
    fn by_row(&self, _problem: usize) -> Result<Option<RowProblem<'_>>, Error> {
        Ok(None)
    }

    /// One problem of classes row by row, without its penalty but for what that holds; nothing for other models, and where rows are too
    /// many to hold. It is asked for to prove that there is no minimum.
    ///
    /// # Errors
    /// Where the data cannot be read.
    fn by_class(&self, _problem: usize) -> Result<Option<ClassRows>, Error> {
        Ok(None)
    }

    /// How fast gradients can change, where that is known: what stochastic solvers take their step length from.
    ///
    /// # Errors
    /// Where the data cannot be read.
    fn smoothness(&self) -> Result<Option<Smoothness>, Error> {
        Ok(None)
    }

    /// How many problems may have a curvature of their own in memory, `[n_parameters, n_parameters]` each. Solvers that take the
    /// curvature of columns that take long do without where it is zero.
    fn curvatures_held(&self) -> usize {
        usize::MAX
    }

    /// Relative error of a value: smaller differences between two values say nothing.
    fn resolution(&self) -> f64 {
        1e-15
    }
}

/// Bounds on how fast gradients change (Lipschitz constants).
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Smoothness {
    /// Of the loss of the worst single row.
    pub worst_row: f64,
    /// Of the mean over all rows.
    pub mean: f64,
}
