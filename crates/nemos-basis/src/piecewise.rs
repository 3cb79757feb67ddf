//! Splines as tables: the polynomial of every function on every piece between two knots.

use nemos_core::simd::vectorized;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::Error;
use crate::strided::{Pointwise, Strided};

/// The limits that all splines share.
pub(crate) fn spline_limits(family: &'static str, n_functions: usize, order: usize, least_order: usize) -> Result<(), Error> {
    if order < least_order {
        return Err(Error::Order {
            family,
            got: order,
            least: least_order,
        });
    }
    if n_functions < order {
        return Err(Error::TooFewFunctions {
            family,
            got: n_functions,
            least: order,
            why: "one for each order of the spline",
        });
    }
    Ok(())
}

/// Clamped knots on 0..1: `order` at each end, and equal steps between them. The last ones lie just above one, so that one is
/// inside, and with them each inner knot just above its even place: a sample there belongs to the piece on its left, as it
/// does in NeMoS.
pub(crate) fn clamped_knots(n_functions: usize, order: usize) -> Vec<f64> {
    const END: f64 = 1.0 + f64::EPSILON;
    let n_pieces = n_functions + 1 - order;
    let step = END / n_pieces as f64;
    let inner = (0..=n_pieces).map(|piece| if piece == n_pieces { END } else { piece as f64 * step });
    let (low, high) = (std::iter::repeat_n(0.0, order - 1), std::iter::repeat_n(END, order - 1));
    low.chain(inner).chain(high).collect()
}

/// Equal steps that go on to both sides of 0..1, so that `n_functions + order − 1` functions reach into it.
pub(crate) fn cyclic_knots(n_functions: usize, order: usize) -> Vec<f64> {
    let below = order - 1;
    (0..n_functions + 2 * order - 1)
        .map(|knot| (knot as f64 - below as f64) / n_functions as f64)
        .collect()
}

/// Piecewise polynomials on 0..1; `order` of them are not zero on each piece.
pub(crate) struct Piecewise {
    order: usize,
    n_functions: usize,
    breaks: Vec<f64>,
    /// Per piece: the highest power first, and for each power one coefficient per function.
    table: Vec<f64>,
    ends: Ends,
}

/// What lies beyond the ends.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Ends {
    /// Nothing but this value.
    Clamped {
        /// Value of every function outside 0..1.
        outside: f64,
    },
    /// The last functions go on at the start; outside 0..1 all are NaN.
    Wrapped,
}

impl Piecewise {
    /// B-splines on these knots, function `i` times `factor(i)`.
    pub(crate) fn new(knots: &[f64], order: usize, ends: Ends, factor: impl Fn(usize) -> f64) -> Self {
        let n_pieces = knots.len() - 2 * order + 1;
        let mut table = vec![0.0; n_pieces * order * order];
        for piece in 0..n_pieces {
            for (function, polynomial) in local_polynomials(knots, piece + order - 1, order).iter().enumerate() {
                for (power, coefficient) in polynomial.iter().enumerate() {
                    let at = (piece * order + order - 1 - power) * order + function;
                    table[at] = coefficient * factor(piece + function);
                }
            }
        }
        Piecewise {
            order,
            n_functions: match ends {
                Ends::Clamped { .. } => knots.len() - order,
                Ends::Wrapped => n_pieces,
            },
            breaks: knots[order - 1..knots.len() - order + 1].to_vec(),
            table,
            ends,
        }
    }

    /// The piece that holds a sample, or none outside 0..1 and for NaN.
    #[inline(always)]
    fn piece(&self, sample: f64) -> Option<usize> {
        let n_pieces = self.breaks.len() - 1;
        if !(0.0..=1.0).contains(&sample) {
            return None;
        }
        let guess = ((sample * n_pieces as f64) as usize).min(n_pieces - 1);
        // The product may round across a knot.
        if sample < self.breaks[guess] {
            Some(guess - 1)
        } else if guess + 1 < n_pieces && sample >= self.breaks[guess + 1] {
            Some(guess + 1)
        } else {
            Some(guess)
        }
    }

    #[inline(always)]
    fn write_row(&self, sample: f64, row: &mut [f64], polynomials: impl FnOnce(&[f64], f64, &mut [f64])) {
        let Some(piece) = self.piece(sample) else {
            row.fill(match self.ends {
                Ends::Clamped { outside } if !sample.is_nan() => outside,
                _ => f64::NAN,
            });
            return;
        };
        let square = self.order * self.order;
        let table = &self.table[piece * square..(piece + 1) * square];
        // From the left end of the piece: powers of what is small keep their digits.
        let rest = sample - self.breaks[piece];
        // The functions of a piece are neighbours, but for those that go on at the start.
        if piece + self.order <= self.n_functions {
            polynomials(table, rest, &mut row[piece..piece + self.order]);
        } else {
            let mut values = vec![0.0; self.order];
            polynomials(table, rest, &mut values);
            for (function, value) in values.into_iter().enumerate() {
                row[(piece + function) % self.n_functions] = value;
            }
        }
    }

