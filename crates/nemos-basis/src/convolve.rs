//! Convolution: a bank of filters over one or several series.

mod fft;
mod host;
mod tensor;

use std::ops::Range;

pub(crate) use host::LONG_WINDOW;

use ndarray::ArrayView2;
use nemos_core::{Backend, Matrix, Samples};

use crate::bounds::Scale;
use crate::kind::Kind;
use crate::plan::{Atom, Part, Plan, View, Work};
use crate::strided::Strided;
use crate::{Causality, Error};

/// One column of a series, and how far ahead of a row its newest sample is.
pub(crate) struct Series<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) column: usize,
    pub(crate) lead: isize,
}

/// A bank of filters: `[window, n_functions]`; row 0 meets the newest sample of a window.
pub(crate) struct Kernel {
    window: usize,
    n_functions: usize,
    /// Row after row.
    values: Vec<f64>,
    /// Whether function `i` is sample `i` of the window, so that values need only be copied.
    is_lags: bool,
    /// For long windows over dense signals.
    spectra: fft::Spectra,
}

impl Kernel {
    /// The functions of a family at equal steps from 0 to 1.
    pub(crate) fn new(kind: &Kind, window: usize) -> Result<Self, Error> {
        let n_functions = match kind {
            Kind::History(_) => window,
            _ => kind.spec().n_functions(),
        };
        let samples: Vec<f64> = (0..window)
            .map(|sample| sample as f64 / window.saturating_sub(1).max(1) as f64)
            .collect();
        let mut values = vec![0.0; window * n_functions];
        match kind {
            Kind::History(_) => values.iter_mut().step_by(window + 1).for_each(|value| *value = 1.0),
            Kind::OrthogonalizedExponential(family) => values = family.orthogonalized(&samples)?,
            _ => {
                let mut out = Strided {
                    values: &mut values,
                    row_stride: n_functions,
                    offset: 0,
                    entry_stride: 0,
                };
                if let Some(functions) = kind.spec().host(&[Scale::UNIT.span]) {
                    functions.write(&[&samples], &mut out);
                }
            }
        }
        Ok(Kernel {
            window,
            n_functions,
            values,
            is_lags: matches!(kind, Kind::History(_)),
            spectra: fft::Spectra::default(),
        })
    }

    pub(crate) fn window(&self) -> usize {
        self.window
    }

    pub(crate) fn n_functions(&self) -> usize {
        self.n_functions
    }

    /// Row after row: `[window, n_functions]`.
    pub(crate) fn into_values(self) -> Vec<f64> {
        self.values
    }

    /// The rows, among these, of one segment whose whole window lies in that segment.
    fn complete(&self, segment: &Range<usize>, lead: isize, rows: &Range<usize>) -> Range<usize> {
        let first = segment.start as isize + self.window as isize - 1 - lead;
        let end = segment.end as isize - lead;
        let start = first.max(segment.start as isize).max(rows.start as isize);
        let end = end.min(segment.end as isize).min(rows.end as isize);
        if start < end { start as usize..end as usize } else { 0..0 }
    }
}

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
    causality.validate(window)?;
    let kernel = Kernel {
        window,
        n_functions,
        values: kernel.iter().copied().collect(),
        is_lags: false,
        spectra: fft::Spectra::default(),
    };
    let plan = Plan::of_filter(kernel, causality.lead(window), series.n_features());
    let values: Matrix<B> = plan.rows(&[series], &series.segments(), 0..series.n_samples())?;
    Ok(series.wrap(values))
}

impl Plan {
    fn of_filter(kernel: Kernel, lead: isize, columns: usize) -> Self {
        let functions = kernel.n_functions;
        let atom = Atom {
            kind: Kind::Identity(crate::Identity::new()),
            inputs: 0..1,
            columns,
            functions,
            work: Work::Filter {
                kernel: std::sync::Arc::new(kernel),
                lead,
            },
            outside: None,
        };
        Plan::of_part(Part::Atom(Box::new(atom)))
    }
}
