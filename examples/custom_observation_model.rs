//! Spike counts with more empty bins than a Poisson cell has: how is a model of one's own fitted?

use ndarray::Array2;
use nemos::core::tensor::{Tensor, backend::Backend};
use nemos::core::{Cpu, Matrix, special};
use nemos::glm::{Exp, Glm, InverseLink, ObservationModel, Poisson, Score, Support};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Bernoulli, Distribution, Poisson as PoissonDraw, StandardNormal};

/// Poisson counts of a cell that is asleep in a known share of the bins. Its derivative is nobody's work but burn's.
#[derive(Clone, Debug)]
struct SleepyPoisson {
    asleep: f64,
}

impl ObservationModel for SleepyPoisson {
    type DefaultLink = Exp;

    fn negative_log_likelihood<T: Backend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        self.log_likelihood(counts, predictor, link, scale).neg()
    }

    fn log_likelihood<T: Backend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        _scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        let rate = link.rate(predictor.clone());
        let awake = (1.0 - self.asleep).ln();
        let some = counts.clone() * link.log_rate(predictor) - rate.clone() - special::ln_gamma(counts.clone() + 1.0) + awake;
        let none = (rate.neg().exp() * (1.0 - self.asleep) + self.asleep).log();
        some.mask_where(counts.equal_elem(0.0), none)
    }

    fn deviance<T: Backend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let best = self.log_likelihood(counts.clone(), counts.clone().clamp_min(1e-12).log(), &Exp, scale.clone());
        (best - self.log_likelihood(counts, rate.log(), &Exp, scale)) * 2.0
    }

    fn variance<T: Backend>(&self, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        (rate.clone() * rate.clone() * self.asleep + rate) * (1.0 - self.asleep)
    }

    fn support(&self) -> Support {
        Support::NonNegative
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let design = Array2::from_shape_simple_fn((5000, 2), || -> f64 { Distribution::<f64>::sample(&StandardNormal, &mut rng) });
    let asleep = Bernoulli::new(0.4)?;
    let counts = design
        .dot(&ndarray::arr1(&[0.5, -0.3]))
        .mapv(|predictor| match asleep.sample(&mut rng) {
            true => 0.0,
            false => PoissonDraw::new((predictor + 0.5).exp()).map_or(0.0, |draw| draw.sample(&mut rng)),
        });
    let (design, counts) = (Matrix::<Cpu>::from(design), Matrix::from_column(counts.to_vec()));
    println!("drawn with coefficients [0.500, -0.300] and intercept 0.500");
    let poisson = Glm::new(Poisson).fit(&design, &counts)?.require_converged()?;
    let score = poisson.score(&design, &counts, Score::LogLikelihood)?;
    println!(
        "Poisson:        {:.3?}, {:.3}, log-likelihood {score:.4}",
        poisson.coef(),
        poisson.intercept()
    );
    let sleepy = Glm::new(SleepyPoisson { asleep: 0.4 }).fit(&design, &counts)?.require_converged()?;
    let score = sleepy.score(&design, &counts, Score::LogLikelihood)?;
    println!(
        "sleepy Poisson: {:.3?}, {:.3}, log-likelihood {score:.4}",
        sleepy.coef(),
        sleepy.intercept()
    );
    Ok(())
}
