//! Labels: what the parts of a basis are called.

use crate::basis::{Basis, FAMILY_NAMES, Functions, Invalid, Node};
use crate::spec::n_values;
use crate::{Error, Window};

impl Basis {
    /// The labels of all parts, from the whole down to its families; the whole comes first.
    ///
    /// A family without a label has its name, with `_1`, `_2`, … from the second on; sums and products have `(left + right)`
    /// and `(left * right)`.
    ///
    /// # Errors
    /// [`Error::DuplicateLabel`] and [`Error::ReservedLabel`] if labels clash.
    pub fn labels(&self) -> Result<Vec<String>, Error> {
        Ok(Labels::new(self)?.all())
    }

    /// The part of this label.
    ///
    /// # Errors
    /// [`Error::UnknownLabel`] if there is none, and as [`Basis::labels`].
    pub fn part(&self, label: &str) -> Result<&Basis, Error> {
        let place = Labels::new(self)?.find(label)?;
        Ok(self.parts()[place])
    }

    /// The basis with the part of this label replaced; the new part keeps the label unless it has its own.
    ///
    /// # Errors
    /// As [`Basis::part`].
    pub fn replace(&self, label: &str, new: impl Into<Basis>) -> Result<Basis, Error> {
        let mut place = Labels::new(self)?.find(label)?;
        let mut basis = self.clone();
        let new = new.into();
        if let Some(part) = basis.nth_mut(&mut place) {
            *part = Basis {
                label: new.label.or_else(|| part.label.clone()),
                node: new.node,
            };
        }
        Ok(basis)
    }
}

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
            Node::Functions(functions) => {
                let family = functions.spec().name();
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
        Node::Functions(functions) => {
            functions.spec().validate()?;
            match functions.window() {
                Some(window) => validate_filter(functions, window, label),
                None => Ok(()),
            }
        }
        Node::Product(left, right) if share_what_cannot_be_multiplied(left, right) => Err(Error::FourierProduct { label: label.into() }),
        _ => Ok(()),
    }
}

/// Whether a family that does not multiply its own kind is in both.
fn share_what_cannot_be_multiplied(left: &Basis, right: &Basis) -> bool {
    let alone = left.families().filter(|functions| !functions.spec().multiplies_its_own());
    let mut names = alone.map(|functions| functions.spec().name());
    names.any(|name| right.families().any(|other| other.spec().name() == name))
}

fn validate_filter(functions: &Functions, window: Window, label: &str) -> Result<(), Error> {
    window.validate(label)?;
    let spec = functions.spec();
    spec.check_filter(window.n_samples())?;
    if spec.n_inputs() != 1 || n_values(spec) != 1 {
        return Err(Error::NotAFilter { what: spec.name() });
    }
    match spec.bounds() {
        Some(bounds) if bounds.is_given() => Err(Error::BoundsOfFilter { family: spec.name() }),
        _ => Ok(()),
    }
}
