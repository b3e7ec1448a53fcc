//! Tensors from nested JSON lists of the declared rank.
//!
//! A list that is ragged, of another rank or extent, or holds a value that needs a cast goes to Python.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use sonic_rs::LazyValue;

use super::cell::{Cell, CellSeed, into_bytes};
use super::frame::read;
use super::numbers::{self, Float};
use crate::block::{DType, DenseBlock};
use crate::contract::TensorLayout;
use crate::input::Input;

/// The tensor of a nested list.
pub(crate) fn from_list(layout: &TensorLayout, value: &LazyValue<'_>) -> Option<DenseBlock> {
    let json = value.as_raw_str();
    match layout.dtype {
        DType::Bool => typed::<bool>(layout, json),
        DType::Int8 => typed::<i8>(layout, json),
        DType::Int16 => typed::<i16>(layout, json),
        DType::Int32 => typed::<i32>(layout, json),
        DType::Int64 => typed::<i64>(layout, json),
        DType::UInt8 => typed::<u8>(layout, json),
        DType::UInt16 => typed::<u16>(layout, json),
        DType::UInt32 => typed::<u32>(layout, json),
        DType::UInt64 => typed::<u64>(layout, json),
        DType::Float32 => plain::<f32>(layout, json).or_else(|| typed::<f32>(layout, json)),
        DType::Text(_) => None,
        DType::Float64 => plain::<f64>(layout, json).or_else(|| typed::<f64>(layout, json)),
    }
}

/// The named tensors of an object that holds each of them once and nothing else.
pub(crate) fn from_object(
    layouts: &[(String, TensorLayout)],
    value: &LazyValue<'_>,
) -> Option<Input> {
    let mut blocks: Vec<Option<DenseBlock>> = vec![None; layouts.len()];
    for entry in sonic_rs::to_object_iter(value.as_raw_str()) {
        let (key, value) = entry.ok()?;
        let index = layouts.iter().position(|(name, _)| *name == key)?;
        if blocks[index].is_some() {
            return None;
        }
        blocks[index] = Some(from_list(&layouts[index].1, &value)?);
    }
    let names = layouts.iter().map(|(name, _)| name.clone());
    let blocks = blocks.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Input::Tensors(names.zip(blocks).collect()))
}

/// Plain numbers, the straightest way; `None` for all else.
fn plain<T: Float>(layout: &TensorLayout, json: &str) -> Option<DenseBlock> {
    let mut extents = vec![None; layout.shape.len()];
    let values = numbers::nested::<T>(json.as_bytes(), &mut extents)?;
    block(layout, extents, values)
}

fn typed<T: Cell>(layout: &TensorLayout, json: &str) -> Option<DenseBlock> {
    let mut tensor = Nested::<T> {
        values: Vec::new(),
        extents: vec![None; layout.shape.len()],
    };
    read(
        json,
        Level {
            tensor: &mut tensor,
            depth: 0,
        },
    )?;
    block(layout, tensor.extents, tensor.values)
}

/// The block of these cells, when their extents are those declared.
pub(crate) fn block<T: Cell>(
    layout: &TensorLayout,
    extents: Vec<Option<usize>>,
    cells: Vec<T>,
) -> Option<DenseBlock> {
    let shape = extents.into_iter().collect::<Option<Vec<usize>>>()?;
    let fits = layout
        .shape
        .iter()
        .zip(&shape)
        .all(|(declared, found)| declared.is_none_or(|extent| extent == *found));
    if !fits || shape.contains(&0) {
        return None;
    }
    DenseBlock::new(T::DTYPE, shape, into_bytes(cells)).ok()
}

/// A tensor while it is read: its values, and the extent of each dimension once a list of it has ended.
struct Nested<T> {
    values: Vec<T>,
    extents: Vec<Option<usize>>,
}

struct Level<'t, T> {
    tensor: &'t mut Nested<T>,
    depth: usize,
}

impl<'de, T: Cell> DeserializeSeed<'de> for Level<'_, T> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth == self.tensor.extents.len() {
            let value = CellSeed(PhantomData).deserialize(deserializer)?;
            self.tensor.values.push(value);
            return Ok(());
        }
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Cell> Visitor<'de> for Level<'_, T> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut extent = 0;
        while let Some(()) = list.next_element_seed(Level {
            tensor: &mut *self.tensor,
            depth: self.depth + 1,
        })? {
            extent += 1;
        }
        match self.tensor.extents[self.depth] {
            Some(known) if known != extent => Err(A::Error::custom("a ragged list")),
            _ => {
                self.tensor.extents[self.depth] = Some(extent);
                Ok(())
            }
        }
    }
}
