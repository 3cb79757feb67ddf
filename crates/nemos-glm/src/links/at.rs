//! Built-in links at one predictor on the host: what fused loops are made of.

use nemos_core::simd::exp;

use crate::LinkForm;

/// A link at one predictor.
#[derive(Copy, Clone)]
pub(crate) struct At {
    pub(crate) rate: f64,
    pub(crate) log_rate: f64,
    /// ∂rate/∂predictor
    pub(crate) steepness: f64,
    /// ∂(ln rate)/∂predictor = steepness / rate
    pub(crate) relative: f64,
}

/// A built-in link, known when a loop is compiled.
pub(crate) trait FusedLink: Send + Sync + 'static {
    /// Which one it is.
    const FORM: LinkForm;

    /// The link at this predictor. What is not used of it costs nothing.
    fn at(predictor: f64) -> At;
}

/// `1 / (1 + e^−η)` and `1 / (1 + e^η)`.
#[inline(always)]
pub(crate) fn logistic(predictor: f64) -> (f64, f64) {
    let e = exp(-predictor.abs());
    let (large, small) = (1.0 / (1.0 + e), e / (1.0 + e));
    if predictor > 0.0 { (large, small) } else { (small, large) }
}
