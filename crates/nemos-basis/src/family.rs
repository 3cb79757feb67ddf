//! What a family can do without being turned into a basis first.

use nemos_core::Backend;

use crate::spec::Spec;
use crate::{Basis, BasisDesign, Error, Grid, Inputs, Window};

/// A family of functions: what a [`Basis`] is built from. Its methods are those of the basis that it becomes.
///
/// Only this crate's families are: functions of your own go into [`Custom`](crate::Custom).
pub trait Family: Clone + Into<Basis> {
    /// Names the functions; see [`Basis::label`].
    fn label(self, label: impl Into<String>) -> Basis {
        self.into().label(label)
    }

    /// Makes a bank of filters; see [`Basis::convolved`].
    fn convolved(self, window: impl Into<Window>) -> Basis {
        self.into().convolved(window)
    }

    /// The product of copies; see [`Basis::pow`].
    fn pow(self, n_copies: usize) -> Basis {
        self.into().pow(n_copies)
    }

    /// The features of these samples; see [`Basis::compute_features`].
    ///
    /// # Errors
    /// As [`Basis::compute_features`].
    fn compute_features<'a, B: Backend, I: Inputs<'a, B>>(&self, inputs: I) -> Result<I::Output, Error> {
        self.clone().into().compute_features(inputs)
    }

    /// The features of these samples, computed when they are asked for; see [`Basis::design`].
    ///
    /// # Errors
    /// As [`Basis::design`].
    ///
    /// # Example
    /// ```
    /// use nemos_basis::{BSpline, Family};
    /// use nemos_core::{Cpu, Matrix, Rows};
    /// let place = Matrix::<Cpu>::from_column((0..20).map(f64::from).collect());
    /// assert_eq!(BSpline::new(5).design(&place)?.n_columns(), 5);
    /// # Ok::<(), nemos_basis::Error>(())
    /// ```
    fn design<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<BasisDesign<'a, B>, Error> {
        self.clone().into().design(inputs)
    }

    /// The functions at these samples; see [`Basis::evaluate`].
    ///
    /// # Errors
    /// As [`Basis::evaluate`].
    fn evaluate<'a, B: Backend, I: Inputs<'a, B>>(&self, inputs: I) -> Result<I::Output, Error> {
        self.clone().into().evaluate(inputs)
    }

    /// The functions on an even grid; see [`Basis::on_grid`].
    ///
    /// # Errors
    /// As [`Basis::on_grid`].
    fn on_grid(&self, n_points: impl AsRef<[usize]>) -> Result<Grid, Error> {
        self.clone().into().on_grid(n_points)
    }
}

impl<F: Spec + Clone + Into<Basis>> Family for F {}
