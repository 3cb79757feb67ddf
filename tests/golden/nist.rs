//! The suite `nist`: linear regressions whose coefficients are known to many digits.

use ndarray::Axis;
use nemos::core::{Cpu, Matrix};
use nemos::glm::{Gaussian, Glm};
use nemos_testkit::Case;
use serde_json::Value;

use crate::glm::stopping;

/// Fits one set, and counts the digits that are right.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let case = Case::new(case);
    case.only_fields(&[
        "name",
        "X",
        "y",
        "params",
        "certified",
        "residual_sum_of_squares",
        "numpy_qr_digits",
    ])?;
    let design = Matrix::<Cpu>::from_array(case.matrix("X")?.view());
    let counts = Matrix::from_array(case.vector("y")?.insert_axis(Axis(1)).view());
    let fitted = Glm::new(Gaussian)
        .stopping(stopping())
        .fit(&design, &counts)
        .map_err(|error| error.to_string())?;
    let got = std::iter::once(fitted.intercept()).chain(fitted.coef().iter().copied());
    let digits = got.zip(case.vector("params")?).map(|(got, expected)| {
        let error = (got - expected).abs() / if expected == 0.0 { 1.0 } else { expected.abs() };
        if error.is_nan() { 0.0 } else { -error.max(1e-16).log10() }
    });
    let (fewest, expected) = (digits.fold(f64::INFINITY, f64::min), case.number("numpy_qr_digits")? - 1.0);
    let status = fitted.outcome().status;
    match fewest >= expected && status == nemos::solvers::Status::Converged {
        true => Ok(()),
        false => Err(format!("{status:?}, {fewest:.1} digits, of {expected:.1}")),
    }
}
