//! Decoding: what the activity of a population says about a feature.

use nemos_core::{Backend, Matrix, Names};

use super::tuning::TuningCurves;
use crate::Error;
use crate::error::{holds, positive};
use crate::signals::{TsdFrame, TsdTensor, matrix, with_host};

/// What is known before a spike is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prior {
    /// Every bin of the features is as likely.
    #[default]
    Uniform,
    /// Bins are as likely as they were often visited.
    Occupancy,
}

/// How far activity is from a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// One minus Pearson's correlation.
    #[default]
    Correlation,
    /// One minus the cosine of the angle.
    Cosine,
    /// The root of the summed squares of the differences.
    Euclidean,
}

/// What was decoded at every time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decoded<B: Backend> {
    /// The middle of the best bin, `[n_times, n_features]`, under the names of the features; NaN where nothing could be
    /// decoded.
    pub features: TsdFrame<B>,
    /// The posterior probability of, or the distance to, every bin: `[n_times, …n_bins]`.
    pub by_bin: TsdTensor<B>,
}

impl TuningCurves {
    /// The features by Bayes' rule, for units that fire independently with Poisson statistics.
    ///
    /// ```text
    /// log p(x | n) = Σᵢ nᵢ·log λᵢ(x) − bin_size·Σᵢ λᵢ(x) + log p(x) + const
    /// ```
    /// A bin that was never visited has probability zero; counts that hold a NaN decode to NaN.
    ///
    /// # Shapes
    /// `counts: [n_times, n_units]` in bins of `bin_size` seconds; each curve takes the column of its name.
    ///
    /// # Errors
    /// [`Error::Units`] unless there is a column for each curve, [`Error::NotPositive`] if the size cannot be,
    /// [`Error::TooMany`].
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{Binning, Prior, Ts, TsGroup, Tsd};
    /// let place = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 5)?, vec![1.0, 2.0, 7.0, 8.0, 9.0])?;
    /// let cells = TsGroup::new([Ts::new([0.1, 0.3, 1.2])?, Ts::new([2.1, 2.8, 3.9])?], place.support());
    /// let curves = cells.tuning_curves(&place, &[Binning::new(2).range(0.0, 10.0)])?;
    /// let decoded = curves.decode_bayes(&cells.count::<Cpu>(1.0)?, 1.0, Prior::Uniform)?;
    /// assert_eq!(decoded.features.column("0")?.to_vec(), [2.5, 2.5, 7.5, 7.5]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    /// # References
    /// Zhang, Ginzburg, McNaughton & Sejnowski (1998), *Journal of Neurophysiology* 79(2). doi:10.1152/jn.1998.79.2.1017
    #[doc(alias("decode_1d", "decode_2d"))]
    pub fn decode_bayes<B: Backend>(&self, counts: &TsdFrame<B>, bin_size: f64, prior: Prior) -> Result<Decoded<B>, Error> {
        positive("the size of a bin", bin_size)?;
        let counts = &self.columns_of(counts)?;
        let (n_units, n_bins) = (self.n_units(), self.occupancy().len());
        // What pynapple adds to a rate before it takes the logarithm.
        const LEAST_RATE: f64 = 1e-12;
        let rates: Vec<f64> = self.values().iter().copied().collect();
        let visited: Vec<bool> = (0..n_bins)
            .map(|bin| (0..n_units).all(|unit| !rates[unit * n_bins + bin].is_nan()))
            .collect();
        let known = |rate: f64| if rate.is_nan() { 0.0 } else { rate };
        // One product of matrices gives Σᵢ nᵢ·log λᵢ of all times and bins; a NaN rate would spread over the whole product.
        let logarithms: Matrix<B> = matrix(
            rates.iter().map(|rate| (known(*rate) + LEAST_RATE).ln()).collect(),
            [n_units, n_bins],
        );
        let total: f64 = self.occupancy().iter().sum();
        let shift: Vec<f64> = (0..n_bins)
            .map(|bin| {
                let expected: f64 = (0..n_units).map(|unit| known(rates[unit * n_bins + bin])).sum();
                let prior = match prior {
                    Prior::Uniform => 0.0,
                    Prior::Occupancy => (self.flat_occupancy(bin) / total).ln(),
                };
                if visited[bin] {
                    prior - bin_size * expected
                } else {
                    f64::NEG_INFINITY
                }
            })
            .collect();
        let mut posterior = counts.values().matmul(&logarithms)?.to_vec();
        for row in posterior.chunks_exact_mut(n_bins.max(1)) {
            for (value, shift) in row.iter_mut().zip(&shift) {
                *value += shift;
            }
            // The exponential is taken relative to the highest, so that it neither overflows nor is zero everywhere.
            let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mut sum = 0.0;
            for value in row.iter_mut() {
                *value = (*value - highest).exp();
                sum += *value;
            }
            for value in row {
                *value /= sum;
            }
        }
        self.decoded(counts, posterior, |best, other| other > best)
    }

