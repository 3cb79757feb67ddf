//! Families as banks of filters.

use nemos_core::convolution::Kernel;

use crate::Error;
use crate::basis::Functions;
use crate::bounds::Scale;
use crate::spec::Evaluate;
use crate::strided::Strided;

/// The functions of a family at as many equal steps from 0 to 1 as its window has samples; none without a window.
pub(crate) fn kernel(functions: &Functions) -> Result<Option<Kernel>, Error> {
    let Some(window) = functions.window() else {
        return Ok(None);
    };
    let (spec, window) = (functions.spec(), window.n_samples());
    if spec.is_lags() {
        return Ok(Some(Kernel::lags(window)));
    }
    let n_functions = spec.n_functions();
    let steps = window.saturating_sub(1).max(1) as f64;
    let samples: Vec<f64> = (0..window).map(|sample| sample as f64 / steps).collect();
    let values = match spec.evaluate(&[Scale::UNIT.span]) {
        Evaluate::AllSamples(functions) => functions(&samples)?,
        Evaluate::EachSample(functions) => {
            let mut values = vec![0.0; window * n_functions];
            let mut out = Strided {
                values: &mut values,
                row_stride: n_functions,
                offset: 0,
                entry_stride: 0,
            };
            functions.write(&[&samples], &mut out);
            values
        }
    };
    Ok(Some(Kernel::new(values, n_functions)))
}
