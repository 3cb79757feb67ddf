//! Labels: what the parts of a basis are called.

use crate::Error;
use crate::basis::{Basis, Invalid, Node};
use crate::kind::{FAMILY_NAMES, Kind};

/// The labels of all parts of a valid basis, each part before its own parts.
pub(crate) struct Labels(Vec<String>);

impl Labels {
    /// Checks the whole basis: here is the one door for its options.
    pub(crate) fn new(basis: &Basis) -> Result<Self, Error> {
        let mut labels = Labels(Vec::new());
        labels.collect(basis, &mut Vec::new())?;
        for (index, label) in labels.0.iter().enumerate() {
            if labels.0[..index].contains(label) {
                return Err(Error::DuplicateLabel { label: label.clone() });
            }
        }
        for (part, label) in basis.parts().into_iter().zip(&labels.0) {
            validate(part, label)?;
        }
        Ok(labels)
    }

    /// Appends the labels of a part and returns where its own stands; `families` are the unlabelled ones met so far.
    fn collect(&mut self, part: &Basis, families: &mut Vec<&'static str>) -> Result<usize, Error> {
        let place = self.0.len();
        self.0.push(String::new());
        let made_up = match &part.node {
            Node::Functions { kind, .. } => {
                let family = kind.spec().name();
                if let Some(label) = &part.label {
                    check_reserved(label, family)?;
                }
                let before = families.iter().filter(|&&other| other == family).count();
                families.push(family);
                if before == 0 {
                    family.to_string()
                } else {
                    format!("{family}_{before}")
                }
            }
            Node::Sum(left, right) => self.join(left, "+", right, families)?,
            Node::Product(left, right) => self.join(left, "*", right, families)?,
            Node::Invalid(Invalid::NoCopies) => return Err(Error::NoCopies),
            Node::Invalid(Invalid::FilteredProduct) => return Err(Error::NotAFilter { what: "a product" }),
        };
        self.0[place] = part.label.clone().unwrap_or(made_up);
        Ok(place)
    }

    fn join(&mut self, left: &Basis, sign: &str, right: &Basis, families: &mut Vec<&'static str>) -> Result<String, Error> {
        let left = self.collect(left, families)?;
        let right = self.collect(right, families)?;
        Ok(format!("({} {sign} {})", self.0[left], self.0[right]))
    }

    pub(crate) fn find(&self, label: &str) -> Result<usize, Error> {
        self.0.iter().position(|known| known == label).ok_or_else(|| Error::UnknownLabel {
            label: label.into(),
            available: self.0.clone(),
        })
    }

    pub(crate) fn all(self) -> Vec<String> {
        self.0
    }
}

/// A label may be the name of the part's own family, but of no other, with or without a number.
fn check_reserved(label: &str, family: &'static str) -> Result<(), Error> {
    let stem = match label.rsplit_once('_') {
        Some((stem, digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => stem,
        _ => label,
    };
    if stem != family && FAMILY_NAMES.contains(&stem) {
        return Err(Error::ReservedLabel {
            label: label.into(),
            family,
        });
    }
    Ok(())
}

fn validate(part: &Basis, label: &str) -> Result<(), Error> {
    match &part.node {
        Node::Functions { kind, window } => {
            kind.spec().validate()?;
            match window {
                Some(window) => validate_filter(kind, window, label),
                None => Ok(()),
            }
        }
        Node::Product(left, right) if left.has_fourier() && right.has_fourier() => Err(Error::FourierProduct { label: label.into() }),
        _ => Ok(()),
    }
}

fn validate_filter(kind: &Kind, window: &crate::Window, label: &str) -> Result<(), Error> {
    window.validate(label)?;
    let spec = kind.spec();
    let refused = match kind {
        Kind::Identity(_) | Kind::Category(_) | Kind::Zero(_) => true,
        _ => spec.n_inputs() != 1 || kind.n_values() != 1,
    };
    if refused {
        return Err(Error::NotAFilter { what: spec.name() });
    }
    if spec.bounds().is_some_and(|bounds| bounds.is_given()) {
        return Err(Error::BoundsOfFilter { family: spec.name() });
    }
    match kind {
        Kind::OrthogonalizedExponential(_) if window.n_samples() < spec.n_functions() => Err(Error::WindowTooShort {
            window: window.n_samples(),
            least: spec.n_functions(),
        }),
        _ => Ok(()),
    }
}
