//! Spike counts with more empty bins than a Poisson cell has: how is a model of one's own fitted?

use ndarray::{Array1, Array2};
use nemos::core::special::ln_gamma;
use nemos::glm::Support;
use nemos::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Bernoulli as Coin, Distribution, Poisson as PoissonDraw, StandardNormal};

/// Poisson counts of a cell that is asleep in a known share of the bins.
#[derive(Clone, Debug)]
struct SleepyPoisson {
    asleep: f64,
}

type Rows<T> = Tensor<T, 2>;

// No derivative is written: burn differentiates the likelihood.
impl ObservationModel for SleepyPoisson {
    type DefaultLink = Exp;

    fn log_likelihood<T: Backend>(&self, counts: Rows<T>, mean: &Mean<'_, T>, _scale: Rows<T>) -> Rows<T> {
        let some = counts.clone() * mean.log_rate() - mean.rate() - ln_gamma(counts.clone() + 1.0);
        let none = (mean.rate().neg().exp() * (1.0 - self.asleep) + self.asleep).log();
        (some + (1.0 - self.asleep).ln()).mask_where(counts.equal_elem(0.0), none)
    }

    fn deviance<T: Backend>(&self, counts: Rows<T>, rate: Rows<T>, scale: Rows<T>) -> Rows<T> {
        let mean = |rate: Rows<T>| Mean::new(rate.clamp_min(1e-12).log(), &Exp);
        let best = self.log_likelihood(counts.clone(), &mean(counts.clone()), scale.clone());
        (best - self.log_likelihood(counts, &mean(rate), scale)) * 2.0
    }

    fn variance<T: Backend>(&self, rate: Rows<T>, _scale: Rows<T>) -> Rows<T> {
        (rate.clone() * rate.clone() * self.asleep + rate) * (1.0 - self.asleep)
    }

    fn support(&self) -> Support {
        Support::NonNegative
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let design = Array2::from_shape_simple_fn((5000, 2), || StandardNormal.sample(&mut rng));
    let predictor: Array1<f64> = design.dot(&ndarray::arr1(&[0.5, -0.3])) + 0.5;
    let asleep = Coin::new(0.4)?;
    let counts = predictor.mapv(|predictor| match asleep.sample(&mut rng) {
        true => 0.0,
        false => PoissonDraw::new(predictor.exp()).map_or(0.0, |draw| draw.sample(&mut rng)),
    });
    let (design, counts) = (Matrix::<Cpu>::from(design), Matrix::from_column(counts.to_vec()));
    println!("drawn with coefficients 0.5 and -0.3, and intercept 0.5");
    let poisson = Glm::new(Poisson).fit(&design, &counts)?;
    println!("{poisson}, log-likelihood {:.4}", poisson.score(&design, &counts, Score::LogLikelihood)?);
    let sleepy = Glm::new(SleepyPoisson { asleep: 0.4 }).fit(&design, &counts)?;
    println!("{sleepy}, log-likelihood {:.4}", sleepy.score(&design, &counts, Score::LogLikelihood)?);
    Ok(())
}
