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

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::Exp).then_some(Exp)
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

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::Softplus).then_some(Softplus)
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

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::Identity).then_some(Identity)
    }
}

/// `rate = 1 / (1 + exp(−predictor))`: a probability whose log-odds is the predictor.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Logistic;

impl InverseLink for Logistic {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        self.log_rate(predictor).exp()
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_1p_exp(predictor.neg()).neg()
    }

    fn log_complement<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_1p_exp(predictor).neg()
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        Some(rate.ln() - (-rate).ln_1p())
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::Logistic)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::Logistic).then_some(Logistic)
    }
}

/// `rate = 1 / predictor`, for predictors above zero.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Reciprocal;

impl InverseLink for Reciprocal {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor.recip()
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor.log().neg()
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        Some(rate.recip())
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::Reciprocal)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::Reciprocal).then_some(Reciprocal)
    }
}

/// `rate = Φ(predictor)`, the normal distribution function: probit regression.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct NormalCdf;

impl InverseLink for NormalCdf {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        self.log_rate(predictor).exp()
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_normal_cdf(predictor)
    }

    fn log_complement<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_normal_cdf(predictor.neg())
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::NormalCdf)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::NormalCdf).then_some(NormalCdf)
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

    fn assert_inverts<L: InverseLink>(link: L, rates: &[f64]) {
        for &rate in rates {
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
        let rates = [1e-9, 0.3, 5.0, 60.0, 1e4];
        assert_inverts(Exp, &rates);
        assert_inverts(Softplus, &rates);
        assert_inverts(Identity, &rates);
        assert_inverts(Reciprocal, &rates);
        assert_inverts(Logistic, &[1e-9, 0.3, 0.5, 0.999]);
    }

    #[test]
    fn complements_keep_their_digits_in_the_tail() {
        // mpmath 1.3: log(1/(1+exp(40))) and log(ncdf(-9)).
        assert!((values(|x| Logistic.log_complement(x), 40.0) + 40.0).abs() < 1e-13);
        assert!((values(|x| NormalCdf.log_complement(x), 9.0) + 43.628_149_113_332_12).abs() < 1e-12);
    }

    #[test]
    fn the_log_rate_of_softplus_does_not_underflow() {
        assert_eq!(values(|x| Softplus.log_rate(x), -2000.0), -2000.0);
    }
}
