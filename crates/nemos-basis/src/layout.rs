//! Layouts: which columns of the features belong to which part.

use std::ops::Range;

use ndarray::{ArrayD, ArrayView, Axis, Dimension, IxDyn};
use nemos_core::{Backend, Matrix};

use crate::Error;
use crate::basis::{Basis, Node};
use crate::kind::Kind;
use crate::labels::Labels;

/// Which columns of the features belong to which part, for inputs of known width.
///
/// # Example
/// ```
/// use nemos_basis::{BSpline, Family, History, Window};
/// let basis = BSpline::new(5).label("place") + History::new(Window::samples(2)).label("spikes");
/// let layout = basis.layout(&[1, 3])?;                                  // one column of places, three of counts
/// assert_eq!(layout.columns("spikes")?, 5..11);
/// assert_eq!(layout.names()[6], "spikes[0][1]");                        // channel 0, function 1
/// let parts = layout.split_by_axis(ndarray::Array2::zeros((11, 4)).view(), 0)?;    // coefficients of four neurons
/// assert_eq!(parts[1].1.shape(), [3, 2, 4]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    parts: Vec<Part>,
}

/// One term of the sum.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    label: String,
    columns: Range<usize>,
    channels: usize,
    /// Axes that replace the one that is split: output shape, channels unless there is one, functions.
    shape: Vec<usize>,
    functions: Vec<String>,
}

/// The functions of a part, by name, and the channels that they are computed for.
struct Shape {
    channels: usize,
    entries: Vec<usize>,
    functions: Vec<String>,
}

impl Layout {
    pub(crate) fn new(basis: &Basis, widths: &[usize]) -> Result<Self, Error> {
        let labels = Labels::new(basis)?.all();
        if widths.len() != basis.n_inputs() {
            let leaves = basis.parts().into_iter().zip(&labels);
            let leaves = leaves.filter(|(part, _)| matches!(part.node, Node::Functions { .. }));
            return Err(Error::Inputs {
                got: widths.len(),
                expected: basis.n_inputs(),
                inputs: leaves.map(|(_, label)| label.clone()).collect(),
            });
        }
        let (mut labels, mut widths) = (labels.iter(), widths);
        let mut parts = Vec::new();
        collect(basis, &mut labels, &mut widths, &mut parts)?;
        let mut end = 0;
        for part in &mut parts {
            let n_columns = part.channels * part.functions.len();
            part.columns = end..end + n_columns;
            end += n_columns;
        }
        Ok(Layout { parts })
    }

    /// One term without names.
    pub(crate) fn unnamed(channels: usize, functions: usize) -> Self {
        let part = Part {
            label: String::new(),
            columns: 0..channels * functions,
            channels,
            shape: vec![channels, functions],
            functions: vec![String::new(); functions],
        };
        Layout { parts: vec![part] }
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.parts.last().map_or(0, |part| part.columns.end)
    }

    /// The labels of the terms, from left to right.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.label.as_str())
    }

    /// The columns of each term, with the number of channels that they repeat for.
    pub(crate) fn terms(&self) -> impl Iterator<Item = (Range<usize>, usize)> {
        self.parts.iter().map(|part| (part.columns.clone(), part.channels))
    }

    /// The columns of the term of this label.
    ///
    /// # Errors
    /// [`Error::UnknownLabel`] if there is no such term.
    pub fn columns(&self, label: &str) -> Result<Range<usize>, Error> {
        let part = self.parts.iter().find(|part| part.label == label);
        part.map(|part| part.columns.clone()).ok_or_else(|| Error::UnknownLabel {
            label: label.into(),
            available: self.labels().map(String::from).collect(),
        })
    }

    /// A name for every column: `label[function]`, or `label[channel][function]` where an input has several columns.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.n_features());
        for part in &self.parts {
            for channel in 0..part.channels {
                let prefix = if part.channels == 1 {
                    String::new()
                } else {
                    format!("[{channel}]")
                };
                names.extend(part.functions.iter().map(|function| format!("{}{prefix}{function}", part.label)));
            }
        }
        names
    }

    /// The features of each term.
    ///
    /// # Errors
    /// [`Error::Features`] unless `features` has one column for each.
    pub fn split_by_feature<B: Backend>(&self, features: &Matrix<B>) -> Result<Vec<(String, Matrix<B>)>, Error> {
        self.check(features.dims()[1])?;
        let part = |part: &Part| {
            let columns: Vec<usize> = part.columns.clone().collect();
            let values = if columns.is_empty() {
                Matrix::zeros([features.dims()[0], 0])
            } else {
                features.select_columns(&columns)?
            };
            Ok((part.label.clone(), values))
        };
        self.parts.iter().map(part).collect()
    }

    /// The entries of each term along an axis that has one for each feature, such as the rows of coefficients
    /// `[n_features, n_neurons]`. The axis becomes `[n_functions]`, or `[n_channels, n_functions]` where an input has several
    /// columns; an array-valued function puts its own axes before these.
    ///
    /// # Errors
    /// [`Error::Axis`] if there is no such axis, [`Error::Features`] unless it has one entry for each feature.
    #[expect(clippy::missing_panics_doc, reason = "the shape of a part holds its columns")]
    pub fn split_by_axis<D: Dimension>(&self, array: ArrayView<'_, f64, D>, axis: usize) -> Result<Vec<(String, ArrayD<f64>)>, Error> {
        if axis >= array.ndim() {
            return Err(Error::Axis {
                axis,
                available: array.ndim(),
            });
        }
        self.check(array.shape()[axis])?;
        let split = |part: &Part| {
            let values = array.slice_axis(Axis(axis), part.columns.clone().into());
            let shape = [&array.shape()[..axis], &part.shape, &array.shape()[axis + 1..]].concat();
            let values = ArrayD::from_shape_vec(IxDyn(&shape), values.iter().copied().collect());
            (part.label.clone(), values.expect("the shape of a part holds its columns"))
        };
        Ok(self.parts.iter().map(split).collect())
    }

    fn check(&self, got: usize) -> Result<(), Error> {
        let expected = self.n_features();
        if got == expected {
            Ok(())
        } else {
            Err(Error::Features { got, expected })
        }
    }
}