    /// The features whose template, the activity of all units in a bin, is closest to the activity at each time.
    ///
    /// # Shapes
    /// `activity: [n_times, n_units]`; each curve takes the column of its name.
    ///
    /// # Errors
    /// As [`decode_bayes`](TuningCurves::decode_bayes).
    ///
    /// # References
    /// Zhang et al. (1998), as [`decode_bayes`](TuningCurves::decode_bayes).
    pub fn decode_template<B: Backend>(&self, activity: &TsdFrame<B>, metric: Metric) -> Result<Decoded<B>, Error> {
        let activity = &self.columns_of(activity)?;
        let (n_units, n_bins) = (self.n_units(), self.occupancy().len());
        let curves: Vec<f64> = self.values().iter().copied().collect();
        let template = |bin: usize| (0..n_units).map(|unit| curves[unit * n_bins + bin]).collect::<Vec<f64>>();
        let templates: Vec<Vec<f64>> = (0..n_bins).map(|bin| normalized(template(bin), metric)).collect();
        let mut distances = Vec::with_capacity(activity.len() * n_bins);
        with_host(activity.values(), |values| {
            for time in 0..activity.len() {
                let row = normalized(values[time * n_units..(time + 1) * n_units].to_vec(), metric);
                distances.extend(templates.iter().map(|template| distance(&row, template, metric)));
            }
        });
        self.decoded(activity, distances, |best, other| other < best)
    }

    fn flat_occupancy(&self, bin: usize) -> f64 {
        self.occupancy().iter().nth(bin).copied().unwrap_or(0.0)
    }

    /// The column of each curve, by its name, in the order of the curves.
    fn columns_of<B: Backend>(&self, activity: &TsdFrame<B>) -> Result<TsdFrame<B>, Error> {
        let available = activity.column_names();
        let place = |(index, name): (usize, &String)| {
            let place = available.iter().position(|column| column == name);
            place.ok_or_else(|| Error::Units {
                index,
                name: name.clone(),
                available: available.clone(),
            })
        };
        let places = self.names().iter().enumerate().map(place).collect::<Result<Vec<_>, _>>()?;
        holds("probabilities, times by bins,", &[activity.len(), self.occupancy().len()])?;
        activity.columns(&places)
    }

    fn decoded<B: Backend>(&self, activity: &TsdFrame<B>, by_bin: Vec<f64>, is_better: fn(f64, f64) -> bool) -> Result<Decoded<B>, Error> {
        let shape = self.occupancy().shape().to_vec();
        let (n_bins, n_features) = (self.occupancy().len(), shape.len());
        let centers: Vec<Vec<f64>> = (0..n_features).map(|feature| self.centers(feature)).collect();
        let mut features = Vec::with_capacity(activity.len() * n_features);
        for row in by_bin.chunks_exact(n_bins.max(1)) {
            let known = row.iter().enumerate().filter(|(_, value)| !value.is_nan());
            let best = known.reduce(|best, other| if is_better(*best.1, *other.1) { other } else { best });
            let mut stride = n_bins;
            for (centers, length) in centers.iter().zip(&shape) {
                stride /= length;
                features.push(best.map_or(f64::NAN, |(bin, _)| centers[bin / stride % length]));
            }
        }
        Ok(Decoded {
            features: TsdFrame::named(
                activity.axis().clone(),
                matrix(features, [activity.len(), n_features]),
                Names::new(self.features()),
            ),
            by_bin: TsdTensor::new(activity.axis().clone(), matrix(by_bin, [activity.len(), n_bins]), shape)?,
        })
    }
}

/// A vector whose product with another is the cosine, or the correlation.
fn normalized(mut values: Vec<f64>, metric: Metric) -> Vec<f64> {
    if metric == Metric::Euclidean {
        return values;
    }
    if metric == Metric::Correlation {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter_mut().for_each(|value| *value -= mean);
    }
    let length = values.iter().map(|value| value * value).sum::<f64>().sqrt();
    values.iter_mut().for_each(|value| *value /= length);
    values
}

fn distance(left: &[f64], right: &[f64], metric: Metric) -> f64 {
    let pairs = left.iter().zip(right);
    match metric {
        Metric::Euclidean => pairs.map(|(left, right)| (left - right).powi(2)).sum::<f64>().sqrt(),
        Metric::Correlation | Metric::Cosine => 1.0 - pairs.map(|(left, right)| left * right).sum::<f64>(),
    }
}
