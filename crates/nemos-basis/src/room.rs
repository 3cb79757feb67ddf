//! How much memory features take, worked out before any is taken.

use nemos_core::check_memory;

use crate::basis::{Basis, Node};
use crate::source::Columns;
use crate::spec::n_values;
use crate::{Error, basis::Functions};

/// About what the name of a feature takes, in bytes.
const NAME: f64 = 64.0;

/// Features of a part of a basis, as numbers that do not overflow.
#[derive(Copy, Clone, Default)]
struct Size {
    functions: f64,
    channels: f64,
    /// Bytes of kernels.
    kernels: f64,
}

/// Refuses features that do not fit into memory: so many rows of them, of values of so many bytes, with their names and the
/// kernels of their filters.
pub(crate) fn check(basis: &Basis, inputs: &[Columns], n_rows: usize, value: usize) -> Result<(), Error> {
    let mut inputs = inputs.iter();
    let (mut features, mut kernels) = (0.0, 0.0);
    terms(basis, &mut inputs, &mut |term| {
        features += term.functions * term.channels;
        kernels += term.kernels;
    });
    let bytes = features * (n_rows as f64 * value as f64 + NAME) + kernels;
    Ok(check_memory("the features, with their filters and names,", bytes)?)
}

/// Calls `work` with the size of each term of a sum.
fn terms<'a>(basis: &Basis, inputs: &mut impl Iterator<Item = &'a Columns>, work: &mut impl FnMut(Size)) {
    if let Node::Sum(left, right) = &basis.node {
        terms(left, inputs, work);
        terms(right, inputs, work);
    } else {
        work(size(basis, inputs));
    }
}

fn size<'a>(basis: &Basis, inputs: &mut impl Iterator<Item = &'a Columns>) -> Size {
    match &basis.node {
        Node::Functions(functions) => of_functions(functions, inputs),
        Node::Sum(left, right) => combined(size(left, inputs), size(right, inputs), |left, right| left + right),
        Node::Product(left, right) => combined(size(left, inputs), size(right, inputs), |left, right| left * right),
        Node::Invalid(_) => Size::default(),
    }
}

fn of_functions<'a>(functions: &Functions, inputs: &mut impl Iterator<Item = &'a Columns>) -> Size {
    let spec = functions.spec();
    let columns = (0..spec.n_inputs())
        .filter_map(|_| inputs.next())
        .map(|columns| columns.n)
        .next()
        .unwrap_or(0);
    let n_functions = spec.n_functions() as f64;
    let window = functions.window().map_or(0, |window| window.n_samples());
    Size {
        functions: n_functions,
        channels: (columns * if window > 0 { 1 } else { n_values(spec) }) as f64,
        kernels: window as f64 * n_functions * size_of::<f64>() as f64,
    }
}

fn combined(left: Size, right: Size, functions: impl Fn(f64, f64) -> f64) -> Size {
    Size {
        functions: functions(left.functions, right.functions),
        channels: left.channels.max(right.channels),
        kernels: left.kernels + right.kernels,
    }
}

#[cfg(test)]
mod tests {
    use nemos_core::{Cpu, Matrix};

    use crate::{BSpline, Basis, Error, Family, History, Window};

    #[test]
    fn features_that_do_not_fit_into_memory_are_an_error_that_names_the_size() {
        let place = Matrix::<Cpu>::from_column((0..1000).map(f64::from).collect());
        let cube = BSpline::new(300).label("x") * BSpline::new(300).label("y") * BSpline::new(300).label("z");
        let error = cube.compute_features((&place, &place, &place)).unwrap_err();
        assert!(matches!(error, Error::Data(nemos_core::Error::Memory { .. })), "{error}");
        assert!(error.to_string().contains("217.7 GB"), "{error}");
        // The kernel alone, of a window as long as it has functions.
        let history = History::new(Window::samples(200_000));
        assert!(matches!(
            history.compute_features(&place),
            Err(Error::Data(nemos_core::Error::Memory { .. }))
        ));
        assert!(matches!(
            Basis::from(history).design(&place),
            Err(Error::Data(nemos_core::Error::Memory { .. }))
        ));
        assert!(BSpline::new(300).compute_features(&place).is_ok());
    }
}
