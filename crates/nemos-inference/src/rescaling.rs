//! Discrete-time rescaling: intervals between spikes, in expected spikes.

use nemos_core::{Backend, Segments};
use rand::{Rng, RngExt};

use crate::{Error, Inference, Rescaled};

/// How spikes fall into bins.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spiking {
    /// At most one in a bin, with the probability that is given: exact for Bernoulli models, and for Poisson models of which no bin
    /// holds more than one.
    Bernoulli,
    /// Any number in a bin, with the expectation that is given.
    Poisson,
    /// At the ends of bins, as if time were continuous: the textbook's `ξ = Σ rate`, which is wrong for bins, and there to be compared
    /// with.
    Continuous,
}

/// What happens to the time between the last spike of a segment and its end.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ends {
    /// It goes on in the first interval of the next segment, which is exact, since what is left to wait has no memory.
    #[default]
    Carry,
    /// Each segment begins anew, and its intervals are compared with the exponential distribution cut off at its end.
    Truncate,
    /// It is lost. Short intervals are then too many: with 60 bins and 1.2 spikes per trial every correct model is rejected.
    Drop,
}

/// Rescales time so that spikes come at rate one if the model is right.
///
/// ```text
/// Bernoulli   ξ = Σ −ln(1 − pⱼ) − ln(1 − r p_t)     over the bins between two spikes, of which the later is in bin t
/// Poisson     ξ = ∫ rate dt                         with the spikes of a bin at uniform places in it
/// z = 1 − e^−ξ ~ uniform
/// ```
///
/// `r` is uniform: time within a bin is unknown, so that it is drawn. The textbook's `ξ = Σ rate` rejects correct models once a bin has
/// more than a per cent of a spike.
///
/// # Options
/// | option | default |
/// |---|---|
/// | `spiking` | of a fitted model, [`Spiking::Bernoulli`] unless a bin holds more than one spike |
/// | `ends` | [`Ends::Carry`] |
///
/// # Example
/// ```
/// use nemos_core::Segments;
/// use nemos_inference::{Spiking, TimeRescaling};
/// use rand::{RngExt, SeedableRng};
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
/// let rates: Vec<f64> = (0..4000).map(|bin| 0.1 + 0.05 * (bin as f64 / 50.0).sin()).collect();
/// let spikes: Vec<f64> = rates.iter().map(|rate| f64::from(rng.random::<f64>() < *rate)).collect();
/// let rescaling = TimeRescaling::new().spiking(Spiking::Bernoulli);
/// let rescaled = rescaling.rescale(&rates, &spikes, &Segments::single(4000), &mut rng)?;
/// assert!(rescaled.ks().p > 0.01);
/// # Ok::<(), nemos_inference::Error>(())
/// ```
///
/// # References
/// Brown et al. (2002), *Neural Computation* 14; Wiener (2003), *Neural Computation* 15; Haslinger, Pipa & Brown (2010), *Neural
/// Computation* 22.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeRescaling {
    spiking: Option<Spiking>,
    ends: Ends,
}

impl TimeRescaling {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// How spikes fall into bins.
    #[must_use]
    pub fn spiking(mut self, spiking: Spiking) -> Self {
        self.spiking = Some(spiking);
        self
    }

    /// What happens at the ends of segments.
    #[must_use]
    pub fn ends(mut self, ends: Ends) -> Self {
        self.ends = ends;
        self
    }