/// Appends one part for each term of the sum.
fn collect<'a>(
    basis: &Basis,
    labels: &mut impl Iterator<Item = &'a String>,
    widths: &mut &[usize],
    parts: &mut Vec<Part>,
) -> Result<(), Error> {
    if let Node::Sum(left, right) = &basis.node {
        labels.next();
        collect(left, labels, widths, parts)?;
        return collect(right, labels, widths, parts);
    }
    let (shape, label) = shape(basis, labels, widths)?;
    let entries: usize = shape.entries.iter().product();
    let mut axes = shape.entries;
    if shape.channels > entries {
        axes.push(shape.channels / entries.max(1));
    }
    axes.push(shape.functions.len());
    parts.push(Part {
        label,
        columns: 0..0,
        channels: shape.channels,
        shape: axes,
        functions: shape.functions,
    });
    Ok(())
}

/// The shape of any part, with its label.
fn shape<'a>(basis: &Basis, labels: &mut impl Iterator<Item = &'a String>, widths: &mut &[usize]) -> Result<(Shape, String), Error> {
    let label = labels.next().cloned().unwrap_or_default();
    let (left, right) = match &basis.node {
        Node::Functions { kind, .. } => return Ok((shape_of_family(kind, basis.n_functions(), &label, widths)?, label)),
        Node::Sum(left, right) | Node::Product(left, right) => (left, right),
        Node::Invalid(_) => return Err(Error::NoCopies),
    };
    let (left, left_label) = shape(left, labels, widths)?;
    let (right, right_label) = shape(right, labels, widths)?;
    if left.channels != right.channels {
        return Err(Error::ProductChannels {
            label,
            left: left.channels,
            right: right.channels,
        });
    }
    let functions = match &basis.node {
        Node::Sum(..) => {
            let left = left.functions.iter().map(|function| format!("[{left_label}{function}]"));
            left.chain(right.functions.iter().map(|function| format!("[{right_label}{function}]")))
                .collect()
        }
        _ => left
            .functions
            .iter()
            .flat_map(|first| right.functions.iter().map(move |second| format!("{first}{second}")))
            .collect(),
    };
    let shape = Shape {
        channels: left.channels,
        entries: Vec::new(),
        functions,
    };
    Ok((shape, label))
}

fn shape_of_family(kind: &Kind, n_functions: usize, label: &str, widths: &mut &[usize]) -> Result<Shape, Error> {
    let (own, rest) = widths.split_at(kind.spec().n_inputs());
    *widths = rest;
    if own.iter().any(|width| *width != own[0]) {
        return Err(Error::InputWidths {
            label: label.into(),
            widths: own.to_vec(),
        });
    }
    let entries = match kind {
        Kind::Custom(custom) => custom.output_shape().to_vec(),
        _ => Vec::new(),
    };
    let functions = match kind {
        Kind::Category(category) => category.labels().iter().map(|name| format!("[{name}]")).collect(),
        _ => (0..n_functions).map(|function| format!("[{function}]")).collect(),
    };
    Ok(Shape {
        channels: own[0] * kind.n_values(),
        entries,
        functions,
    })
}
