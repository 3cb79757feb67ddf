//! Sums, products and repetitions of bases.

use std::ops::{Add, Mul};

use crate::basis::{Basis, Node};
use crate::family::Family;
use crate::kind::Kind;
use crate::{
    BSpline, Category, Custom, CyclicBSpline, Fourier, History, Identity, MSpline, OrthogonalizedExponential, RaisedCosineLinear,
    RaisedCosineLog, Zero,
};

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

macro_rules! operators {
    ($($family:ident: $window:expr),*) => {$(
        impl From<$family> for Basis {
            fn from(family: $family) -> Basis {
                let window = $window(&family);
                Basis::of(Node::Functions { kind: Kind::$family(family), window })
            }
        }
        impl Family for $family {}
        impl<R: Into<Basis>> Add<R> for $family {
            type Output = Basis;
            fn add(self, right: R) -> Basis { Basis::from(self) + right }
        }
        impl<R: Into<Basis>> Mul<R> for $family {
            type Output = Basis;
            fn mul(self, right: R) -> Basis { Basis::from(self) * right }
        }
        impl Mul<$family> for usize {
            type Output = Basis;
            fn mul(self, family: $family) -> Basis { self * Basis::from(family) }
        }
    )*};
}

operators!(
    BSpline: |_: &_| None,
    CyclicBSpline: |_: &_| None,
    MSpline: |_: &_| None,
    RaisedCosineLinear: |_: &_| None,
    RaisedCosineLog: |_: &_| None,
    OrthogonalizedExponential: |_: &_| None,
    Fourier: |_: &_| None,
    Identity: |_: &_| None,
    History: |history: &History| Some(history.window()),
    Category: |_: &_| None,
    Zero: |_: &_| None,
    Custom: |_: &_| None
);
