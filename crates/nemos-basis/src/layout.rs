//! Layouts: which columns of the features belong to which part.

use std::ops::Range;

use ndarray::{ArrayD, ArrayView, Axis, Dimension, IxDyn};
use nemos_core::{Backend, Matrix, Names};

use crate::Error;
use crate::basis::{Basis, Node};
use crate::labels::Labels;
use crate::source::Columns;
use crate::spec::{Spec, n_values};

/// Which columns of the features belong to which part, for inputs of known width.
///
/// # Example
/// ```
/// use nemos_basis::{BSpline, Family, History, Window};
/// let basis = BSpline::new(5).label("place") + History::new(Window::samples(2)).label("spikes");
/// let layout = basis.layout(&[1, 3])?;                                  // one column of places, three of counts
/// assert_eq!(layout.columns("spikes")?, 5..11);
/// assert_eq!(layout.names().columns()[6], "spikes[0][1]");              // channel 0, function 1
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
    channels: Channels,
    /// Axes that replace the one that is split: output shape, channels unless there is one, functions.
    shape: Vec<usize>,
    functions: Vec<String>,
}

/// What the functions of a part are computed for: the columns of its input, one after the other.
type Channels = Columns;

impl Channels {
    /// The channels of two inputs that are seen together, one of each at a time.
    fn joined(self, sign: &str, other: &Channels) -> Channels {
        let names = match (self.names.as_slice(), other.names.as_slice()) {
            ([], names) | (names, []) => names.to_vec(),
            (left, right) if left == right => self.names,
            (left, right) => left.iter().zip(right).map(|(left, right)| format!("{left}{sign}{right}")).collect(),
        };
        Channels { names, ..self }
    }

    /// The channels of an array-valued function: its entries, each for all columns.
    fn of_entries(self, n_entries: usize) -> Channels {
        if n_entries == 1 {
            return self;
        }
        let names = (0..n_entries).flat_map(|entry| self.names.iter().map(move |name| format!("{name},{entry}")));
        Channels {
            n: self.n * n_entries,
            names: names.collect(),
        }
    }

    /// Names, or numbers where there are none.
    fn labels(&self) -> Vec<String> {
        if self.names.is_empty() {
            (0..self.n).map(|channel| channel.to_string()).collect()
        } else {
            self.names.clone()
        }
    }
}

/// The functions of a part, by name, and the channels that they are computed for.
struct Shape {
    channels: Channels,
    entries: Vec<usize>,
    functions: Vec<String>,
}

impl Basis {
    /// Number of features for inputs of these numbers of columns.
    ///
    /// # Errors
    /// As [`Basis::layout`].
    pub fn n_output_features(&self, widths: &[usize]) -> Result<usize, Error> {
        Ok(self.layout(widths)?.n_features())
    }

    /// Which features belong to which part, for inputs of these numbers of columns.
    ///
    /// # Errors
    /// [`Error::Inputs`] unless there is one number for each input, [`Error::ProductChannels`] if those of a product differ, and
    /// whatever is wrong with the basis itself.
    pub fn layout(&self, widths: &[usize]) -> Result<Layout, Error> {
        let inputs: Vec<Columns> = widths.iter().map(|&n| Columns::unnamed(n)).collect();
        Layout::new(self, &inputs)
    }
}

impl Layout {
    pub(crate) fn new(basis: &Basis, inputs: &[Columns]) -> Result<Self, Error> {
        let labels = Labels::new(basis)?.all();
        if inputs.len() != basis.n_inputs() {
            let leaves = basis.parts().into_iter().zip(&labels);
            let leaves = leaves.filter(|(part, _)| part.as_functions().is_some());
            return Err(Error::Inputs {
                got: inputs.len(),
                expected: basis.n_inputs(),
                inputs: leaves.map(|(_, label)| label.clone()).collect(),
            });
        }
        let (mut labels, mut rest) = (labels.iter(), inputs);
        let mut parts = Vec::new();
        collect(basis, &mut labels, &mut rest, &mut parts)?;
        let mut end = 0;
        for part in &mut parts {
            let n_columns = part.channels.n * part.functions.len();
            part.columns = end..end + n_columns;
            end += n_columns;
        }
        Ok(Layout { parts })
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.parts.last().map_or(0, |part| part.columns.end)
    }