    fn write_order<const ORDER: usize>(&self, samples: &[f64], out: &mut Strided<'_>) {
        vectorized(|| {
            for (row, &sample) in samples.iter().enumerate() {
                self.write_row(sample, out.row(row, self.n_functions), horner_of::<ORDER>);
            }
        });
    }
}

impl Pointwise for Piecewise {
    fn write(&self, samples: &[&[f64]], out: &mut Strided<'_>) {
        match self.order {
            2 => self.write_order::<2>(samples[0], out),
            3 => self.write_order::<3>(samples[0], out),
            4 => self.write_order::<4>(samples[0], out),
            5 => self.write_order::<5>(samples[0], out),
            _ => {
                for (row, &sample) in samples[0].iter().enumerate() {
                    self.write_row(sample, out.row(row, self.n_functions), horner);
                }
            }
        }
    }
}

#[inline(always)]
fn horner_of<const ORDER: usize>(table: &[f64], rest: f64, values: &mut [f64]) {
    let (powers, _) = table.as_chunks::<ORDER>();
    let mut sums = powers[0];
    for power in &powers[1..] {
        for (sum, coefficient) in sums.iter_mut().zip(power) {
            *sum = *sum * rest + coefficient;
        }
    }
    values.copy_from_slice(&sums);
}

fn horner(table: &[f64], rest: f64, values: &mut [f64]) {
    for power in table.chunks_exact(values.len()) {
        for (sum, coefficient) in values.iter_mut().zip(power) {
            *sum = *sum * rest + coefficient;
        }
    }
}

/// The functions that are not zero between knots `at` and `at + 1`, as polynomials of the distance to the former.
fn local_polynomials(knots: &[f64], at: usize, order: usize) -> Vec<Vec<f64>> {
    let mut lower = vec![vec![1.0]];
    for order in 2..=order {
        let mut higher = vec![vec![0.0; order]; order];
        for (index, polynomial) in lower.iter().enumerate() {
            // A function of one order less spans first..last; its rising part goes to one function, its falling part
            // to the one before (de Boor's recursion).
            let first = knots[at + 2 + index - order];
            let last = knots[at + 1 + index];
            for (power, coefficient) in polynomial.iter().enumerate() {
                let coefficient = coefficient / (last - first);
                higher[index + 1][power] += coefficient * (knots[at] - first);
                higher[index + 1][power + 1] += coefficient;
                higher[index][power] += coefficient * (last - knots[at]);
                higher[index][power + 1] -= coefficient;
            }
        }
        lower = higher;
    }
    lower
}

/// B-splines by de Boor's recursion in tensor operations: `[n, 1]` samples give `[n, knots.len() − order]`. All are zero outside
/// 0..1 and NaN for NaN.
pub(crate) fn recursion<T: BurnBackend>(samples: Tensor<T, 2>, knots: &[f64], order: usize) -> Tensor<T, 2> {
    let device = samples.device();
    let row = |values: &[f64]| {
        let data = nemos_core::tensor::TensorData::new(values.to_vec(), [1, values.len()]).convert_dtype(samples.dtype());
        Tensor::<T, 2>::from_data(data, (&device, samples.dtype()))
    };
    let low = &knots[..knots.len() - 1];
    let mut high = knots[1..].to_vec();
    // The last piece that is not empty holds its right end too, where no piece follows.
    let last = knots.len() - 1 - order;
    if knots[last + 1] == knots[knots.len() - 1] {
        high[last] = f64::INFINITY;
    }
    let starts: Vec<f64> = low
        .iter()
        .zip(&high)
        .map(|(low, high)| if low < high { *low } else { f64::INFINITY })
        .collect();
    let begun = samples.clone().greater_equal(row(&starts)).float().cast(samples.dtype());
    let ended = samples.clone().greater_equal(row(&high)).float().cast(samples.dtype());
    let mut functions = begun - ended;
    for order in 2..=order {
        let n = knots.len() - order;
        let inverse = |from: usize| -> Vec<f64> {
            (from..from + n)
                .map(|i| {
                    if knots[i + order - 1] > knots[i] {
                        1.0 / (knots[i + order - 1] - knots[i])
                    } else {
                        0.0
                    }
                })
                .collect()
        };
        let rising = (samples.clone() - row(&knots[..n])) * row(&inverse(0));
        let falling = (samples.clone().neg() + row(&knots[order..order + n])) * row(&inverse(1));
        functions = rising * functions.clone().narrow(1, 0, n) + falling * functions.narrow(1, 1, n);
    }
    // Comparisons are false for NaN: it comes back by this sum.
    functions + samples * 0.0
}
