//! Convolution of signals along time, epoch by epoch.

use nemos_core::Backend;
use nemos_core::convolution::{Causality, Kernel, Series};
use rayon::prelude::*;

use crate::Error;
use crate::signals::{Kind, Signal};

impl<B: Backend, K: Kind> Signal<B, K> {
    /// `out[t] = Σₖ kernel[k]·signal[t + lead − k]` within epochs, with zeros beyond their ends; `lead` is how many samples
    /// the kernel reaches into the future. Samples count as even; a NaN spreads as far as the kernel reaches.
    ///
    /// # Errors
    /// [`Error::Empty`] if the kernel is.
    pub fn convolve(&self, kernel: &[f64], causality: Causality) -> Result<Self, Error> {
        if kernel.is_empty() {
            return Err(Error::Empty {
                name: "the kernel",
                hint: "give one weight per lag",
            });
        }
        let kernel = Kernel::new(kernel.to_vec(), 1);
        self.map_columns(|_, values| Ok(convolved(values, &kernel, causality)))
    }
}

/// Rows that one task computes: enough that the samples before them, which it reads too, are few.
const TASK_ROWS: usize = 1 << 14;

/// `out[n] = Σⱼ kernel[j] · x[n + lead − j]`, zero where there is no sample.
pub(crate) fn convolved(x: &[f64], kernel: &Kernel, causality: Causality) -> Vec<f64> {
    let before = kernel.window() as isize - 1 - causality.lead(kernel.window());
    let mut out = vec![0.0; x.len()];
    // Whole transforms, where the kernel is long.
    let task_rows = TASK_ROWS.next_multiple_of(kernel.chunk_rows());
    out.par_chunks_mut(task_rows).enumerate().for_each(|(task, out)| {
        let oldest = (task * task_rows) as isize - before;
        out.copy_from_slice(&kernel.filtered(Series::new(x), oldest, out.len()));
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IntervalSet, Ts, Tsd, TsdFrame};
    use nemos_core::convolution::Shift;
    use nemos_core::{Cpu, Matrix};

    /// The definition, term by term.
    fn definition(x: &[f64], kernel: &[f64], lead: usize) -> Vec<f64> {
        let term = |row: usize, lag: usize| {
            (row + lead)
                .checked_sub(lag)
                .and_then(|row| x.get(row))
                .map_or(0.0, |x| x * kernel[lag])
        };
        (0..x.len()).map(|row| (0..kernel.len()).map(|lag| term(row, lag)).sum()).collect()
    }

    #[test]
    fn convolution_is_the_definition() {
        for (n, n_lags) in [
            (0, 3),
            (1, 1),
            (1, 4),
            (7, 3),
            (3, 9),
            (5000, 7),
            (3000, 130),
            (100, 101),
            (40_000, 500),
        ] {
            let x: Vec<f64> = (0..n).map(|row| f64::from(row * row % 17) - 8.0).collect();
            let kernel: Vec<f64> = (0..n_lags).map(|lag| f64::from(lag * 7 % 11) - 4.0).collect();
            for causality in [
                Causality::Acausal,
                Causality::Causal(Shift::None),
                Causality::AntiCausal(Shift::None),
            ] {
                let lead = causality.lead(kernel.len()) as usize;
                let expected = definition(&x, &kernel, lead);
                let got = convolved(&x, &Kernel::new(kernel.clone(), 1), causality);
                assert!(
                    got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-8),
                    "{n} {n_lags} {causality:?}"
                );
            }
        }
    }

    #[test]
    fn a_kernel_stays_in_its_epoch() {
        // Numbers from pynapple 0.11.4: Tsd.convolve over the epochs [0, 3] and [4, 21].
        let epochs = IntervalSet::new([(0.0, 3.0), (4.0, 21.0)]).unwrap();
        let axis = Ts::within([0.0, 1.0, 2.0, 5.0, 6.0, 7.5, 20.0], &epochs).unwrap();
        let signal = Tsd::<Cpu>::new(axis, vec![0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 3.0]).unwrap();
        let kernel = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(
            signal.convolve(&kernel, Causality::Acausal).unwrap().to_vec(),
            [1.0, 6.0, 11.0, 34.0, 84.0, 137.0, 145.0]
        );
        assert!(matches!(signal.convolve(&[], Causality::Acausal), Err(Error::Empty { .. })));
    }

    #[test]
    fn columns_are_convolved_apart() {
        let values = Matrix::<Cpu>::from_vec(vec![1.0, 10.0, 0.0, 0.0, 2.0, f64::NAN], [3, 2]).unwrap();
        let frame = TsdFrame::new(Ts::regular(0.0, 1.0, 3).unwrap(), values).unwrap();
        let out = frame.convolve(&[1.0, 1.0], Causality::Causal(Shift::None)).unwrap();
        assert_eq!(out.column("0").unwrap().to_vec(), [1.0, 1.0, 2.0]);
        assert_eq!(out.column("1").unwrap().to_vec()[..2], [10.0, 10.0]);
    }
}
