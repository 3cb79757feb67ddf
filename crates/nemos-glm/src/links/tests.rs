//! What all links have in common.

use nemos_core::tensor::Tensor;
use nemos_core::{Cpu, Matrix};

use crate::{Exp, Identity, InverseLink, Logistic, NormalCdf, Reciprocal, Softplus};

fn values(apply: impl Fn(Tensor<<Cpu as nemos_core::Backend>::Burn, 2>) -> Tensor<<Cpu as nemos_core::Backend>::Burn, 2>, x: f64) -> f64 {
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
