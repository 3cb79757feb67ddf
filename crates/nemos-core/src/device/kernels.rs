//! The product in full single precision, as a kernel that runs on every graphics card.
//!
//! burn multiplies on tensor cores where a card has them, with factors rounded to eleven bits, and gives each tile of a result
//! to one block of threads, however long its sums are. This kernel rounds nothing but the sums themselves, and cuts long sums
//! into parts that run side by side.
//!
//! A block of 256 threads computes a tile of `64·rows × 64·columns`, each thread `4·rows × 4·columns` numbers of it in registers.
//! Slices of both factors, `depth` terms long, pass through shared memory; the next slice is fetched while the last one is multiplied.

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeRuntime, kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype};
use cubecl::prelude::*;

/// Size of the tile of a block of threads, in units of 64 rows and columns, and the terms that it takes at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Rows of the result, divided by 64.
    pub(crate) rows: usize,
    /// Columns of the result, divided by 64.
    pub(crate) columns: usize,
    /// Terms at a time: a multiple of 16, or of 8 where rows and columns are 2.
    pub(crate) depth: usize,
}

/// How the first factor lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// `left · right`.
    AsIs,
    /// `leftᵀ · right`: sums over rows.
    Transposed,
}

impl Tile {
    /// Fewer, larger tiles read less; what they hold beyond the result is computed for nothing.
    fn covering(n_rows: usize, n_columns: usize) -> Self {
        let doubled = |n: usize| n.next_multiple_of(128) * 7 <= n.next_multiple_of(64) * 8;
        let of = |n: usize| if doubled(n) { 2 } else { 1 };
        let (rows, columns) = (of(n_rows), of(n_columns));
        let depth = if rows == 2 && columns == 2 { 8 } else { 16 };
        Tile { rows, columns, depth }
    }
}

pub(super) const THREADS: usize = 256;

type Four = Vector<f32, Const<4>>;

/// Four numbers that follow each other in a row; zero outside.
#[cube]
fn across<N: Size>(
    from: &Tensor<Vector<f32, N>>,
    row: usize,
    column: usize,
    end_row: usize,
    n_columns: usize,
    #[comptime] vectors: bool,
) -> Four {
    let stride = from.stride(0);
    let mut four = Four::new(0.0f32);
    if vectors {
        if row < end_row && column < n_columns {
            four = Vector::cast_from(from[(row * stride + column) / 4]);
        }
    } else {
        #[unroll]
        for i in 0..4usize {
            if row < end_row && column + i < n_columns {
                let one = from[row * stride + column + i];
                four[i] = one[0];
            }
        }
    }
    four
}

/// Four numbers below each other in a column; zero outside.
#[cube]
fn down<N: Size>(from: &Tensor<Vector<f32, N>>, row: usize, column: usize, n_rows: usize, end_column: usize) -> Four {
    let stride = from.stride(0);
    let mut four = Four::new(0.0f32);
    #[unroll]
    for i in 0..4usize {
        if row + i < n_rows && column < end_column {
            let one = from[(row + i) * stride + column];
            four[i] = one[0];
        }
    }
    four
}

