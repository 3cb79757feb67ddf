//! What a row of the table of families (in `basis.rs`) stands for: a case of the type that holds any of them, and operators.

macro_rules! families {
    ($($family:ident),* $(,)?) => {
        /// Any family.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub(crate) enum Kind { $($family($family)),* }

        /// Names that no part of another family may be labelled with.
        pub(crate) const FAMILY_NAMES: &[&str] = &[$(stringify!($family)),*];

        impl Kind {
            pub(crate) fn spec(&self) -> &dyn Spec {
                match self { $(Kind::$family(family) => family),* }
            }

            fn spec_mut(&mut self) -> &mut dyn Spec {
                match self { $(Kind::$family(family) => family),* }
            }

            /// See [`Spec::tensor`], which a `dyn Spec` does not have.
            pub(crate) fn tensor<T: BurnBackend>(&self, samples: Tensor<T, 2>) -> Option<Tensor<T, 2>> {
                match self { $(Kind::$family(family) => family.tensor(samples)),* }
            }
        }

        $(
            impl From<$family> for Basis {
                fn from(family: $family) -> Basis { Basis::of(Node::Functions(Functions { kind: Kind::$family(family), window: None })) }
            }
            impl<R: Into<Basis>> std::ops::Add<R> for $family {
                type Output = Basis;
                fn add(self, right: R) -> Basis { Basis::from(self) + right }
            }
            impl<R: Into<Basis>> std::ops::Mul<R> for $family {
                type Output = Basis;
                fn mul(self, right: R) -> Basis { Basis::from(self) * right }
            }
            impl std::ops::Mul<$family> for usize {
                type Output = Basis;
                fn mul(self, family: $family) -> Basis { self * Basis::from(family) }
            }
        )*
    };
}

pub(crate) use families;
