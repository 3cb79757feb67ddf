//! A basis: a family, or an expression of bases.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use serde::{Deserialize, Serialize};

use crate::Window;
use crate::bounds::Bounds;
use crate::families::{
    BSpline, Category, Custom, CyclicBSpline, Fourier, History, Identity, MSpline, OrthogonalizedExponential, RaisedCosineLinear,
    RaisedCosineLog, Zero,
};
use crate::family_table::families;
use crate::saved::Saved;
use crate::spec::Spec;

families!(
    BSpline,
    CyclicBSpline,
    MSpline,
    RaisedCosineLinear,
    RaisedCosineLog,
    OrthogonalizedExponential,
    Fourier,
    Identity,
    History,
    Category,
    Zero,
    Custom,
);

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
#[doc(alias("AdditiveBasis", "MultiplicativeBasis"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Basis {
    pub(crate) label: Option<String>,
    pub(crate) node: Node,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub(crate) enum Node {
    Functions(Functions),
    Sum(Box<Basis>, Box<Basis>),
    Product(Box<Basis>, Box<Basis>),
    /// What operators that cannot fail were asked for, and is refused when the basis is used.
    Invalid(Invalid),
}

/// A family, and the window of the filters that its functions are made into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Functions {
    kind: Kind,
    window: Option<Window>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Invalid {
    NoCopies,
    FilteredProduct,
}

impl Functions {
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(crate) fn spec(&self) -> &dyn Spec {
        self.kind.spec()
    }

    pub(crate) fn bounds_mut(&mut self) -> Option<&mut Bounds> {
        self.kind.spec_mut().bounds_mut()
    }

    pub(crate) fn spec_mut(&mut self) -> &mut dyn Spec {
        self.kind.spec_mut()
    }

    pub(crate) fn window(&self) -> Option<Window> {
        self.spec().window().or(self.window)
    }

    fn convolve(&mut self, window: Window) {
        if !self.kind.spec_mut().set_window(window) {
            self.window = Some(window);
        }
    }
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

    /// Makes a bank of filters of the functions: each spans the window from its nearest sample (0) to its farthest (1). A number is
    /// as many samples back in time.
    ///
    /// In a sum every part becomes one.
    pub fn convolved(mut self, window: impl Into<Window>) -> Self {
        let window = window.into();
        self.node = match self.node {
            Node::Functions(mut functions) => {
                functions.convolve(window);
                Node::Functions(functions)
            }
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
            Node::Functions(functions) => functions.spec().n_inputs(),
            Node::Sum(left, right) | Node::Product(left, right) => left.n_inputs() + right.n_inputs(),
            Node::Invalid(_) => 0,
        }
    }

    /// Number of functions: summed over a sum, multiplied over a product.
    #[doc(alias = "n_basis_funcs")]
    pub fn n_functions(&self) -> usize {
        match &self.node {
            Node::Functions(functions) => functions.spec().n_functions(),
            Node::Sum(left, right) => left.n_functions() + right.n_functions(),
            Node::Product(left, right) => left.n_functions() * right.n_functions(),
            Node::Invalid(_) => 0,
        }
    }

    /// Whether the features of a row depend on this row of the inputs alone: nothing is convolved, and neither bounds nor
    /// functions come from all samples. Such features are the same whichever other rows are seen with a row.
    ///
    /// # Example
    /// ```
    /// use nemos_basis::{BSpline, Basis, Family, History, Window};
    /// assert!(Basis::from(BSpline::new(5).bounds(0.0, 1.0)).is_rowwise());
    /// assert!(!Basis::from(BSpline::new(5)).is_rowwise());
    /// assert!(!Basis::from(History::new(Window::samples(3))).is_rowwise());
    /// ```
    pub fn is_rowwise(&self) -> bool {
        self.families().all(|functions| {
            let spec = functions.spec();
            let learns = spec.scales() && spec.bounds().is_some_and(|bounds| !bounds.is_given());
            functions.window().is_none() && !learns && !spec.learns_values() && !spec.sees_all_samples()
        })
    }

    /// Whether functions come from all samples, and not only bounds: of other samples they are others.
    pub fn sees_all_samples(&self) -> bool {
        self.families()
            .any(|functions| functions.window().is_none() && functions.spec().sees_all_samples())
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

    /// All parts, each before its own parts.
    pub(crate) fn parts(&self) -> Vec<&Basis> {
        let mut parts = vec![self];
        if let Node::Sum(left, right) | Node::Product(left, right) = &self.node {
            parts.extend(left.parts());
            parts.extend(right.parts());
        }
        parts
    }

    pub(crate) fn nth_mut(&mut self, place: &mut usize) -> Option<&mut Basis> {
        if *place == 0 {
            return Some(self);
        }
        *place -= 1;
        match &mut self.node {
            Node::Sum(left, right) | Node::Product(left, right) => left.nth_mut(place).or_else(|| right.nth_mut(place)),
            _ => None,
        }
    }

    /// The families of all parts, in the order of their inputs.
    pub(crate) fn families(&self) -> impl Iterator<Item = &Functions> {
        self.parts().into_iter().filter_map(Basis::as_functions)
    }

    pub(crate) fn as_functions(&self) -> Option<&Functions> {
        match &self.node {
            Node::Functions(functions) => Some(functions),
            _ => None,
        }
    }
}
