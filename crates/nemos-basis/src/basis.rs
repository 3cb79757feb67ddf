//! A basis: a family, or an expression of bases.

use crate::kind::Kind;
use crate::labels::Labels;
use crate::layout::Layout;
use crate::{Error, Window};

/// Functions that turn samples into features: a family, or sums and products of bases to any depth.
///
/// `a + b` sets the features of both side by side, `a * b` multiplies every feature of one with every feature of the other,
/// `n * a` and `a.pow(n)` repeat a basis, each copy with an input of its own. `.convolved(window)` makes a bank of filters of
/// the functions. Inputs are counted from left to right.
///
/// # Shapes
/// An input `[n_samples, n_columns]` gives `[n_samples, n_columns · n_functions]`, the function index fastest. In a product of
/// functions `i` and `j` of channel `c` the column is `(c · n_left + i) · n_right + j`.
///
/// # Errors
/// Options are checked once, when a basis is used: every method that returns a `Result` first returns the first option that is wrong.
///
/// # Example
/// ```
/// use nemos_basis::{BSpline, Basis, Family, RaisedCosineLog, Window};
/// use nemos_core::{Cpu, Matrix};
/// let basis: Basis = BSpline::new(5).label("place") + RaisedCosineLog::new(3).convolved(Window::samples(4)).label("spikes");
/// let place = Matrix::<Cpu>::from_column((0..20).map(f64::from).collect());
/// let counts = Matrix::<Cpu>::zeros([20, 2]);
/// assert_eq!(basis.compute_features([&place, &counts])?.dims(), [20, 5 + 2 * 3]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Basis {
    pub(crate) label: Option<String>,
    pub(crate) node: Node,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Functions {
        kind: Kind,
        window: Option<Window>,
    },
    Sum(Box<Basis>, Box<Basis>),
    Product(Box<Basis>, Box<Basis>),
    /// What operators that cannot fail were asked for, and `validate` refuses.
    Invalid(Invalid),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Invalid {
    NoCopies,
    FilteredProduct,
}

impl Basis {
    pub(crate) fn of(node: Node) -> Self {
        Basis { label: None, node }
    }

    /// Names this part, so that its features and coefficients can be found.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Makes a bank of filters of the functions: each spans the window from its nearest sample (0) to its farthest (1).
    ///
    /// In a sum every part becomes one.
    pub fn convolved(mut self, window: Window) -> Self {
        self.node = match self.node {
            Node::Functions { kind, .. } => Node::Functions {
                kind,
                window: Some(window),
            },
            Node::Sum(left, right) => Node::Sum(Box::new(left.convolved(window)), Box::new(right.convolved(window))),
            Node::Product(..) => Node::Invalid(Invalid::FilteredProduct),
            invalid => invalid,
        };
        self
    }

    /// The product of this many copies, each with an input of its own.
    pub fn pow(self, n_copies: usize) -> Self {
        self.repeated(n_copies, |left, right| Node::Product(Box::new(left), Box::new(right)))
    }

    pub(crate) fn repeated(self, n_copies: usize, join: impl Fn(Basis, Basis) -> Node) -> Self {
        if n_copies == 0 {
            return Basis::of(Node::Invalid(Invalid::NoCopies));
        }
        (1..n_copies).fold(self.clone(), |product, _| Basis::of(join(product, self.clone())))
    }

    /// How many inputs the basis takes.
    pub fn n_inputs(&self) -> usize {
        match &self.node {
            Node::Functions { kind, .. } => kind.spec().n_inputs(),
            Node::Sum(left, right) | Node::Product(left, right) => left.n_inputs() + right.n_inputs(),
            Node::Invalid(_) => 0,
        }
    }

    /// Number of functions: summed over a sum, multiplied over a product.
    pub fn n_functions(&self) -> usize {
        match &self.node {
            Node::Functions { kind, window } => match (kind, window) {
                (Kind::History(_), Some(window)) => window.n_samples(),
                _ => kind.spec().n_functions(),
            },
            Node::Sum(left, right) => left.n_functions() + right.n_functions(),
            Node::Product(left, right) => left.n_functions() * right.n_functions(),
            Node::Invalid(_) => 0,
        }
    }

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
        Layout::new(self, widths)
    }

    /// The terms of the sum, from left to right; a product is one term.
    pub fn components(&self) -> impl Iterator<Item = &Basis> {
        let mut components = Vec::new();
        self.collect_components(&mut components);
        components.into_iter()
    }

    fn collect_components<'a>(&'a self, components: &mut Vec<&'a Basis>) {
        match &self.node {
            Node::Sum(left, right) => {
                left.collect_components(components);
                right.collect_components(components);
            }
            _ => components.push(self),
        }
    }

    /// The labels of all parts, from the whole down to its families; the whole comes first.
    ///
    /// A family without a label has its name, with `_1`, `_2`, … from the second on; sums and products have `(left + right)`
    /// and `(left * right)`.
    ///
    /// # Errors
    /// [`Error::DuplicateLabel`] and [`Error::ReservedLabel`] if labels clash.
    pub fn labels(&self) -> Result<Vec<String>, Error> {
        Ok(Labels::new(self)?.all())
    }

    /// The part of this label.
    ///
    /// # Errors
    /// [`Error::UnknownLabel`] if there is none, and as [`Basis::labels`].
    pub fn part(&self, label: &str) -> Result<&Basis, Error> {
        let place = Labels::new(self)?.find(label)?;
        Ok(self.parts()[place])
    }

    /// The basis with the part of this label replaced; the new part keeps the label unless it has its own.
    ///
    /// # Errors
    /// As [`Basis::part`].
    pub fn replace(&self, label: &str, new: impl Into<Basis>) -> Result<Basis, Error> {
        let mut place = Labels::new(self)?.find(label)?;
        let mut basis = self.clone();
        let new = new.into();
        if let Some(part) = basis.nth_mut(&mut place) {
            *part = Basis {
                label: new.label.or_else(|| part.label.clone()),
                node: new.node,
            };
        }
        Ok(basis)
    }

    /// All parts, each before its own parts.
    pub(crate) fn parts(&self) -> Vec<&Basis> {
        let mut parts = vec![self];
        if let Node::Sum(left, right) | Node::Product(left, right) = &self.node {
            parts.extend(left.parts());
            parts.extend(right.parts());
        }
        parts
    }

    fn nth_mut(&mut self, place: &mut usize) -> Option<&mut Basis> {
        if *place == 0 {
            return Some(self);
        }
        *place -= 1;
        match &mut self.node {
            Node::Sum(left, right) | Node::Product(left, right) => left.nth_mut(place).or_else(|| right.nth_mut(place)),
            _ => None,
        }
    }

    /// Whether a Fourier basis is part of this one.
    pub(crate) fn has_fourier(&self) -> bool {
        let is_fourier = |part: &&Basis| {
            matches!(
                part.node,
                Node::Functions {
                    kind: Kind::Fourier(_),
                    ..
                }
            )
        };
        self.parts().iter().any(is_fourier)
    }
}
