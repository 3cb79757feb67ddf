//! Some of the columns of a plan.

use std::sync::Arc;

use super::atom::{Atom, Work};
use super::{Part, Plan};

/// A plan for some of the columns of another, and what to take of it.
pub(crate) struct SomeColumns {
    pub(crate) plan: Plan,
    /// For each input, the columns that are read of it; all where there is nothing.
    pub(crate) channels: Vec<Option<Vec<usize>>>,
    /// Where each column that was asked for stands among those of the plan.
    pub(crate) places: Vec<usize>,
}

impl Plan {
    /// A plan that computes no more than it must for these columns: terms that filter their input leave out channels that
    /// nothing is asked of, other terms are computed as a whole or not at all.
    pub(crate) fn of_columns(&self, columns: &[usize]) -> SomeColumns {
        let n_inputs = self.terms.iter().map(|(part, _)| part.last_input()).max().unwrap_or(0);
        let mut channels: Vec<Option<Vec<usize>>> = vec![Some(Vec::new()); n_inputs];
        let mut places = vec![0; columns.len()];
        let (mut terms, mut n_features) = (Vec::new(), 0);
        for (part, start) in &self.terms {
            let (functions, width) = (part.functions(), part.functions() * part.channels());
            let own = || {
                let within = |(_, column): &(usize, &usize)| (*start..start + width).contains(*column);
                columns
                    .iter()
                    .enumerate()
                    .filter(within)
                    .map(|(place, column)| (place, column - start))
            };
            if own().next().is_none() {
                continue;
            }
            let (narrowed, numbers) = match part.of_channels(own().map(|(_, column)| column / functions)) {
                Some((narrowed, kept)) => {
                    let number = |channel: usize| kept.partition_point(|&other| other < channel);
                    let numbers: Vec<usize> = own()
                        .map(|(_, column)| number(column / functions) * functions + column % functions)
                        .collect();
                    channels[narrowed.inputs.start] = Some(kept);
                    (Arc::new(Part::Atom(Box::new(narrowed))), numbers)
                }
                None => {
                    part.all_inputs(&mut channels);
                    (part.clone(), own().map(|(_, column)| column).collect())
                }
            };
            own()
                .zip(&numbers)
                .for_each(|((place, _), number)| places[place] = n_features + number);
            let width = narrowed.functions() * narrowed.channels();
            terms.push((narrowed, n_features));
            n_features += width;
        }
        SomeColumns {
            plan: Plan { n_features, terms },
            channels,
            places,
        }
    }
}

impl Part {
    /// One past the last input that it reads.
    fn last_input(&self) -> usize {
        match self {
            Part::Atom(atom) => atom.inputs.end,
            Part::Sum(left, right) | Part::Product(left, right) => left.last_input().max(right.last_input()),
        }
    }

    /// Asks for all columns of the inputs that it reads.
    fn all_inputs(&self, channels: &mut [Option<Vec<usize>>]) {
        match self {
            Part::Atom(atom) => channels[atom.inputs.clone()].fill(None),
            Part::Sum(left, right) | Part::Product(left, right) => {
                left.all_inputs(channels);
                right.all_inputs(channels);
            }
        }
    }

    /// The same filters over some of the channels, which rise, once each.
    fn of_channels(&self, wanted: impl Iterator<Item = usize>) -> Option<(Atom, Vec<usize>)> {
        let Part::Atom(atom) = self else { return None };
        let Work::Filter { kernel, lead } = &atom.work else { return None };
        let mut is_wanted = vec![false; atom.columns];
        wanted.for_each(|channel| is_wanted[channel] = true);
        let kept: Vec<usize> = (0..atom.columns).filter(|&channel| is_wanted[channel]).collect();
        let narrowed = Atom {
            inputs: atom.inputs.clone(),
            columns: kept.len(),
            functions: atom.functions,
            entries: atom.entries,
            work: Work::Filter {
                kernel: kernel.clone(),
                lead: *lead,
            },
            outside: None,
        };
        Some((narrowed, kept))
    }
}

#[cfg(test)]
mod tests {
    use nemos_core::{Cpu, Design, Matrix, Rows, Segments};

    use crate::{BSpline, Family, History, RaisedCosineLog, Window};

    #[test]
    fn some_columns_are_those_of_all() {
        let wave = |n: usize| (0..n).map(|at| ((at * 7) % 11) as f64 / 11.0).collect::<Vec<_>>();
        let counts = Matrix::<Cpu>::from_vec(wave(240), [60, 4]).unwrap();
        let counts = Design::from(counts).with_segments(Segments::from_lengths([25, 35])).unwrap();
        let (place, pair) = (Matrix::from_column(wave(60)), Matrix::from_vec(wave(120), [60, 2]).unwrap());
        let basis = RaisedCosineLog::new(3).convolved(Window::samples(8)).label("spikes")
            + BSpline::new(4) * BSpline::new(5).label("twice")
            + History::new(Window::samples(3));
        let design = basis.design::<Cpu>((&counts, &place, &place, &pair)).unwrap();
        assert_eq!(Rows::n_columns(&design), 12 + 20 + 6);
        for columns in [
            vec![4, 5, 11],
            vec![0, 37, 33],
            vec![20, 3],
            (32..38).rev().collect(),
            vec![7, 7],
            (0..38).collect(),
            vec![],
        ] {
            for rows in [0..60, 20..31, 59..60, 5..5] {
                let expected = design.chunk(rows.clone()).unwrap().select_columns(&columns).unwrap();
                let some = design.chunk_of(rows, &columns).unwrap();
                assert_eq!(some.dims(), expected.dims());
                let bits = |matrix: Matrix<Cpu>| matrix.to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>();
                assert_eq!(bits(some), bits(expected), "{columns:?}");
            }
        }
        assert!(design.chunk_of(0..1, &[38]).is_err());
    }
}
