//! How the chunks of HDF5 files are compressed: what is read, and what is not, by name.

use hdf5_reader::FilterRegistry;
use hdf5_reader::error::Error;

use crate::lzf;

/// The filter that h5py calls `lzf`.
const LZF: u16 = 32000;

/// Filters that are not read, by the numbers that the HDF Group gave them, and what people call them.
const UNREAD: [(u16, &str); 13] = [
    (305, "LZO"),
    (307, "bzip2"),
    (32001, "Blosc"),
    (32004, "LZ4"),
    (32008, "bitshuffle"),
    (32013, "ZFP"),
    (32015, "Zstandard"),
    (32017, "SZ"),
    (32019, "FCIDECOMP"),
    (32023, "Granular BitRound"),
    (32024, "SZ3"),
    (32026, "Blosc2"),
    (32027, "FLAC"),
];

/// Decoders of all filters; no chunk has more than `most` bytes.
pub(crate) fn registry(most: usize) -> FilterRegistry {
    let mut registry = FilterRegistry::new();
    let lzf = move |filter: &hdf5_reader::messages::filter_pipeline::FilterDescription, bytes: &[u8], _size: usize| {
        // Its third number is the length of a chunk, where h5py wrote it.
        let length = filter.client_data.get(2).map_or(most, |&length| most.min(length as usize));
        lzf::decode(bytes, length).ok_or_else(|| Error::InvalidData("its LZF data are damaged".into()))
    };
    registry.register(LZF, Box::new(lzf));
    for (number, name) in UNREAD {
        let unread = move |_: &_, _: &[u8], _: usize| Err(Error::UnsupportedFilter(remedy(name)));
        registry.register(number, Box::new(unread));
    }
    registry
}

fn remedy(name: &str) -> String {
    format!("{name} compression, which is not read; rewrite the file with `h5repack -f GZIP=4 in.nwb out.nwb`")
}
