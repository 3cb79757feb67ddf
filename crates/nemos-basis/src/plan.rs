//! Plans: a basis with everything worked out that its samples decide, ready to give any rows.

mod atom;
mod columns;
mod host;
mod tensor;

use std::ops::Range;
use std::sync::Arc;

use nemos_core::convolution::Kernel;

pub(crate) use host::{Data, View};

use self::atom::{Atom, Work};
use crate::Error;
use crate::basis::{Basis, Node};
use crate::layout::Layout;
use crate::source::Source;
use crate::spec::Mode;

/// A basis whose scales, kernels and columns are known.
pub(crate) struct Plan {
    n_features: usize,
    /// The terms of the sum, and the column where each begins.
    terms: Vec<(Arc<Part>, usize)>,
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

    /// Rows that are best computed together.
    fn chunk_rows(&self) -> usize {
        match self {
            Part::Atom(atom) => match &atom.work {
                Work::Filter { kernel, .. } => kernel.chunk_rows(),
                _ => 1,
            },
            Part::Sum(left, right) | Part::Product(left, right) => left.chunk_rows().max(right.chunk_rows()),
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
    /// Works out what the samples of `source` decide, for a basis of this layout.
    pub(crate) fn new(basis: &Basis, layout: &Layout, source: &dyn Source, mode: Mode) -> Result<Self, Error> {
        let labels = basis.labels()?;
        let mut builder = Builder {
            source,
            mode,
            labels: labels.iter(),
            next_input: 0,
        };
        let mut parts = Vec::new();
        builder.terms(basis, &mut parts)?;
        Ok(Plan {
            n_features: layout.n_features(),
            terms: parts.into_iter().map(Arc::new).zip(layout.starts()).collect(),
        })
    }

    /// A bank of filters over the columns of one input.
    pub(crate) fn of_filters(kernel: Kernel, lead: isize, columns: usize) -> Self {
        let atom = Atom {
            inputs: 0..1,
            columns,
            functions: kernel.n_functions(),
            entries: 1,
            work: Work::Filter {
                kernel: Arc::new(kernel),
                lead,
            },
            outside: None,
        };
        Plan {
            n_features: columns * atom.functions,
            terms: vec![(Arc::new(Part::Atom(Box::new(atom))), 0)],
        }
    }

    fn chunk_rows(&self) -> usize {
        self.terms.iter().map(|(part, _)| part.chunk_rows()).max().unwrap_or(1)
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
            Node::Functions(functions) => {
                let inputs = self.next_input..self.next_input + functions.spec().n_inputs();
                self.next_input = inputs.end;
                Part::Atom(Box::new(Atom::new(functions, inputs, &label, self.source, self.mode)?))
            }
            Node::Sum(left, right) => Part::Sum(Box::new(self.part(left)?), Box::new(self.part(right)?)),
            Node::Product(left, right) => Part::Product(Box::new(self.part(left)?), Box::new(self.part(right)?)),
            Node::Invalid(_) => return Err(Error::NoCopies),
        })
    }
}
