//! Built-in links at one predictor on the host: what fused loops are made of.

use nemos_core::simd::{exp, ln, ln_1p_unit};

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

/// [`Exp`](crate::Exp)
pub(crate) struct ExpAt;

impl FusedLink for ExpAt {
    const FORM: LinkForm = LinkForm::Exp;

    #[inline(always)]
    fn at(predictor: f64) -> At {
        let rate = exp(predictor);
        At {
            rate,
            log_rate: predictor,
            steepness: rate,
            relative: 1.0,
        }
    }
}

/// [`Softplus`](crate::Softplus)
pub(crate) struct SoftplusAt;

impl FusedLink for SoftplusAt {
    const FORM: LinkForm = LinkForm::Softplus;

    /// With `e = exp(−|η|)`: `rate = max(η, 0) + ln(1 + e)`, and its steepness is `1 / (1 + e)` above zero, `e / (1 + e)`
    /// below.
    #[inline(always)]
    fn at(predictor: f64) -> At {
        let e = exp(-predictor.abs());
        let above = predictor > 0.0;
        let rate = (if above { predictor } else { 0.0 }) + ln_1p_unit(e);
        let steepness = (if above { 1.0 } else { e }) / (1.0 + e);
        // Far below zero rate and steepness underflow, and their ratio tends to one.
        let far = predictor < -40.0;
        At {
            rate,
            log_rate: if far { predictor } else { ln(rate) },
            steepness,
            relative: if far { 1.0 } else { steepness / rate },
        }
    }
}

/// [`Identity`](crate::Identity): below zero there is no rate.
pub(crate) struct IdentityAt;

impl FusedLink for IdentityAt {
    const FORM: LinkForm = LinkForm::Identity;

    #[inline(always)]
    fn at(predictor: f64) -> At {
        let rate = if predictor >= 0.0 { predictor } else { f64::NAN };
        At {
            rate,
            log_rate: ln(rate),
            steepness: 1.0,
            relative: 1.0 / rate,
        }
    }
}

/// [`Logistic`](crate::Logistic)
pub(crate) struct LogisticAt;

impl FusedLink for LogisticAt {
    const FORM: LinkForm = LinkForm::Logistic;

    #[inline(always)]
    fn at(predictor: f64) -> At {
        let (rate, complement) = logistic(predictor);
        At {
            rate,
            log_rate: ln(rate),
            steepness: rate * complement,
            relative: complement,
        }
    }
}

/// [`Reciprocal`](crate::Reciprocal)
pub(crate) struct ReciprocalAt;

impl FusedLink for ReciprocalAt {
    const FORM: LinkForm = LinkForm::Reciprocal;

    #[inline(always)]
    fn at(predictor: f64) -> At {
        let rate = 1.0 / predictor;
        At {
            rate,
            log_rate: -ln(predictor),
            steepness: -rate * rate,
            relative: -rate,
        }
    }
}

/// `1 / (1 + e^−η)` and `1 / (1 + e^η)`.
#[inline(always)]
pub(crate) fn logistic(predictor: f64) -> (f64, f64) {
    let e = exp(-predictor.abs());
    let (large, small) = (1.0 / (1.0 + e), e / (1.0 + e));
    if predictor > 0.0 { (large, small) } else { (small, large) }
}
