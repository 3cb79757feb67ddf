//! Averages of a signal in bins.

use nemos_core::Backend;

use crate::Error;
use crate::signals::{Kind, Signal, matrix, with_host};
use crate::times::Bins;

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The mean of the samples in each bin of `bin_size` seconds, NaN where there are none or one is NaN; bins are those
    /// of [`Ts::count`](crate::Ts::count).
    ///
    /// # Errors
    /// [`Error::NotPositive`] or [`Error::TooManyBins`] if the size cannot be.
    pub fn bin_average(&self, bin_size: f64) -> Result<Self, Error> {
        let bins = Bins::new(self.support(), bin_size)?;
        let (times, width) = (self.sample_times(), self.n_columns());
        let mut means = nemos_core::zeros(bins.len() * width);
        with_host(self.values(), |values| {
            bins.fill(
                &mut means,
                width,
                || 0,
                |from, stretch, means| {
                    let rows = stretch.rows(times, *from);
                    *from = rows.start;
                    let mut row = rows.start;
                    for (bin, mean) in means.chunks_exact_mut(width).enumerate() {
                        let (first, edge) = (row, stretch.right_edge(bin));
                        while row < rows.end && times[row] < edge {
                            row += 1;
                        }
                        average(&values[first * width..row * width], mean);
                    }
                },
            );
        });
        Ok(self.with_values(bins.axis(), matrix(means, [bins.len(), width])))
    }
}

/// The mean of rows as wide as `mean`, which holds zeros.
fn average(rows: &[f64], mean: &mut [f64]) {
    // One over the number of rows, which are as wide as the mean.
    let per_row = mean.len() as f64 / rows.len() as f64;
    if let [mean] = mean {
        *mean = if rows.is_empty() {
            f64::NAN
        } else {
            rows.iter().sum::<f64>() * per_row
        };
        return;
    }
    for row in rows.chunks_exact(mean.len()) {
        for (mean, value) in mean.iter_mut().zip(row) {
            *mean += value;
        }
    }
    for mean in mean {
        *mean = if rows.is_empty() { f64::NAN } else { *mean * per_row };
    }
}

#[cfg(test)]
mod tests {
    use nemos_core::{Cpu, Matrix};

    use crate::{IntervalSet, Ts, Tsd, TsdFrame};

    #[test]
    fn empty_bins_are_missing_and_columns_apart() {
        let axis = Ts::within([0.0, 0.1, 0.5, 1.6], &IntervalSet::new([(0.0, 2.0)]).unwrap()).unwrap();
        let values = Matrix::<Cpu>::from_vec(vec![1.0, 10.0, 3.0, 30.0, 5.0, 50.0, 7.0, 70.0], [4, 2]).unwrap();
        let means = TsdFrame::new(axis, values).unwrap().bin_average(0.5).unwrap();
        assert_eq!(means.sample_times(), [0.25, 0.75, 1.25, 1.75]);
        let column = |name| means.column(name).unwrap().to_vec();
        assert_eq!([&column("0")[..2], &column("1")[..2]], [[2.0, 5.0], [20.0, 50.0]]);
        assert!(column("0")[2].is_nan() && column("1")[3] == 70.0);
    }

    #[test]
    fn even_samples_fill_even_bins() {
        let signal = Tsd::<Cpu>::new(Ts::regular(0.0, 0.01, 1000).unwrap(), (0..1000).map(f64::from).collect::<Vec<_>>()).unwrap();
        let means = signal.bin_average(0.1).unwrap().to_vec();
        assert_eq!(means.len(), 100);
        assert!(
            means
                .iter()
                .enumerate()
                .all(|(bin, mean)| (mean - (10.0 * bin as f64 + 4.5)).abs() < 1e-9)
        );
    }
}
