//! The built-in inverse links.

use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::{InverseLink, LinkForm};

/// `rate = exp(predictor)`: effects multiply.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Exp;

impl InverseLink for Exp {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor.exp()
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        Some(rate.ln())
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::Exp)
    }
}

/// `rate = ln(1 + exp(predictor))`: effects multiply at low rates and add at high ones.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Softplus;

// Below this, ln(1 + e^x) and e^x are the same number in either precision.
const NEGLIGIBLE: f64 = -40.0;

impl InverseLink for Softplus {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_1p_exp(predictor)
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        // Far below zero the rate underflows long before its logarithm does. The clamp keeps the branch that is not
        // taken, and its derivative, finite.
        let far_below = predictor.clone().lower_elem(NEGLIGIBLE);
        let near = special::ln_1p_exp(predictor.clone().clamp_min(NEGLIGIBLE)).log();
        near.mask_where(far_below, predictor)
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        // ln(e^r − 1), which for large r is r itself: NeMoS overflows there.
        Some(if rate > 35.0 { rate } else { rate.exp_m1().ln() })
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::Softplus)
    }
}

/// `rate = predictor`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity;

impl InverseLink for Identity {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        Some(rate)
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::Identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nemos_core::{Cpu, Matrix};

    fn values(
        apply: impl Fn(Tensor<<Cpu as nemos_core::Backend>::Burn, 2>) -> Tensor<<Cpu as nemos_core::Backend>::Burn, 2>,
        x: f64,
    ) -> f64 {
        Matrix::<Cpu>::from_tensor(apply(Matrix::<Cpu>::from_column(vec![x]).into_tensor())).to_vec()[0]
    }

    fn assert_inverts<L: InverseLink>(link: L) {
        for rate in [1e-9, 0.3, 5.0, 60.0, 1e4] {
            let predictor = link.predictor(rate).unwrap();
            let back = values(|x| link.rate(x), predictor);
            assert!((back - rate).abs() <= 1e-12 * rate, "{link:?}: {rate} → {predictor} → {back}");
            let log_rate = values(|x| link.log_rate(x), predictor);
            assert!(
                (log_rate - rate.ln()).abs() <= 1e-12 * (1.0 + rate.ln().abs()),
                "{link:?}: ln {rate} = {log_rate}"
            );
        }
    }

    #[test]
    fn predictors_and_log_rates_fit_the_rates() {
        assert_inverts(Exp);
        assert_inverts(Softplus);
        assert_inverts(Identity);
    }

    #[test]
    fn the_log_rate_of_softplus_does_not_underflow() {
        assert_eq!(values(|x| Softplus.log_rate(x), -2000.0), -2000.0);
    }
}
