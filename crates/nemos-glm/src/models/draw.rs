//! Draws of observation models: one count from a rate and a scale.

use rand::Rng;

use crate::ObservationModel;

/// An observation model that can draw counts.
///
/// | model | draw | variance |
/// |---|---|---|
/// | [`Poisson`](crate::Poisson) | Poisson(rate) | rate |
/// | [`Gamma`](crate::Gamma) | Gamma(shape 1 / scale) · scale · rate | scale · rate² |
/// | [`Gaussian`](crate::Gaussian) | rate + √scale · Normal | scale |
/// | [`Bernoulli`](crate::Bernoulli) | one with probability rate | rate · (1 − rate) |
/// | [`NegativeBinomial`](crate::NegativeBinomial) | Poisson(Gamma(1 / scale) · scale · rate) | rate + scale · rate² |
///
/// *Implementor must* draw with mean `rate` and the variance of [`ObservationModel::variance`], take all randomness from
/// `rng`, and return NaN where the rate is NaN or the model has no counts at this rate and scale.
///
/// # Example
/// ```
/// use nemos_glm::{Draw, Poisson};
/// use rand::SeedableRng;
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
/// let counts: f64 = (0..1000).map(|_| Poisson.draw(3.0, 1.0, &mut rng)).sum();
/// assert!((counts - 3000.0).abs() < 200.0);
/// assert!(Poisson.draw(-3.0, 1.0, &mut rng).is_nan());
/// ```
pub trait Draw: ObservationModel {
    /// One count.
    fn draw<R: Rng + ?Sized>(&self, rate: f64, scale: f64, rng: &mut R) -> f64;
}

/// Whether counts can have this mean, where they are not negative.
#[inline]
pub(crate) fn is_mean(rate: f64) -> bool {
    (0.0..f64::INFINITY).contains(&rate)
}

/// Whether a gamma distribution of this scale has all its mass at its mean, as far as numbers can tell.
#[inline]
pub(crate) fn is_no_scale(scale: f64) -> bool {
    (1.0 / scale).is_infinite()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use crate::{Bernoulli, Draw, Gamma, Gaussian, NegativeBinomial, Poisson};

    fn assert_moments<O: Draw>(model: O, rate: f64, scale: f64, variance: f64) {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let n = 40_000;
        let draws: Vec<f64> = (0..n).map(|_| model.draw(rate, scale, &mut rng)).collect();
        assert!(draws.iter().all(|&draw| model.support().contains(draw)), "{model:?}");
        let n = f64::from(n);
        let mean = draws.iter().sum::<f64>() / n;
        let deviation = |power: i32| draws.iter().map(|draw| (draw - rate).powi(power)).sum::<f64>() / n;
        // Four and a half standard errors; that of the variance follows from the fourth moment.
        let of_mean = 4.5 * (variance / n).sqrt();
        let of_variance = 4.5 * ((deviation(4) - deviation(2).powi(2)) / n).sqrt();
        assert!((mean - rate).abs() <= of_mean, "{model:?} at {rate}, {scale}: mean {mean}");
        assert!(
            (deviation(2) - variance).abs() <= of_variance,
            "{model:?} at {rate}, {scale}: variance {}",
            deviation(2)
        );
    }

    #[test]
    fn mean_and_variance_are_those_of_the_model() {
        for rate in [0.03, 0.7, 6.0, 25.0, 400.0] {
            assert_moments(Poisson, rate, 1.0, rate);
            for scale in [0.05, 0.5, 2.0] {
                assert_moments(Gamma, rate, scale, scale * rate * rate);
                assert_moments(Gaussian, rate, scale, scale);
                assert_moments(NegativeBinomial::new(scale), rate, scale, rate + scale * rate * rate);
            }
        }
        for rate in [0.03, 0.5, 0.9] {
            assert_moments(Bernoulli, rate, 1.0, rate * (1.0 - rate));
        }
    }

    #[test]
    fn what_has_no_distribution_has_no_draw_and_takes_no_randomness() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let untouched = rng.clone();
        for rate in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Poisson.draw(rate, 1.0, &mut rng).is_nan());
            assert!(Gamma.draw(rate, 1.0, &mut rng).is_nan());
            assert!(Gaussian.draw(rate, 1.0, &mut rng).is_nan());
            assert!(Bernoulli.draw(rate, 1.0, &mut rng).is_nan());
            assert!(NegativeBinomial::new(1.0).draw(rate, 1.0, &mut rng).is_nan());
        }
        assert!(Poisson.draw(-0.1, 1.0, &mut rng).is_nan() && Bernoulli.draw(1.1, 1.0, &mut rng).is_nan());
        assert!(Gamma.draw(1.0, -1.0, &mut rng).is_nan() && Gaussian.draw(1.0, f64::NAN, &mut rng).is_nan());
        assert_eq!(rng, untouched);
    }

    #[test]
    fn without_dispersion_the_limits_are_reached() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for none in [0.0, 1e-310] {
            assert_eq!(Gamma.draw(2.5, none, &mut rng), 2.5);
        }
        assert!(Gamma.draw(1e308, 1e3, &mut rng).is_finite() || Gamma.draw(1e308, 1e300, &mut rng).is_nan());
        assert_eq!(Gaussian.draw(2.5, 0.0, &mut rng), 2.5);
        let same = NegativeBinomial::new(1.0).draw(7.0, 1e-310, &mut rng.clone());
        assert_eq!(same, Poisson.draw(7.0, 1.0, &mut rng));
    }
}
