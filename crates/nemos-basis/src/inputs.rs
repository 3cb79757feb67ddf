//! What a basis is given: one input, or several.

use nemos_core::{Backend, Design, Matrix, Samples};

/// One input (`&samples`) or several of one kind (`[&place, &counts]`, or a slice of references).
///
/// *Implementor must* return as many inputs on every call, and wrap a result as the kind that came in.
pub trait Inputs<B: Backend> {
    /// What a result of one row per sample becomes.
    type Output;

    /// The inputs, in order.
    fn designs(&self) -> Vec<&dyn Design<B>>;

    /// Wraps one row per sample.
    fn wrap(&self, values: Matrix<B>) -> Self::Output;
}

impl<B: Backend, S: Samples<B>> Inputs<B> for &S {
    type Output = S::Output;

    fn designs(&self) -> Vec<&dyn Design<B>> {
        vec![*self]
    }

    fn wrap(&self, values: Matrix<B>) -> S::Output {
        Samples::wrap(*self, values)
    }
}

impl<B: Backend, S: Samples<B>, const N: usize> Inputs<B> for [&S; N] {
    type Output = S::Output;

    fn designs(&self) -> Vec<&dyn Design<B>> {
        self.iter().map(|&input| input as &dyn Design<B>).collect()
    }

    fn wrap(&self, values: Matrix<B>) -> S::Output {
        self.as_slice().wrap(values)
    }
}

impl<B: Backend, S: Samples<B>> Inputs<B> for &[&S] {
    type Output = S::Output;

    fn designs(&self) -> Vec<&dyn Design<B>> {
        self.iter().map(|&input| input as &dyn Design<B>).collect()
    }

    fn wrap(&self, values: Matrix<B>) -> S::Output {
        let first = self
            .first()
            .expect("a basis takes at least one input, checked before it is computed");
        Samples::wrap(*first, values)
    }
}
