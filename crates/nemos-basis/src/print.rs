//! Bases in words.

use std::fmt;

use crate::Basis;
use crate::basis::{Functions, Node};

impl fmt::Display for Basis {
    /// The expression that the basis is: `place: BSpline (10) + spikes: RaisedCosineLog (5, window of 100 samples)`.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.label.as_deref().map_or(String::new(), |label| format!("{label}: "));
        match &self.node {
            Node::Functions(functions) => write!(to, "{label}{functions}"),
            Node::Sum(left, right) if label.is_empty() => write!(to, "{left} + {right}"),
            Node::Sum(left, right) => write!(to, "{label}({left} + {right})"),
            Node::Product(left, right) => {
                write!(to, "{label}")?;
                factor(to, left)?;
                write!(to, " × ")?;
                factor(to, right)
            }
            Node::Invalid(_) => write!(to, "{label}invalid"),
        }
    }
}

/// Sums within products stand in parentheses.
fn factor(to: &mut fmt::Formatter<'_>, basis: &Basis) -> fmt::Result {
    match &basis.node {
        Node::Sum(..) => write!(to, "({basis})"),
        _ => write!(to, "{basis}"),
    }
}

impl fmt::Display for Functions {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, n_functions) = (self.spec().name(), self.spec().n_functions());
        match self.window() {
            Some(window) => write!(to, "{name} ({n_functions}, window of {} samples)", window.n_samples()),
            None => write!(to, "{name} ({n_functions})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{BSpline, Basis, CyclicBSpline, Family, RaisedCosineLog};

    #[test]
    fn a_basis_prints_as_its_expression() {
        let place = BSpline::new(10).label("place");
        let basis = place.clone() * CyclicBSpline::new(8) + RaisedCosineLog::new(5).convolved(100).label("spikes");
        assert_eq!(
            basis.to_string(),
            "place: BSpline (10) × CyclicBSpline (8) + spikes: RaisedCosineLog (5, window of 100 samples)"
        );
        let product = (place + BSpline::new(4)) * BSpline::new(5);
        assert_eq!(product.to_string(), "(place: BSpline (10) + BSpline (4)) × BSpline (5)");
        assert_eq!(Basis::from(BSpline::new(4)).to_string(), "BSpline (4)");
    }
}
