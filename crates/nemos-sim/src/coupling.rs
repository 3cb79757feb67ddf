//! Coupling: the filters that carry the spikes of each neuron to every other.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};
use nemos_basis::{Basis, Window};

use crate::Error;
use crate::error::{check_finite, check_shape};

/// The coupling filters of a population: what one spike of each neuron adds to the predictors of all others, and its own.
///
/// ```text
/// filter[l, i, j] = Σ_f coef[i, j, f] · basis[l, f]
/// ```
/// is added to the predictor of receiver `i`, `l + 1` steps after each spike of sender `j`.
///
/// # Example
/// ```
/// use ndarray::array;
/// use nemos_sim::Coupling;
/// // Neuron 0 excites neuron 1 for two steps, and is not heard by itself; nobody hears neuron 1.
/// let basis = array![[1.0], [0.5]];
/// let coupling = Coupling::new(array![[[0.0], [0.0]], [[2.0], [0.0]]].view(), basis.view())?;
/// assert_eq!(coupling.filters()[(1, 1, 0)], 1.0);
/// # Ok::<(), nemos_sim::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Coupling {
    /// `[sender, window, receiver]`: what a spike adds lies side by side.
    values: Array3<f64>,
}

impl Coupling {
    /// Filters that are weighted sums of basis functions.
    ///
    /// # Shapes
    /// coef `[n_neurons (receiver), n_neurons (sender), n_functions]`, basis `[window, n_functions]`; row 0 of the basis
    /// meets the step right after a spike.
    ///
    /// # Errors
    /// [`Error::Shape`] if they do not fit each other, [`Error::EmptyWindow`], [`Error::NotFinite`].
    pub fn new(coef: ArrayView3<'_, f64>, basis: ArrayView2<'_, f64>) -> Result<Self, Error> {
        let (n_neurons, window, n_functions) = (coef.dim().0, basis.nrows(), basis.ncols());
        let axes = "receivers, senders, and functions of the coupling basis";
        check_shape(
            "the coupling coefficients",
            coef.shape(),
            &[n_neurons, n_neurons, n_functions],
            axes,
        )?;
        check_finite("the coupling coefficients", coef)?;
        check_finite("the coupling basis", basis)?;
        let filter = |(lag, receiver, sender): (usize, usize, usize)| -> f64 {
            let functions = (0..n_functions).map(|function| coef[(receiver, sender, function)] * basis[(lag, function)]);
            functions.sum()
        };
        Self::from_filters(Array3::from_shape_fn((window, n_neurons, n_neurons), filter).view())
    }

    /// Filters as they are: `[window, n_neurons (receiver), n_neurons (sender)]`.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there are as many senders as receivers, [`Error::EmptyWindow`], [`Error::NotFinite`].
    pub fn from_filters(filters: ArrayView3<'_, f64>) -> Result<Self, Error> {
        let (window, n_neurons, _) = filters.dim();
        let axes = "lags, receivers and senders";
        check_shape("the coupling filters", filters.shape(), &[window, n_neurons, n_neurons], axes)?;
        check_finite("the coupling filters", filters)?;
        if window == 0 {
            return Err(Error::EmptyWindow { name: "the coupling" });
        }
        let values = filters.permuted_axes([2, 0, 1]).as_standard_layout().into_owned();
        Ok(Coupling { values })
    }

    /// The filters that a fit found: the coefficients of the features that `basis` made of all neurons' counts.
    ///
    /// Where the design has other features too, take the rows of `layout.columns(label)`, and the basis's `part(label)`.
    ///
    /// # Shapes
    /// coef `[n_neurons (sender) · n_functions, n_neurons (receiver)]`, functions fastest: as the basis orders features,
    /// and `FittedPopulationGlm::coef` the coefficients.
    ///
    /// # Errors
    /// [`Error::Basis`] if the basis is not convolved, [`Error::LooksAhead`] unless its window is causal and starts one
    /// sample before, and as [`coupling_coef`] and [`Coupling::new`].
    pub fn from_features(coef: ArrayView2<'_, f64>, basis: &Basis) -> Result<Self, Error> {
        let filters = basis.filters()?;
        if filters.window != Window::samples(filters.window.n_samples()) {
            return Err(Error::LooksAhead);
        }
        let coef = coupling_coef(coef, filters.values.ncols())?;
        Self::new(coef.view(), filters.values.view())
    }