    /// The labels of the terms, from left to right.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.label.as_str())
    }

    /// Where each term begins.
    pub(crate) fn starts(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().map(|part| part.columns.start)
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

    /// A block for each term, with its channels, and a name for every column: `label[function]`, or `label[channel][function]`
    /// where an input has several columns.
    ///
    /// Channels have the names of the columns of their input, or their numbers. Where inputs of different names meet, in a product
    /// (`x*y`), in a sum inside one (`x+y`) or in a function of several inputs (`x,y`), they have both. An array-valued function
    /// has a channel for each entry and column: `x,0`.
    #[expect(
        clippy::missing_panics_doc,
        reason = "labels of terms differ, and channels are as wide as each other"
    )]
    pub fn names(&self) -> Names {
        let columns = self.parts.iter().flat_map(Part::column_names);
        self.parts.iter().fold(Names::new(columns), |names, part| {
            let channels = part.channels.labels();
            // One channel needs no name, unless its input has one.
            let anonymous = part.channels.names.is_empty() && part.channels.n == 1;
            let channels = channels.iter().map(String::as_str).filter(|_| !anonymous);
            let names = names.with_block(part.label.clone(), part.columns.len(), channels);
            names.expect("labels of terms differ, and channels are as wide as each other")
        })
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
    #[doc(alias = "split_by_feature")]
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

impl Part {
    fn column_names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.columns.len());
        for channel in self.channels.labels() {
            let channel = if self.channels.n == 1 {
                String::new()
            } else {
                format!("[{channel}]")
            };
            names.extend(self.functions.iter().map(|function| format!("{}{channel}{function}", self.label)));
        }
        names
    }
}

/// Appends one part for each term of the sum.
fn collect<'a>(
    basis: &Basis,
    labels: &mut impl Iterator<Item = &'a String>,
    inputs: &mut &[Columns],
    parts: &mut Vec<Part>,
) -> Result<(), Error> {
    if let Node::Sum(left, right) = &basis.node {
        labels.next();
        collect(left, labels, inputs, parts)?;
        return collect(right, labels, inputs, parts);
    }
    let (shape, label) = shape(basis, labels, inputs)?;
    let entries: usize = shape.entries.iter().product();
    let mut axes = shape.entries;
    if shape.channels.n > entries {
        axes.push(shape.channels.n / entries.max(1));
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
fn shape<'a>(basis: &Basis, labels: &mut impl Iterator<Item = &'a String>, inputs: &mut &[Columns]) -> Result<(Shape, String), Error> {
    let label = labels.next().cloned().unwrap_or_default();
    let (left, right) = match &basis.node {
        Node::Functions(functions) => return Ok((shape_of_family(functions.spec(), &label, inputs)?, label)),
        Node::Sum(left, right) | Node::Product(left, right) => (left, right),
        Node::Invalid(_) => return Err(Error::NoCopies),
    };
    let (left, left_label) = shape(left, labels, inputs)?;
    let (right, right_label) = shape(right, labels, inputs)?;
    if left.channels.n != right.channels.n {
        return Err(Error::ProductChannels {
            label,
            left: left.channels.n,
            right: right.channels.n,
        });
    }
    let (functions, sign) = match &basis.node {
        Node::Sum(..) => {
            let left = left.functions.iter().map(|function| format!("[{left_label}{function}]"));
            let right = right.functions.iter().map(|function| format!("[{right_label}{function}]"));
            (left.chain(right).collect(), "+")
        }
        _ => {
            let pairs = |first| right.functions.iter().map(move |second| format!("{first}{second}"));
            (left.functions.iter().flat_map(pairs).collect(), "*")
        }
    };
    let shape = Shape {
        channels: left.channels.joined(sign, &right.channels),
        entries: Vec::new(),
        functions,
    };
    Ok((shape, label))
}

fn shape_of_family(spec: &dyn Spec, label: &str, inputs: &mut &[Columns]) -> Result<Shape, Error> {
    let (own, rest) = inputs.split_at(spec.n_inputs());
    *inputs = rest;
    if own.iter().any(|input| input.n != own[0].n) {
        return Err(Error::InputWidths {
            label: label.into(),
            widths: own.iter().map(|input| input.n).collect(),
        });
    }
    let channels = own[1..].iter().fold(own[0].clone(), |joined, input| joined.joined(",", input));
    Ok(Shape {
        channels: channels.of_entries(n_values(spec)),
        entries: spec.output_shape().to_vec(),
        functions: spec.function_names().into_iter().map(|name| format!("[{name}]")).collect(),
    })
}