    /// Rescales the spikes of one neuron.
    ///
    /// # Shapes
    /// rates and counts `[n_bins]`: probabilities of a spike ([`Spiking::Bernoulli`], and unless said otherwise), or expected counts
    /// ([`Spiking::Poisson`]). A NaN in either ends a segment.
    ///
    /// # Errors
    /// If lengths differ, a rate is negative, infinite or a probability above one, or a count is no whole number (above one, for
    /// Bernoulli).
    pub fn rescale<R: Rng + ?Sized>(&self, rates: &[f64], counts: &[f64], segments: &Segments, rng: &mut R) -> Result<Rescaled, Error> {
        self.check(rates, counts, segments)?;
        let mut uniforms = Vec::new();
        for (&count, rate) in counts.iter().zip(rates) {
            if count.is_nan() || rate.is_nan() {
                continue;
            }
            let first = uniforms.len();
            uniforms.extend((0..count as usize).map(|_| rng.random::<f64>()));
            uniforms[first..].sort_by(f64::total_cmp);
        }
        self.rescale_with(rates, counts, segments, &uniforms)
    }

    /// Rescales with uniform numbers that are given: one per spike, in order, rising within a bin.
    ///
    /// # Errors
    /// As [`rescale`](TimeRescaling::rescale), and unless there is a number between 0 and 1 for every spike.
    pub fn rescale_with(&self, rates: &[f64], counts: &[f64], segments: &Segments, uniforms: &[f64]) -> Result<Rescaled, Error> {
        self.check(rates, counts, segments)?;
        let is_there = |bin: &usize| !(counts[*bin].is_nan() || rates[*bin].is_nan());
        let spikes: f64 = (0..rates.len()).filter(is_there).map(|bin| counts[bin]).sum();
        crate::error::check_length("the uniform numbers", "entries", uniforms.len(), (spikes as usize, "one per spike"))?;
        let mut left = uniforms.iter().copied();
        let (mut intervals, mut shares) = (Vec::new(), Vec::new());
        let mut waited = 0.0;
        for range in segments.ranges() {
            let bins: Vec<usize> = range.clone().collect();
            // What is missing cuts a segment.
            for run in bins.chunk_by(|a, b| is_there(a) == is_there(b)).filter(|run| is_there(&run[0])) {
                if self.ends != Ends::Carry {
                    waited = 0.0;
                }
                // What is left from each bin on, up to the end of the run.
                let mut left_from = vec![0.0; run.len() + 1];
                for (place, &bin) in run.iter().enumerate().rev() {
                    left_from[place] = left_from[place + 1] + self.mass(rates[bin]);
                }
                let mut rest = left_from[0];
                for (place_of_bin, &bin) in run.iter().enumerate() {
                    let mut at = 0.0;
                    for _ in 0..counts[bin] as usize {
                        let place = left.next().unwrap_or(f64::NAN);
                        let interval = if self.is_integral() {
                            let place = if self.spiking == Some(Spiking::Continuous) { 1.0 } else { place };
                            let mass = rates[bin] * (place - at);
                            at = place;
                            waited + mass
                        } else {
                            waited - (-place * rates[bin]).ln_1p()
                        };
                        intervals.push(interval);
                        let share = -(-interval).exp_m1();
                        shares.push(if self.ends == Ends::Truncate {
                            share / -(-rest).exp_m1()
                        } else {
                            share
                        });
                        waited = 0.0;
                        let in_bin = if self.is_integral() { rates[bin] * (1.0 - at) } else { 0.0 };
                        rest = in_bin + left_from[place_of_bin + 1];
                    }
                    if self.is_integral() {
                        waited += rates[bin] * (1.0 - at);
                    } else if counts[bin] == 0.0 {
                        waited += self.mass(rates[bin]);
                    }
                }
            }
        }
        Ok(Rescaled::new(intervals, shares))
    }

    /// What a bin without a spike adds to the time that is waited.
    fn mass(&self, rate: f64) -> f64 {
        if self.is_integral() { rate } else { -(-rate).ln_1p() }
    }

    /// Whether intervals are integrals of the rate.
    fn is_integral(&self) -> bool {
        matches!(self.spiking, Some(Spiking::Poisson | Spiking::Continuous))
    }

