//! Backends of single precision, and another in double.

use nemos_core::{Backend, Cpu, NdArray};
use nemos_glm::{Glm, Poisson};
use nemos_inference::{Clusters, Covariance, Infer, Lag};

use crate::cases::{apart, poisson_case};

fn errors<B: Backend>(kind: &Covariance) -> Vec<f64> {
    let (design, counts) = poisson_case::<B>(21, (8, 40), &[0.4, -0.3, 0.1]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let estimates = fitted.inference(&design, &counts).unwrap().estimates(kind).unwrap();
    estimates.standard_errors().iter().copied().collect()
}

#[test]
fn other_backends_give_the_same_standard_errors() {
    for kind in [
        Covariance::Model,
        Covariance::Hc0,
        Covariance::Hc3,
        Covariance::Cluster(Clusters::segments()),
        Covariance::Hac(Lag::Rows(4)),
    ] {
        let double = errors::<Cpu>(&kind);
        assert!(apart(&errors::<NdArray>(&kind), &double) < 1e-6, "{kind:?}");
        assert!(apart(&errors::<Cpu<f32>>(&kind), &double) < 1e-3, "{kind:?} in f32");
    }
}
