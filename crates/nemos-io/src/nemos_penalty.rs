//! Penalties in NeMoS's files.

use ndarray::{ArrayD, Axis, Ix3, s};
use nemos_glm::{Groups, Regularizer, Strength};

use crate::names::{self, Penalty};
use crate::nemos_file::{number, one_text, part};
use crate::npz_writer::NpzWriter;
use crate::{Error, NpzFile, SavedModel};

const PENALTY: &str = "dict::strkey:regularizer::item::strkey:class";
const GROUPS: &str = "dict::strkey:regularizer::dict::strkey:params::item::strkey:mask";
const STRENGTH: &str = "item::strkey:regularizer_strength";
/// Strength and share of the lasso of an elastic net.
const PAIR: [&str; 2] = [
    "tuple::strkey:regularizer_strength::item::0",
    "tuple::strkey:regularizer_strength::item::1",
];

/// The penalty of a model with this many features and neurons.
pub(crate) fn read_penalty(file: &NpzFile, n_features: usize, n_neurons: usize) -> Result<Regularizer, Error> {
    let penalty = names::penalty(&one_text(file, PENALTY)?).ok_or(part("penalty", "one that is built in"))?;
    Ok(match penalty {
        Penalty::Unregularized => Regularizer::Unregularized,
        Penalty::Ridge => Regularizer::Ridge(strength(file, STRENGTH)?),
        Penalty::Lasso => Regularizer::Lasso(strength(file, STRENGTH)?),
        Penalty::ElasticNet => Regularizer::ElasticNet {
            strength: strength(file, PAIR[0])?,
            lasso_share: number(file, PAIR[1])?,
        },
        Penalty::GroupLasso => Regularizer::GroupLasso {
            strength: match file.array(STRENGTH)? {
                values if values.ndim() == 0 => shared(&values),
                values => Strength::PerGroup(values.into_iter().collect()),
            },
            groups: groups(file, n_features, n_neurons)?,
        },
    })
}

fn strength(file: &NpzFile, name: &str) -> Result<Strength, Error> {
    let values = file.array(name)?;
    match values.ndim() {
        0 => Ok(shared(&values)),
        1 => Ok(Strength::PerFeature(values.into_iter().collect())),
        _ => {
            let n_features = values.shape()[0];
            let n_columns = values.len() / n_features.max(1);
            let matrix = values.into_shape_with_order((n_features, n_columns));
            let matrix = matrix.map_err(|_| part("strength", "an array like the coefficients"))?;
            Ok(Strength::PerCoefficient(matrix))
        }
    }
}

/// A number alone; None, which is NaN, stands for one.
fn shared(values: &ArrayD<f64>) -> Strength {
    let value = values.first().copied().unwrap_or(f64::NAN);
    Strength::Shared(if value.is_nan() { 1.0 } else { value })
}

/// What is said where the groups of a group lasso are there, but pickled.
pub(crate) fn pickled_groups(file: &NpzFile) -> Option<&'static str> {
    let pickled = file.has(GROUPS) && !file.names().iter().any(|name| name == GROUPS);
    pickled.then_some("the groups of the group lasso are pickled and were not read; give them again before another fit")
}

fn groups(file: &NpzFile, n_features: usize, n_neurons: usize) -> Result<Groups, Error> {
    if !file.names().iter().any(|name| name == GROUPS) {
        return Ok(Groups::All);
    }
    let mask = file.array(GROUPS)?;
    if mask.ndim() == 0 {
        return Ok(Groups::All);
    }
    let refused = part("groups", "an array [n_groups, n_features, …] of groups that every neuron has");
    let n_groups = mask.shape()[0];
    let columns = mask.len() / (n_groups * n_features).max(1);
    let mask = mask.into_shape_with_order((n_groups, n_features, columns));
    let mask = mask
        .ok()
        .and_then(|mask| mask.into_dimensionality::<Ix3>().ok())
        .ok_or(refused.clone())?;
    let width = columns / n_neurons.max(1);
    let mut by_neuron = vec![Vec::new(); n_neurons];
    for group in mask.axis_iter(Axis(0)) {
        for (neuron, groups) in by_neuron.iter_mut().enumerate() {
            let classes = group.slice(s![.., neuron * width..(neuron + 1) * width]);
            let flags: Vec<usize> = classes
                .rows()
                .into_iter()
                .map(|row| row.iter().filter(|flag| **flag != 0.0).count())
                .collect();
            // A group of ours spans all classes.
            if flags.iter().any(|&flags| flags != 0 && flags != width) {
                return Err(refused);
            }
            let members: Vec<usize> = (0..n_features).filter(|&feature| flags[feature] > 0).collect();
            if !members.is_empty() {
                groups.push(members);
            }
        }
    }
    let first = by_neuron.first().cloned().unwrap_or_default();
    if by_neuron.iter().any(|groups| *groups != first) {
        return Err(refused);
    }
    Ok(Groups::Features(first))
}

