//! Sums that tell data from other data.

/// A number that differs, with all likelihood, where any of the words differ that it was taken of, or their order: Fowler, Noll and Vo's
/// hash, a word at a time. It is no proof against intent.
///
/// # Example
/// ```
/// use nemos_core::Digest;
/// let of = |numbers: &[f64]| {
///     let mut digest = Digest::new();
///     digest.numbers(numbers);
///     digest.word()
/// };
/// assert_eq!(of(&[1.0, 2.0]), of(&[1.0, 2.0]));
/// assert_ne!(of(&[1.0, 2.0]), of(&[2.0, 1.0]));
/// ```
#[derive(Copy, Clone, Debug)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

impl Digest {
    /// Of nothing.
    pub const fn new() -> Self {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    /// What it is of so far, as one word.
    pub const fn word(self) -> u64 {
        self.0
    }

    /// Takes a word.
    pub const fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    }

    /// Takes numbers, and how many there are.
    pub fn numbers(&mut self, numbers: &[f64]) {
        self.add(numbers.len() as u64);
        numbers.iter().for_each(|number| self.add(number.to_bits()));
    }

    /// Takes a text, and how long it is.
    pub const fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        self.add(bytes.len() as u64);
        // Iterators are not for constants yet.
        let mut place = 0;
        while place < bytes.len() {
            self.add(bytes[place] as u64);
            place += 1;
        }
    }

    /// The word of a text: what tells one step of a program from another where processes meet.
    pub const fn of_text(text: &str) -> u64 {
        let mut digest = Digest::new();
        digest.text(text);
        digest.word()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_sees_the_last_bit() {
        let of = |value: f64| {
            let mut digest = Digest::new();
            [value.to_bits(), 7].into_iter().for_each(|word| digest.add(word));
            digest.word()
        };
        assert_ne!(of(0.1), of(0.1 + 2e-17));
        assert_ne!(Digest::of_text("a step"), Digest::of_text("a stepp"));
    }
}