    /// How many neurons.
    pub fn n_neurons(&self) -> usize {
        self.values.dim().0
    }

    /// How many steps a spike is felt.
    pub fn window(&self) -> usize {
        self.values.dim().1
    }

    /// `[window, n_neurons (receiver), n_neurons (sender)]`
    pub fn filters(&self) -> ArrayView3<'_, f64> {
        self.values.view().permuted_axes([1, 2, 0])
    }

    /// `[window · n_neurons]`: what a spike of this neuron adds to every receiver, step after step.
    pub(crate) fn of_sender(&self, sender: usize) -> &[f64] {
        let size = self.window() * self.n_neurons();
        let all = self.values.as_slice().expect("made in standard layout");
        &all[sender * size..(sender + 1) * size]
    }

    /// `[receiver, sender]`: sums over lags, of `value` of each.
    pub(crate) fn integrals(&self, value: fn(f64) -> f64) -> Array2<f64> {
        self.values.mapv(value).sum_axis(Axis(1)).reversed_axes()
    }
}

/// Splits the coefficients of convolved counts by receiver, sender and function.
///
/// # Shapes
/// `[n_neurons (sender) · n_functions, n_neurons (receiver)]`, functions fastest, gives `[receiver, sender, function]`.
///
/// # Errors
/// [`Error::Shape`] unless there are `n_functions` rows for each column.
pub fn coupling_coef(coef: ArrayView2<'_, f64>, n_functions: usize) -> Result<Array3<f64>, Error> {
    let n_neurons = coef.ncols();
    let axes = "senders times functions, and receivers";
    check_shape(
        "the coefficients of the counts",
        coef.shape(),
        &[n_neurons * n_functions, n_neurons],
        axes,
    )?;
    let shape = (n_neurons, n_neurons, n_functions);
    Ok(Array3::from_shape_fn(shape, |(receiver, sender, function)| {
        coef[(sender * n_functions + function, receiver)]
    }))
}

/// The coefficients whose weighted sums of basis functions come closest to filters, by least squares; of least norm where
/// several do.
///
/// # Shapes
/// filters `[window, n_receivers, n_senders]` and basis `[window, n_functions]` give
/// `[n_receivers, n_senders, n_functions]`.
///
/// # Errors
/// [`Error::Shape`] if the windows differ, [`Error::EmptyWindow`], [`Error::NotFinite`].
#[expect(clippy::missing_panics_doc, reason = "one column for each pair of receiver and sender")]
pub fn regress_filter(filters: ArrayView3<'_, f64>, basis: ArrayView2<'_, f64>) -> Result<Array3<f64>, Error> {
    let (window, n_receivers, n_senders) = filters.dim();
    let n_functions = basis.ncols();
    check_shape(
        "the basis",
        basis.shape(),
        &[window, n_functions],
        "the window of the filters, and functions",
    )?;
    check_finite("the filters", filters)?;
    check_finite("the basis", basis)?;
    if window == 0 {
        return Err(Error::EmptyWindow { name: "a filter" });
    }
    if n_functions == 0 {
        return Ok(Array3::zeros((n_receivers, n_senders, 0)));
    }
    let columns = filters.to_shape((window, n_receivers * n_senders));
    let columns = columns.expect("one column for each pair of receiver and sender");
    let coef = nemos_core::least_squares(basis, columns.view())?;
    Ok(Array3::from_shape_fn(
        (n_receivers, n_senders, n_functions),
        |(receiver, sender, function)| coef[(function, receiver * n_senders + sender)],
    ))
}
