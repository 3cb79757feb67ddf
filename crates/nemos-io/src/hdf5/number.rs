//! Numbers of an HDF5 file, of any type, as `f64`.

use hdf5_reader::messages::datatype::Datatype;
use hdf5_reader::{ByteOrder, H5Type};

use crate::arrays::{floats, half, integers};

/// A number of any type that a file may hold.
#[derive(Copy, Clone)]
pub(super) struct Number(pub(super) f64);

impl H5Type for Number {
    fn hdf5_type() -> Datatype {
        f64::hdf5_type()
    }

    fn element_size(dtype: &Datatype) -> usize {
        match dtype {
            Datatype::FixedPoint { size, .. } | Datatype::FloatingPoint { size, .. } => usize::from(*size),
            Datatype::Enum { base, .. } => Self::element_size(base),
            _ => 0,
        }
    }

    fn decode_vec(raw: &[u8], dtype: &Datatype, count: usize) -> Option<hdf5_reader::error::Result<Vec<Self>>> {
        let raw = raw.get(..count.checked_mul(Self::element_size(dtype))?)?;
        let is_big = |order: &ByteOrder| *order == ByteOrder::BigEndian;
        let values = match dtype {
            Datatype::FixedPoint { size, signed, byte_order } => integers(raw, (usize::from(*size), *signed), is_big(byte_order)),
            Datatype::FloatingPoint { size, byte_order } => floats(raw, usize::from(*size), is_big(byte_order)),
            _ => None,
        };
        Some(Ok(values?.into_iter().map(Number).collect()))
    }

    fn from_bytes(bytes: &[u8], dtype: &Datatype) -> hdf5_reader::error::Result<Self> {
        let number = match dtype {
            Datatype::FixedPoint { size, signed, byte_order } => bits(bytes, *size, *byte_order).map(|bits| {
                // The sign is in the highest bit of as many bytes as there are.
                let unused = 64 - 8 * u32::from(*size);
                if *signed {
                    ((bits << unused) as i64 >> unused) as f64
                } else {
                    bits as f64
                }
            }),
            Datatype::FloatingPoint { size: 2, byte_order } => bits(bytes, 2, *byte_order).map(|bits| half(bits as u16)),
            Datatype::FloatingPoint { size: 4, byte_order } => {
                bits(bytes, 4, *byte_order).map(|bits| f64::from(f32::from_bits(bits as u32)))
            }
            Datatype::FloatingPoint { size: 8, byte_order } => bits(bytes, 8, *byte_order).map(f64::from_bits),
            Datatype::Enum { base, .. } => return Self::from_bytes(bytes, base),
            _ => None,
        };
        number.map(Number).ok_or_else(|| hdf5_reader::error::Error::TypeMismatch {
            expected: "numbers of at most 64 bits".into(),
            actual: format!("{dtype:?}").chars().take(60).collect(),
        })
    }
}

/// Up to eight bytes as a number without sign.
fn bits(bytes: &[u8], size: u8, order: ByteOrder) -> Option<u64> {
    let size = usize::from(size);
    if size == 0 || size > 8 {
        return None;
    }
    let bytes = bytes.get(..size)?;
    let mut word = [0; 8];
    match order {
        ByteOrder::LittleEndian => word[..size].copy_from_slice(bytes),
        ByteOrder::BigEndian => word[..size].iter_mut().zip(bytes.iter().rev()).for_each(|(to, &from)| *to = from),
    }
    Some(u64::from_le_bytes(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_arrive_as_f64() {
        use ByteOrder::{BigEndian, LittleEndian};
        let fixed = |size, signed, byte_order| Datatype::FixedPoint { size, signed, byte_order };
        let float = |size, byte_order| Datatype::FloatingPoint { size, byte_order };
        let cases: [(Datatype, &[u8], f64); 10] = [
            // One, the largest and the smallest float of 16 bits.
            (float(2, LittleEndian), &[0x00, 0x3c], 1.0),
            (float(2, BigEndian), &[0xfb, 0xff], -65504.0),
            (float(2, LittleEndian), &[0x01, 0x00], 5.960464477539063e-8),
            (fixed(1, false, LittleEndian), &[255], 255.0),
            (fixed(1, true, LittleEndian), &[255], -1.0),
            (fixed(2, true, BigEndian), &[0xff, 0xfe], -2.0),
            (fixed(4, false, LittleEndian), &[1, 1, 0, 0], 257.0),
            (fixed(8, true, LittleEndian), &(-5_i64).to_le_bytes(), -5.0),
            (float(4, BigEndian), &0.5_f32.to_be_bytes(), 0.5),
            (float(8, LittleEndian), &0.1_f64.to_le_bytes(), 0.1),
        ];
        for (dtype, bytes, expected) in cases {
            assert_eq!(Number::from_bytes(bytes, &dtype).unwrap().0, expected, "{dtype:?}");
            let twice = Number::decode_vec(&[bytes, bytes].concat(), &dtype, 2).unwrap().unwrap();
            assert!(twice.iter().all(|number| number.0 == expected) && twice.len() == 2, "{dtype:?}");
            assert!(Number::decode_vec(bytes, &dtype, 2).is_none());
            assert!(Number::from_bytes(&[], &dtype).is_err());
        }
        assert!(Number::from_bytes(&[0; 16], &fixed(16, false, LittleEndian)).is_err());
    }
}
