//! What a basis is given: one input, or several.

use nemos_core::{Backend, Design, Matrix, Names, Samples};

/// One input (`&samples`), several of one kind (`[&place, &counts]`, or a slice of references), or several of different
/// kinds (`(&place, &counts)`); a result comes back in the kind of the first.
///
/// *Implementor must* return as many inputs on every call, and wrap a result as the kind that came in.
pub trait Inputs<'a, B: Backend> {
    /// What a result of one row per sample becomes.
    type Output;

    /// The inputs, in order.
    fn designs(&self) -> Vec<Design<'a, B>>;

    /// Wraps one row per sample, with the names of its columns.
    fn wrap(&self, values: Matrix<B>, names: Names) -> Self::Output;
}

impl<'a, B: Backend, S: Samples<B>> Inputs<'a, B> for &'a S {
    type Output = S::Output;

    fn designs(&self) -> Vec<Design<'a, B>> {
        vec![(*self).to_design()]
    }

    fn wrap(&self, values: Matrix<B>, names: Names) -> S::Output {
        Samples::wrap(*self, values, names)
    }
}

impl<'a, B: Backend, S: Samples<B>, const N: usize> Inputs<'a, B> for [&'a S; N] {
    type Output = S::Output;

    fn designs(&self) -> Vec<Design<'a, B>> {
        self.iter().map(|&input| input.to_design()).collect()
    }

    fn wrap(&self, values: Matrix<B>, names: Names) -> S::Output {
        self.as_slice().wrap(values, names)
    }
}

impl<'a, B: Backend, S: Samples<B>> Inputs<'a, B> for &[&'a S] {
    type Output = S::Output;

    fn designs(&self) -> Vec<Design<'a, B>> {
        self.iter().map(|&input| input.to_design()).collect()
    }

    fn wrap(&self, values: Matrix<B>, names: Names) -> S::Output {
        let first = self
            .first()
            .expect("a basis takes at least one input, checked before it is computed");
        Samples::wrap(*first, values, names)
    }
}

impl<'a, B: Backend, I: Inputs<'a, B>, J: Inputs<'a, B>> Inputs<'a, B> for (I, J) {
    type Output = I::Output;

    fn designs(&self) -> Vec<Design<'a, B>> {
        [self.0.designs(), self.1.designs()].concat()
    }

    fn wrap(&self, values: Matrix<B>, names: Names) -> I::Output {
        self.0.wrap(values, names)
    }
}

impl<'a, B: Backend, I: Inputs<'a, B>, J: Inputs<'a, B>, K: Inputs<'a, B>> Inputs<'a, B> for (I, J, K) {
    type Output = I::Output;

    fn designs(&self) -> Vec<Design<'a, B>> {
        [self.0.designs(), self.1.designs(), self.2.designs()].concat()
    }

    fn wrap(&self, values: Matrix<B>, names: Names) -> I::Output {
        self.0.wrap(values, names)
    }
}

impl<'a, B: Backend, I: Inputs<'a, B>, J: Inputs<'a, B>, K: Inputs<'a, B>, L: Inputs<'a, B>> Inputs<'a, B> for (I, J, K, L) {
    type Output = I::Output;

    fn designs(&self) -> Vec<Design<'a, B>> {
        [self.0.designs(), self.1.designs(), self.2.designs(), self.3.designs()].concat()
    }

    fn wrap(&self, values: Matrix<B>, names: Names) -> I::Output {
        self.0.wrap(values, names)
    }
}
