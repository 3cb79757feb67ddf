//! Loops over classes for data in host memory.

use nemos_core::HostFloat;
use nemos_core::simd::{exp, ln};

use crate::classifier::categorical::{Categorical, Targets};
use crate::engine::loops::{Lanes, Loops, Measure, Observed};

/// The classes of one row and problem: their probabilities, and what is known of them.
struct Classes<'a, E> {
    /// Place among rows and problems.
    place: usize,
    /// Predictors, or what is written over them.
    predictor: &'a mut [E],
    targets: &'a [E],
    /// The labels are numbers of classes.
    labels: bool,
    weight: f64,
}

impl<E: HostFloat> Classes<'_, E> {
    /// The share that a class has of the row.
    #[inline(always)]
    fn target(&self, class: usize) -> f64 {
        if self.labels {
            f64::from(u8::from(self.targets[0].into_f64() == class as f64))
        } else {
            self.targets[class].into_f64()
        }
    }

    /// All shares together.
    #[inline(always)]
    fn total(&self) -> f64 {
        if self.labels {
            1.0
        } else {
            self.targets.iter().map(|target| target.into_f64()).sum()
        }
    }

    /// The loss; probabilities are written to `probabilities`.
    #[inline(always)]
    fn loss(&self, probabilities: &mut [f64]) -> f64 {
        // About the highest predictor nothing overflows.
        let highest = self
            .predictor
            .iter()
            .fold(f64::NEG_INFINITY, |highest, x| highest.max(x.into_f64()));
        let mut sum = 0.0;
        for (probability, predictor) in probabilities.iter_mut().zip(&*self.predictor) {
            *probability = exp(predictor.into_f64() - highest);
            sum += *probability;
        }
        probabilities.iter_mut().for_each(|probability| *probability /= sum);
        let log_sum = highest + ln(sum);
        let each = |(class, predictor): (usize, &E)| {
            let target = self.target(class);
            // A class without a share adds nothing, even where its probability vanishes.
            if target == 0.0 {
                0.0
            } else {
                target * (log_sum - predictor.into_f64())
            }
        };
        self.predictor.iter().enumerate().map(each).sum()
    }
}

impl Categorical {
    /// Calls `act` for every row and problem whose targets are there; writes `missing` over the predictors of others.
    #[inline(always)]
    fn for_each<E: HostFloat>(&self, predictor: &mut [E], observed: Observed<'_, E>, missing: E, mut act: impl FnMut(Classes<'_, E>)) {
        let n_targets = self.columns_per_response();
        for (place, predictor) in predictor.chunks_exact_mut(self.n_classes).enumerate() {
            let targets = &observed.counts[place * n_targets..(place + 1) * n_targets];
            if targets.iter().any(|target| target.into_f64().is_nan()) {
                predictor.fill(missing);
                continue;
            }
            act(Classes {
                place,
                predictor,
                targets,
                labels: self.targets == Targets::Labels,
                weight: observed.weights.map_or(1.0, |weights| weights[place].into_f64()),
            });
        }
    }
}

impl<E: HostFloat> Loops<E> for Categorical {
    fn slopes(&self, predictor: &mut [E], observed: Observed<'_, E>, lanes: &mut Lanes) {
        let n_problems = lanes.n_columns() / self.n_classes;
        let mut probabilities = vec![0.0; self.n_classes];
        self.for_each(predictor, observed, E::default(), |classes| {
            if classes.weight == 0.0 {
                classes.predictor.fill(E::default());
                return;
            }
            let first = classes.place % n_problems * self.n_classes;
            let (loss, total) = (classes.loss(&mut probabilities), classes.total());
            lanes.add(first, classes.weight * loss, 0.0);
            for (class, probability) in probabilities.iter().enumerate() {
                let slope = classes.weight * (total * probability - classes.target(class));
                lanes.add(first + class, 0.0, slope);
                classes.predictor[class] = E::from_f64(slope);
            }
        });
    }

    fn weights(&self, predictor: &[E], observed: Observed<'_, E>, _lanes: &Lanes, (out, (first, second)): (&mut [E], (usize, usize))) {
        out.fill(E::default());
        let mut probabilities = vec![0.0; self.n_classes];
        let same = if first == second { 1.0 } else { 0.0 };
        self.for_each(&mut predictor.to_vec(), observed, E::default(), |classes| {
            if classes.weight > 0.0 {
                classes.loss(&mut probabilities);
                let curvature = classes.total() * probabilities[first] * (same - probabilities[second]);
                out[classes.place] = E::from_f64(classes.weight * curvature);
            }
        });
    }

    fn measure(&self, measure: Measure, predictor: &mut [E], observed: Observed<'_, E>, lanes: &mut Lanes) {
        let n_problems = lanes.n_columns() / self.n_classes;
        let mut probabilities = vec![0.0; self.n_classes];
        let factor = match measure {
            Measure::LogLikelihood => -1.0,
            Measure::Deviance => 2.0,
        };
        self.for_each(predictor, observed, E::from_f64(f64::NAN), |classes| {
            let value = factor * classes.loss(&mut probabilities);
            if classes.weight > 0.0 {
                lanes.add(classes.place % n_problems * self.n_classes, classes.weight * value, 0.0);
            }
            classes.predictor.fill(E::from_f64(value));
        });
    }
}
