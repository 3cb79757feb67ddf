//! Sums, products and repetitions of bases.

use std::ops::{Add, Mul};

use crate::basis::{Basis, Node};

impl<R: Into<Basis>> Add<R> for Basis {
    type Output = Basis;

    fn add(self, right: R) -> Basis {
        Basis::of(Node::Sum(Box::new(self), Box::new(right.into())))
    }
}

impl<R: Into<Basis>> Mul<R> for Basis {
    type Output = Basis;

    fn mul(self, right: R) -> Basis {
        Basis::of(Node::Product(Box::new(self), Box::new(right.into())))
    }
}

impl Mul<Basis> for usize {
    type Output = Basis;

    fn mul(self, basis: Basis) -> Basis {
        basis.repeated(self, |left, right| Node::Sum(Box::new(left), Box::new(right)))
    }
}