/// Writes the penalty, which names no blocks, of a model whose coefficients have this shape: features, neurons if several,
/// classes if any.
pub(crate) fn write_penalty(file: &mut NpzWriter, saved: &SavedModel, regularizer: &Regularizer, shape: &[usize]) -> Result<(), Error> {
    let newer = Error::NotInNemos { what: "such penalty" };
    file.texts(PENALTY, &[], &[&names::penalty_name(regularizer).ok_or(newer.clone())?]);
    match regularizer {
        Regularizer::Unregularized => file.floats(STRENGTH, &[], [f64::NAN]),
        Regularizer::Ridge(strength) | Regularizer::Lasso(strength) => write_strength(file, STRENGTH, strength, saved, shape)?,
        Regularizer::ElasticNet { strength, lasso_share } => {
            write_strength(file, PAIR[0], strength, saved, shape)?;
            match strength {
                Strength::Shared(_) => file.floats(PAIR[1], &[], [*lasso_share]),
                // NeMoS wants a share beside each strength.
                _ => file.floats(PAIR[1], shape, std::iter::repeat_n(*lasso_share, shape.iter().product())),
            }
        }
        Regularizer::GroupLasso { strength, groups } => {
            match strength {
                Strength::PerNeuron(_) => return Err(OF_GROUPS),
                _ => write_strength(file, STRENGTH, strength, saved, shape)?,
            }
            write_groups(file, groups, saved, shape)?;
        }
        _ => return Err(newer),
    }
    Ok(())
}

const OF_GROUPS: Error = Error::NotInNemos {
    what: "strength for each neuron, or each group of a population, of a group lasso",
};

fn write_strength(file: &mut NpzWriter, name: &str, strength: &Strength, saved: &SavedModel, shape: &[usize]) -> Result<(), Error> {
    let (n_columns, n_classes) = (saved.coef.ncols(), saved.header.kind.n_classes());
    match strength {
        Strength::Shared(value) => file.floats(name, &[], [*value]),
        Strength::PerFeature(values) => {
            let rows = values.iter().flat_map(|&value| std::iter::repeat_n(value, n_columns));
            file.floats(name, shape, rows);
        }
        Strength::PerNeuron(values) => {
            let row: Vec<f64> = (0..n_columns).map(|column| values[column / n_classes]).collect();
            file.floats(name, shape, std::iter::repeat_n(row, saved.n_features()).flatten());
        }
        Strength::PerCoefficient(values) => file.floats(name, shape, values.iter().copied()),
        Strength::PerGroup(values) if saved.n_neurons() == 1 => file.floats(name, &[values.len()], values.iter().copied()),
        _ => return Err(OF_GROUPS),
    }
    Ok(())
}

fn write_groups(file: &mut NpzWriter, groups: &Groups, saved: &SavedModel, shape: &[usize]) -> Result<(), Error> {
    let n_features = saved.n_features();
    let members: Vec<Vec<usize>> = match groups {
        Groups::All => vec![(0..n_features).collect()],
        Groups::Features(members) => members.clone(),
        _ => {
            return Err(Error::NotInNemos { what: "such groups" });
        }
    };
    // There a group may span neurons, so that each neuron needs groups of its own.
    let (n_neurons, n_classes) = (saved.n_neurons(), saved.header.kind.n_classes());
    let n_groups = members.len() * n_neurons;
    let mut mask = vec![0.0; n_groups * n_features * n_neurons * n_classes];
    for (group, members) in members.iter().enumerate() {
        for neuron in 0..n_neurons {
            for &feature in members {
                let start = (((group * n_neurons + neuron) * n_features + feature) * n_neurons + neuron) * n_classes;
                mask[start..start + n_classes].fill(1.0);
            }
        }
    }
    file.floats(GROUPS, &[&[n_groups], shape].concat(), mask);
    Ok(())
}
