//! Convolution with any kernel.

use ndarray::ArrayView2;
use nemos_core::convolution::{Causality, Kernel};
use nemos_core::{Backend, Names, Samples};

use crate::plan::Plan;
use crate::{Error, window};

/// Convolves every series with every kernel, within segments.
///
/// ```text
/// out(t, c · n_functions + f) = Σ(lag = 0 .. window − 1) kernel(lag, f) · series(t + lead − lag, c)
/// ```
/// where `lead` is −1 for [`Causality::Causal`] with its shift, 0 without, and so on. Row 0 of the kernel meets the newest sample of
/// the window.
///
/// # Shapes
/// `kernel: [window, n_functions]` and `series: [n_samples, n_series]` give `[n_samples, n_series · n_functions]`. Rows whose
/// window leaves their segment are NaN; a segment shorter than the window is NaN throughout.
///
/// # Errors
/// [`nemos_core::Error::Empty`] without kernel; [`Error::EvenWindow`] if the kernel should look to both sides and has no middle.
///
/// # Example
/// ```
/// use nemos_basis::{Causality, Shift, convolve};
/// use nemos_core::{Cpu, Matrix};
/// let counts = Matrix::<Cpu>::from_column(vec![1.0, 0.0, 2.0, 3.0]);
/// let kernel = ndarray::array![[1.0], [10.0]];
/// let sums = convolve(kernel.view(), &counts, Causality::Causal(Shift::None))?;
/// assert_eq!(sums.rows(1..4)?.to_vec(), [10.0, 2.0, 23.0]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[doc(alias = "create_convolutional_predictor")]
pub fn convolve<B: Backend, S: Samples<B>>(kernel: ArrayView2<'_, f64>, series: &S, causality: Causality) -> Result<S::Output, Error> {
    let (window, n_functions) = kernel.dim();
    if window * n_functions == 0 {
        return Err(nemos_core::Error::Empty {
            name: "the kernel",
            rows: window,
            columns: n_functions,
        }
        .into());
    }
    window::check_middle(causality, window)?;
    let kernel = Kernel::new(kernel.iter().copied().collect(), n_functions);
    let samples = series.to_design();
    let (n_rows, segments) = (samples.n_rows(), samples.segments());
    let plan = Plan::of_filters(kernel, causality.lead(window), samples.n_columns());
    let names = convolved_names(samples.names(), samples.n_columns(), n_functions);
    Ok(series.wrap(plan.rows(&[samples], &segments, 0..n_rows)?, names))
}

/// Those of the series, with the number of the function where there are several; none where they have none.
fn convolved_names(series: &Names, n_series: usize, n_functions: usize) -> Names {
    if series.columns().is_empty() || n_functions == 1 {
        return Names::new(series.columns().to_vec());
    }
    let functions = |name: String| (0..n_functions).map(move |function| format!("{name}[{function}]"));
    Names::new(series.columns_or_numbers(n_series).into_iter().flat_map(functions))
}
