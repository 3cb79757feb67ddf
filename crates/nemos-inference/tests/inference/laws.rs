//! What holds for every design.

use nemos_core::{Cpu, Matrix, Segments};
use nemos_glm::{Glm, Poisson};
use nemos_inference::{Covariance, Ends, Infer, Spiking, TimeRescaling};
use proptest::prelude::*;

use crate::cases::{counts, features, rng};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Leverages sum to the effective degrees of freedom, and covariances are symmetric and not negative.
    #[test]
    fn leverages_sum_to_the_parameters(seed in 0..1000_u64, n in 30..80_usize, p in 1..4_usize) {
        let mut rng = rng(seed);
        let x = features(&mut rng, n, p);
        let y = counts(&mut rng, &x, &vec![0.2; p], 0.5);
        let (design, counts) = (Matrix::<Cpu>::from_vec(x, [n, p]).unwrap(), Matrix::from_column(y));
        let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
        prop_assume!(fitted.outcome().status == nemos_glm::Status::Converged);
        let inference = fitted.inference(&design, &counts).unwrap();
        let influence = inference.influence().unwrap();
        prop_assert!((influence.leverage.sum() - (p + 1) as f64).abs() < 1e-8);
        prop_assert!(influence.leverage.iter().all(|h| (0.0..=1.0 + 1e-12).contains(h)));
        for kind in [Covariance::Model, Covariance::Hc0, Covariance::Hc3] {
            let estimates = inference.estimates(&kind).unwrap();
            let covariance = estimates.covariance(0).unwrap();
            for i in 0..=p {
                prop_assert!(covariance[(i, i)] > 0.0);
                for j in 0..i {
                    prop_assert!((covariance[(i, j)] - covariance[(j, i)]).abs() <= 1e-12 * (covariance[(i, i)] * covariance[(j, j)]).sqrt());
                }
            }
        }
        // HC3 counts each row for more.
        let error = |kind: Covariance| inference.estimates(&kind).unwrap().standard_errors();
        prop_assert!(error(Covariance::Hc3).iter().zip(&error(Covariance::Hc0)).all(|(a, b)| a > b));
    }

    /// Whatever the ends, there is an interval for every spike, and each is a share of its distribution.
    #[test]
    fn every_spike_ends_an_interval(seed in 0..1000_u64, lengths in prop::collection::vec(0..30_usize, 0..6), poisson in any::<bool>()) {
        let mut rng = rng(seed);
        let n: usize = lengths.iter().sum();
        let rates: Vec<f64> = features(&mut rng, n, 1).iter().map(|x| 0.1 * (x.abs() + 0.1)).collect();
        let spikes: Vec<f64> = rates.iter().map(|&rate| crate::cases::poisson(&mut rng, rate).min(if poisson { 9.0 } else { 1.0 })).collect();
        let spiking = if poisson { Spiking::Poisson } else { Spiking::Bernoulli };
        for ends in [Ends::Carry, Ends::Truncate, Ends::Drop] {
            let rescaling = TimeRescaling::new().spiking(spiking).ends(ends);
            let rescaled = rescaling.rescale(&rates, &spikes, &Segments::from_lengths(lengths.clone()), &mut rng).unwrap();
            prop_assert_eq!(rescaled.len(), spikes.iter().sum::<f64>() as usize);
            prop_assert!(rescaled.intervals().iter().all(|interval| *interval >= 0.0));
            prop_assert!(rescaled.uniforms().iter().all(|z| (0.0..=1.0 + 1e-9).contains(z)));
        }
    }
}
