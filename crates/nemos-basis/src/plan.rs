//! Plans: a basis with everything worked out that its samples decide, ready to give any rows.

mod atom;
mod host;
mod prepare;
mod tensor;

use std::ops::Range;

pub(crate) use atom::{Atom, Work};
pub(crate) use host::{Data, View};
pub(crate) use prepare::{Mode, Source, Visitor, ranges};

use crate::Error;
use crate::basis::{Basis, Node};
use crate::convolve::LONG_WINDOW;
use crate::labels::Labels;
use crate::layout::Layout;

/// A basis whose scales, kernels and columns are known.
pub(crate) struct Plan {
    layout: Layout,
    /// The terms of the sum, and the column where each begins.
    terms: Vec<(Part, usize)>,
}

/// A term, or what it is made of.
pub(crate) enum Part {
    Atom(Box<Atom>),
    /// Functions side by side within every channel: a sum inside a product.
    Sum(Box<Part>, Box<Part>),
    Product(Box<Part>, Box<Part>),
}

impl Part {
    pub(crate) fn channels(&self) -> usize {
        match self {
            Part::Atom(atom) => atom.channels(),
            Part::Sum(left, _) | Part::Product(left, _) => left.channels(),
        }
    }

    pub(crate) fn functions(&self) -> usize {
        match self {
            Part::Atom(atom) => atom.functions,
            Part::Sum(left, right) => left.functions() + right.functions(),
            Part::Product(left, right) => left.functions() * right.functions(),
        }
    }

    fn longest_window(&self) -> usize {
        match self {
            Part::Atom(atom) => match &atom.work {
                Work::Filter { kernel, .. } => kernel.window(),
                _ => 0,
            },
            Part::Sum(left, right) | Part::Product(left, right) => left.longest_window().max(right.longest_window()),
        }
    }

    /// How many samples before and after a row it needs of each input, as the largest over its atoms.
    fn extend_halo(&self, halo: &mut [(usize, usize)]) {
        match self {
            Part::Atom(atom) => {
                let (before, after) = atom.halo();
                for (most_before, most_after) in &mut halo[atom.inputs.clone()] {
                    (*most_before, *most_after) = (before.max(*most_before), after.max(*most_after));
                }
            }
            Part::Sum(left, right) | Part::Product(left, right) => {
                left.extend_halo(halo);
                right.extend_halo(halo);
            }
        }
    }
}

impl Plan {
    /// Works out what the samples of `source` decide.
    pub(crate) fn new(basis: &Basis, source: &dyn Source, mode: Mode) -> Result<Self, Error> {
        let layout = basis.layout(&source.widths())?;
        let labels = Labels::new(basis)?.all();
        let mut builder = Builder {
            source,
            mode,
            labels: labels.iter(),
            next_input: 0,
        };
        let mut parts = Vec::new();
        builder.terms(basis, &mut parts)?;
        let starts = layout.terms().map(|(columns, _)| columns.start).collect::<Vec<_>>();
        Ok(Plan {
            layout,
            terms: parts.into_iter().zip(starts).collect(),
        })
    }

    /// Samples in the longest of the long filters, or zero.
    fn longest_window(&self) -> usize {
        let windows = self.terms.iter().map(|(part, _)| part.longest_window());
        windows.max().filter(|&window| window >= LONG_WINDOW).unwrap_or(0)
    }

    /// A plan of one unnamed part.
    pub(crate) fn of_part(part: Part) -> Self {
        Plan {
            layout: Layout::unnamed(part.channels(), part.functions()),
            terms: vec![(part, 0)],
        }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The rows of each input that these rows are computed from.
    pub(crate) fn needed(&self, rows: &Range<usize>, n_samples: usize, n_inputs: usize) -> Vec<Range<usize>> {
        let mut halo = vec![(0, 0); n_inputs];
        for (part, _) in &self.terms {
            part.extend_halo(&mut halo);
        }
        halo.into_iter()
            .map(|(before, after)| rows.start.saturating_sub(before)..rows.end.saturating_add(after).min(n_samples))
            .collect()
    }
}

/// Walks a basis in the order of its inputs.
struct Builder<'a> {
    source: &'a dyn Source,
    mode: Mode,
    labels: std::slice::Iter<'a, String>,
    next_input: usize,
}

impl Builder<'_> {
    fn terms(&mut self, basis: &Basis, parts: &mut Vec<Part>) -> Result<(), Error> {
        if let Node::Sum(left, right) = &basis.node {
            self.labels.next();
            self.terms(left, parts)?;
            return self.terms(right, parts);
        }
        parts.push(self.part(basis)?);
        Ok(())
    }

    fn part(&mut self, basis: &Basis) -> Result<Part, Error> {
        let label = self.labels.next().cloned().unwrap_or_default();
        Ok(match &basis.node {
            Node::Functions { kind, window } => {
                let inputs = self.next_input..self.next_input + kind.spec().n_inputs();
                self.next_input = inputs.end;
                let window = window.filter(|_| self.mode == Mode::Features);
                Part::Atom(Box::new(prepare::atom(kind, window, inputs, &label, (self.source, self.mode))?))
            }
            Node::Sum(left, right) => Part::Sum(Box::new(self.part(left)?), Box::new(self.part(right)?)),
            Node::Product(left, right) => Part::Product(Box::new(self.part(left)?), Box::new(self.part(right)?)),
            Node::Invalid(_) => return Err(Error::NoCopies),
        })
    }
}
