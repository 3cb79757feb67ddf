//! The filters of a convolved basis, as numbers.

use ndarray::Array2;

use crate::filter_bank::kernel;
use crate::{Basis, Error, Window};

/// The filters of a convolved basis.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Filters {
    /// How far they reach, and to which side.
    pub window: Window,
    /// `[window, n_functions]`: row 0 meets the newest sample of a window.
    pub values: Array2<f64>,
}

impl Basis {
    /// The filters that [`compute_features`](Basis::compute_features) convolves with: what coefficients are weights of.
    ///
    /// # Errors
    /// [`Error::NotConvolved`] unless the basis is one family with a window, and whatever is wrong with its options.
    ///
    /// # Example
    /// ```
    /// use nemos_basis::{Family, RaisedCosineLog, Window};
    /// let basis = RaisedCosineLog::new(3).convolved(Window::samples(50));
    /// assert_eq!(basis.filters()?.values.dim(), (50, 3));
    /// # Ok::<(), nemos_basis::Error>(())
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "a kernel has a value for each lag and function")]
    pub fn filters(&self) -> Result<Filters, Error> {
        let label = self.labels()?.swap_remove(0);
        let Some(functions) = self.as_functions() else {
            return Err(Error::NotConvolved { label });
        };
        let (Some(window), Some(kernel)) = (functions.window(), kernel(functions)?) else {
            return Err(Error::NotConvolved { label });
        };
        let shape = (kernel.window(), kernel.n_functions());
        let values = Array2::from_shape_vec(shape, kernel.values().to_vec());
        Ok(Filters {
            window,
            values: values.expect("a kernel has a value for each lag and function"),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{BSpline, Error, Family, History, Identity, RaisedCosineLog, Window};
    use nemos_core::{Cpu, Matrix};

    #[test]
    fn filters_are_the_response_to_one_spike() {
        let basis = RaisedCosineLog::new(4).convolved(Window::samples(6));
        let filters = basis.filters().unwrap();
        let mut spikes = vec![0.0; 12];
        spikes[5] = 1.0;
        let features = basis.compute_features(&Matrix::<Cpu>::from_column(spikes)).unwrap().to_array();
        for (lag, filter) in filters.values.rows().into_iter().enumerate() {
            assert_eq!(features.row(6 + lag), filter);
        }
    }

    #[test]
    fn lags_are_an_identity_and_tuning_curves_have_no_filters() {
        let lags: crate::Basis = History::new(Window::samples(3)).into();
        let filters = lags.filters().unwrap();
        assert_eq!(filters.values, ndarray::Array2::<f64>::eye(3));
        let spline: crate::Basis = BSpline::new(4).into();
        assert!(matches!(spline.filters(), Err(Error::NotConvolved { .. })));
        assert!((Identity::new() + BSpline::new(4)).filters().is_err());
    }
}