    fn check(&self, rates: &[f64], counts: &[f64], segments: &Segments) -> Result<(), Error> {
        crate::error::check_length("the counts", "entries", counts.len(), (rates.len(), "one per rate"))?;
        crate::error::check_length("the segments", "rows", segments.n_rows(), (rates.len(), "one per rate"))?;
        let is_poisson = self.is_integral();
        for (row, (&rate, &count)) in rates.iter().zip(counts).enumerate() {
            let (highest, expected) = match is_poisson {
                true => (f64::MAX, "an expected count is finite and not negative"),
                false => (1.0, "a probability lies between 0 and 1; give expected counts to Spiking::Poisson"),
            };
            if !rate.is_nan() && !(0.0..=highest).contains(&rate) {
                return Err(Error::Rate { row, got: rate, expected });
            }
            let (most, expected) = match is_poisson {
                true => (u32::MAX.into(), "a count is a whole number, zero or more"),
                false => (
                    1.0,
                    "Spiking::Bernoulli needs zero or one in each bin; take shorter bins, or Spiking::Poisson",
                ),
            };
            if !count.is_nan() && (count.fract() != 0.0 || !(0.0..=most).contains(&count)) {
                return Err(Error::Count { row, got: count, expected });
            }
        }
        Ok(())
    }
}

impl<B: Backend> Inference<'_, B> {
    /// `[n_neurons]`: the spikes of each neuron, with time rescaled by the rates of its model, within the segments of the design.
    ///
    /// A Poisson model whose bins hold one spike at most is taken as Bernoulli, with `p = 1 − e^−rate`. The parameters were estimated
    /// from the same spikes, so that a test is conservative; on epochs that were held out it is not.
    ///
    /// # Errors
    /// [`Error::NoSpikes`] of observations that are neither Bernoulli nor Poisson; as [`TimeRescaling::rescale`].
    pub fn time_rescaling<R: Rng + ?Sized>(&self, options: &TimeRescaling, rng: &mut R) -> Result<Vec<Rescaled>, Error> {
        let is_bernoulli = match self.kind.built_in.as_deref() {
            Some("Bernoulli") => true,
            Some("Poisson") => false,
            _ => {
                return Err(Error::NoSpikes {
                    model: self.kind.title.clone(),
                });
            }
        };
        self.design.check_whole("time rescaling")?;
        let (n_rows, n_neurons) = (self.design.n_rows(), self.n_neurons());
        let segments = self.design.segments();
        let mut rescaled = Vec::with_capacity(n_neurons);
        // Some neurons at a time, so that memory does not grow with their number.
        for neurons in nemos_core::row_chunks(n_neurons, ((1 << 24) / n_rows.max(1)).max(1)) {
            let mut columns: Vec<(Vec<f64>, Vec<f64>)> = vec![(Vec::new(), Vec::new()); neurons.len()];
            self.each_chunk(|seen| {
                for (neuron, (rates, counts)) in neurons.clone().zip(&mut columns) {
                    rates.extend(
                        seen.at
                            .rate
                            .column(neuron)
                            .iter()
                            .zip(seen.predictor.column(neuron))
                            .map(|(rate, at)| if at.is_nan() { f64::NAN } else { *rate }),
                    );
                    counts.extend(seen.counts.column(neuron));
                }
                Ok(())
            })?;
            for (mut rates, counts) in columns {
                let spiking = options
                    .spiking
                    .unwrap_or(match is_bernoulli || counts.iter().all(|&count| count.is_nan() || count <= 1.0) {
                        true => Spiking::Bernoulli,
                        false => Spiking::Poisson,
                    });
                match (is_bernoulli, spiking) {
                    (false, Spiking::Bernoulli) => rates.iter_mut().for_each(|rate| *rate = -(-*rate).exp_m1()),
                    (true, Spiking::Poisson) => rates.iter_mut().for_each(|rate| *rate = -(-*rate).ln_1p()),
                    _ => {}
                }
                rescaled.push(options.spiking(spiking).rescale(&rates, &counts, &segments, rng)?);
            }
        }
        Ok(rescaled)
    }
}