/// `out[part] = left · right`, or `leftᵀ · right`, over the terms of each part. Cubes are numbered by part, then by tile of rows,
/// then by tile of columns; those past the last find no row that is theirs.
#[cube(launch_unchecked, address_type = "dynamic")]
fn product_of_tiles<NL: Size, NR: Size, NO: Size>(
    left: &Tensor<Vector<f32, NL>>,
    right: &Tensor<Vector<f32, NR>>,
    out: &mut Tensor<Vector<f32, NO>>,
    terms_of_part: u32,
    #[comptime] transposed: bool,
    #[comptime] rows: usize,
    #[comptime] columns: usize,
    #[comptime] depth: usize,
    #[comptime] left_vectors: bool,
    #[comptime] right_vectors: bool,
    #[comptime] out_vectors: bool,
) {
    let n_rows = out.shape(1);
    let n_columns = out.shape(2);
    let n_terms = right.shape(0);

    // Sizes in groups of four numbers.
    let right_slice = comptime!(depth * columns * 16);
    let left_fetches = comptime!(depth * rows * 16 / THREADS);
    let right_fetches = comptime!(right_slice / THREADS);
    // Units that turn columns into rows write one below the other: a gap keeps them off each other's memory banks.
    let left_stride = comptime!(if transposed { rows * 16 } else { rows * 16 + 1 });
    let left_slice = comptime!(depth * left_stride);
    let n_held = comptime!(4 * rows * columns);

    let unit = UNIT_POS as usize;
    let across_tile = unit % 16;
    let down_tile = unit / 16;
    let cube = CUBE_POS_Y as usize * CUBE_COUNT_X as usize + CUBE_POS_X as usize;
    let row_tiles = n_rows.div_ceil(comptime!(64 * rows));
    let column_tiles = n_columns.div_ceil(comptime!(64 * columns));
    let part = cube / (row_tiles * column_tiles);
    let tile = cube % (row_tiles * column_tiles);
    let first_row = tile / column_tiles * comptime!(64 * rows);
    let first_column = tile % column_tiles * comptime!(64 * columns);
    let first_term = clamp_max(part * terms_of_part as usize, n_terms);
    let end_term = clamp_max(first_term + terms_of_part as usize, n_terms);

    // Two slices of each factor: one is multiplied while the other is filled.
    let mut left_shared = SharedMemory::<Four>::new(comptime!(2 * left_slice));
    let mut right_shared = SharedMemory::<Four>::new(comptime!(2 * right_slice));
    let mut left_ahead = Array::<Four>::new(left_fetches);
    let mut right_ahead = Array::<Four>::new(right_fetches);
    let mut held = Array::<Four>::new(n_held);
    #[unroll]
    for i in 0..n_held {
        held[i] = Four::new(0.0f32);
    }

    let n_slices = (end_term - first_term).div_ceil(depth);
    // One more round than slices: round s fetches slice s and multiplies slice s - 1.
    for round in 0..n_slices + 1 {
        let filled = round % 2;
        if round < n_slices {
            let term = first_term + round * depth;
            #[unroll]
            for fetch in 0..left_fetches {
                let at = comptime!(fetch * THREADS) + unit;
                if transposed {
                    let (k, i) = (at / comptime!(rows * 16), at % comptime!(rows * 16));
                    left_ahead[fetch] = across::<NL>(left, term + k, first_row + 4 * i, end_term, n_rows, left_vectors);
                } else {
                    let (k, i) = (at % depth, at / depth);
                    left_ahead[fetch] = down::<NL>(left, first_row + 4 * i, term + k, n_rows, end_term);
                }
            }
            #[unroll]
            for fetch in 0..right_fetches {
                let at = comptime!(fetch * THREADS) + unit;
                let (k, j) = (at / comptime!(columns * 16), at % comptime!(columns * 16));
                right_ahead[fetch] = across::<NR>(right, term + k, first_column + 4 * j, end_term, n_columns, right_vectors);
            }
        }
        if round > 0 {
            let left_start = (1 - filled) * left_slice + down_tile;
            let right_start = (1 - filled) * right_slice + across_tile;
            #[unroll]
            for k in 0..depth {
                let mut l = Array::<Four>::new(rows);
                let mut r = Array::<Four>::new(columns);
                #[unroll]
                for i in 0..rows {
                    l[i] = left_shared[left_start + comptime!(k * left_stride + i * 16)];
                }
                #[unroll]
                for j in 0..columns {
                    r[j] = right_shared[right_start + comptime!(k * columns * 16 + j * 16)];
                }
                #[unroll]
                for i in 0..rows {
                    let four = l[i];
                    #[unroll]
                    for e in 0..4usize {
                        #[unroll]
                        for j in 0..columns {
                            let at = comptime!((4 * i + e) * columns + j);
                            held[at] = fma(Four::new(four[e]), r[j], held[at]);
                        }
                    }
                }
            }
        }
        if round < n_slices {
            #[unroll]
            for fetch in 0..left_fetches {
                let at = comptime!(fetch * THREADS) + unit;
                if transposed {
                    left_shared[filled * left_slice + at] = left_ahead[fetch];
                } else {
                    left_shared[filled * left_slice + (at % depth) * left_stride + at / depth] = left_ahead[fetch];
                }
            }
            #[unroll]
            for fetch in 0..right_fetches {
                right_shared[filled * right_slice + comptime!(fetch * THREADS) + unit] = right_ahead[fetch];
            }
        }
        sync_cube();
    }

    #[unroll]
    for i in 0..rows {
        #[unroll]
        for e in 0..4usize {
            let row = first_row + comptime!(64 * i + e) + 4 * down_tile;
            if row < n_rows && part < out.shape(0) {
                #[unroll]
                for j in 0..columns {
                    let column = first_column + comptime!(64 * j) + 4 * across_tile;
                    let four = held[comptime!((4 * i + e) * columns + j)];
                    let at = part * out.stride(0) + row * out.stride(1) + column;
                    if out_vectors {
                        if column < n_columns {
                            out[at / 4] = Vector::cast_from(four);
                        }
                    } else {
                        #[unroll]
                        for c in 0..4usize {
                            if column + c < n_columns {
                                out[at + c] = Vector::cast_from(four[c]);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `[n_parts, n_rows, n_columns]`: `left · right`, or `leftᵀ · right`, in parts of at most `terms_of_part` terms.
///
/// # Shapes
/// `left`: `[n_rows, n_terms]`, or `[n_terms, n_rows]` where it is transposed; `right`: `[n_terms, n_columns]`. None is empty.
pub(crate) fn product<R: CubeRuntime>(left: CubeTensor<R>, right: CubeTensor<R>, how: Left, terms_of_part: usize) -> CubeTensor<R> {
    let n_rows = left.meta.shape()[if how == Left::Transposed { 1 } else { 0 }];
    let tile = Tile::covering(n_rows, right.meta.shape()[1]);
    product_in_tiles(left, right, how, terms_of_part, tile)
}

/// [`product`] with tiles of this size.
pub(crate) fn product_in_tiles<R: CubeRuntime>(
    left: CubeTensor<R>,
    right: CubeTensor<R>,
    how: Left,
    terms_of_part: usize,
    tile: Tile,
) -> CubeTensor<R> {
    let [left_rows, left_columns] = [left.meta.shape()[0], left.meta.shape()[1]];
    let [n_terms, n_columns] = [right.meta.shape()[0], right.meta.shape()[1]];
    let n_rows = if how == Left::Transposed { left_columns } else { left_rows };
    let n_parts = n_terms.div_ceil(terms_of_part);
    let cubes = n_parts * n_rows.div_ceil(64 * tile.rows) * n_columns.div_ceil(64 * tile.columns);
    let client = left.client.clone();
    let (left, right) = (rows_in_a_row(left), rows_in_a_row(right));
    let out = empty_device_contiguous_dtype(client.clone(), left.device.clone(), [n_parts, n_rows, n_columns].into(), left.dtype);
    let by_four = |tensor: &CubeTensor<R>| {
        let rank = tensor.meta.shape().len();
        tensor.meta.shape()[rank - 1].is_multiple_of(4) && tensor.meta.strides()[..rank - 1].iter().all(|stride| stride.is_multiple_of(4))
    };
    let left_vectors = how == Left::Transposed && by_four(&left);
    let (right_vectors, out_vectors) = (by_four(&right), by_four(&out));
    let size = |vectors: bool| if vectors { 4 } else { 1 };
    let addresses = left
        .required_address_type()
        .max(right.required_address_type())
        .max(out.required_address_type());
    // SAFETY: the kernel guards every index by the shapes of the tensors, and its loops end.
    #[expect(unsafe_code, reason = "bounds are guarded in the kernel; a second check would halve its speed")]
    unsafe {
        product_of_tiles::launch_unchecked::<R>(
            &client,
            grid(&client, cubes),
            CubeDim::new_1d(THREADS as u32),
            addresses,
            size(left_vectors),
            size(right_vectors),
            size(out_vectors),
            left.into_tensor_arg(),
            right.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            terms_of_part.min(n_terms) as u32,
            how == Left::Transposed,
            tile.rows,
            tile.columns,
            tile.depth,
            left_vectors,
            right_vectors,
            out_vectors,
        );
    }
    out
}

/// `out[part] = Σ` over the rows of each part, compensated, one column to a unit. Cubes are numbered by part, then by columns.
#[cube(launch_unchecked, address_type = "dynamic")]
fn sums_of_parts(from: &Tensor<f32>, out: &mut Tensor<f32>, rows_of_part: u32) {
    let cube = CUBE_POS_Y as usize * CUBE_COUNT_X as usize + CUBE_POS_X as usize;
    let n_columns = out.shape(1);
    let groups = n_columns.div_ceil(CUBE_DIM_X as usize);
    let part = cube / groups;
    let column = cube % groups * CUBE_DIM_X as usize + UNIT_POS_X as usize;
    if column < n_columns && part < out.shape(0) {
        let first = part * rows_of_part as usize;
        let end = clamp_max(first + rows_of_part as usize, from.shape(0));
        // Short sums first, since compilers of shaders may simplify the compensation away.
        // Kahan (1965): what an addition rounds away is taken off the next number.
        let mut sum = 0.0f32;
        let mut excess = 0.0f32;
        for short in 0..(end - first).div_ceil(32usize) {
            let start = first + short * 32;
            let mut next = 0.0f32 - excess;
            for row in start..clamp_max(start + 32, end) {
                next += from[row * from.stride(0) + column];
            }
            let raised = sum + next;
            excess = (raised - sum) - next;
            sum = raised;
        }
        out[part * out.stride(0) + column] = sum;
    }
}

/// `[n_parts, n_columns]`: sums over the rows of each part.
///
/// # Shapes
/// `values`: `[n_rows, n_columns]`, not empty.
pub(crate) fn sums<R: CubeRuntime>(values: CubeTensor<R>, rows_of_part: usize) -> CubeTensor<R> {
    let [n_rows, n_columns] = [values.meta.shape()[0], values.meta.shape()[1]];
    let n_parts = n_rows.div_ceil(rows_of_part);
    let units = n_columns.next_multiple_of(32).min(THREADS);
    let client = values.client.clone();
    let values = rows_in_a_row(values);
    let out = empty_device_contiguous_dtype(client.clone(), values.device.clone(), [n_parts, n_columns].into(), values.dtype);
    let addresses = values.required_address_type().max(out.required_address_type());
    // SAFETY: the kernel guards every index by the shapes of the tensors, and its loop ends.
    #[expect(unsafe_code, reason = "bounds are guarded in the kernel")]
    unsafe {
        sums_of_parts::launch_unchecked::<R>(
            &client,
            grid(&client, n_parts * n_columns.div_ceil(units)),
            CubeDim::new_1d(units as u32),
            addresses,
            values.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            rows_of_part.min(n_rows) as u32,
        );
    }
    out
}

/// At least this many cubes, in two dimensions where one does not hold them.
pub(super) fn grid<R: CubeRuntime>(client: &ComputeClient<R>, cubes: usize) -> CubeCount {
    let across = cubes.min(client.properties().hardware.max_cube_count.0 as usize).max(1);
    CubeCount::Static(across as u32, cubes.div_ceil(across) as u32, 1)
}

/// The same tensor with numbers of a row next to each other; rows may be padded.
pub(super) fn rows_in_a_row<R: CubeRuntime>(tensor: CubeTensor<R>) -> CubeTensor<R> {
    if tensor.meta.strides()[1] == 1 {
        tensor
    } else {
        into_contiguous(tensor)
    }
}
