//! Typed tensors under a tensor signature: names, shapes and types must be those declared; nothing is cast.

use super::names::{python_list, shown};
use crate::block::DenseBlock;
use crate::contract::{Contract, Layout, TensorLayout};
use crate::decode::Decoded;
use crate::input::Input;
use crate::refusal::Refusal;

impl Contract {
    /// Enforces a tensor signature on typed tensors, as MLflow does on arrays that came with types. A single tensor fits
    /// a signature without a name, whatever it is called. Tensors that the signature does not name are left out.
    pub fn enforce_tensors(&self, tensors: Vec<(String, DenseBlock)>) -> Decoded {
        let enforced = match &self.layout {
            Layout::Tensor(layout) => unnamed(layout, tensors),
            Layout::Tensors(layouts) => named(layouts, tensors),
            Layout::Columns(_) | Layout::Python(_) => return Decoded::AsItCame,
        };
        enforced.map_or_else(Decoded::Refused, |input| Decoded::Call(input.into()))
    }
}

fn unnamed(
    layout: &TensorLayout,
    mut tensors: Vec<(String, DenseBlock)>,
) -> Result<Input, Refusal> {
    match (tensors.pop(), tensors.len()) {
        (Some((_, block)), 0) => {
            check("", layout, &block)?;
            Ok(Input::Tensor(block))
        }
        (_, others) => Err(Refusal::schema(format!(
            "The signature declares one tensor without a name, but {} came.",
            others + 1
        ))),
    }
}

fn named(
    layouts: &[(String, TensorLayout)],
    mut tensors: Vec<(String, DenseBlock)>,
) -> Result<Input, Refusal> {
    let mut taken = Vec::with_capacity(layouts.len());
    let mut missing = Vec::new();
    for (name, layout) in layouts {
        match tensors.iter().position(|(found, _)| found == name) {
            Some(position) => {
                let (name, block) = tensors.swap_remove(position);
                taken.push((layout, name, block));
            }
            None => missing.push(name.as_str()),
        }
    }
    if !missing.is_empty() {
        let mut message = format!("Model is missing inputs {}.", python_list(&missing));
        if !tensors.is_empty() {
            let extra: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
            let extra = python_list(&extra);
            message.push_str(&format!(" Note that there were extra inputs: {extra}."));
        }
        return Err(Refusal::schema(message));
    }
    for (layout, name, block) in &taken {
        check(name, layout, block)?;
    }
    let tensors = taken.into_iter().map(|(_, name, block)| (name, block));
    Ok(Input::Tensors(tensors.collect()))
}

/// Refuses a tensor of another shape or type than declared.
pub(crate) fn check(name: &str, layout: &TensorLayout, block: &DenseBlock) -> Result<(), Refusal> {
    check_shape(name, layout, &block.shape)?;
    if block.dtype.name() != layout.dtype.name() {
        return Err(Refusal::schema(format!(
            "dtype of input {} does not match expected dtype {}{}",
            block.dtype.name(),
            layout.dtype.name(),
            of(name)
        )));
    }
    Ok(())
}

/// Refuses another rank or extent than declared.
pub(crate) fn check_shape(
    name: &str,
    layout: &TensorLayout,
    shape: &[usize],
) -> Result<(), Refusal> {
    let same_rank = layout.shape.len() == shape.len();
    let mut extents = layout.shape.iter().zip(shape);
    if same_rank && extents.all(|(declared, found)| declared.is_none_or(|extent| extent == *found))
    {
        return Ok(());
    }
    let found = tuple(shape.iter().map(ToString::to_string));
    let declared = layout
        .shape
        .iter()
        .map(|extent| extent.map_or("-1".to_owned(), |extent| extent.to_string()));
    let declared = tuple(declared);
    let mut message = format!("Shape of input {found} does not match expected shape {declared}.");
    if !name.is_empty() {
        message.push_str(&format!(" This is the tensor '{}'.", shown(name)));
    }
    if same_rank {
        let wrong = layout
            .shape
            .iter()
            .zip(shape)
            .position(|(declared, found)| declared.is_some_and(|extent| extent != *found));
        if let Some(axis) = wrong {
            message.push_str(&format!(" The extent of dimension {} differs.", axis + 1));
        }
    } else {
        message.push_str(&format!(
            " It has {} dimension{} instead of {}.",
            shape.len(),
            if shape.len() == 1 { "" } else { "s" },
            layout.shape.len()
        ));
    }
    Err(Refusal::schema(message))
}

fn of(name: &str) -> String {
    if name.is_empty() {
        return String::new();
    }
    format!(", of tensor '{}'", shown(name))
}

/// Extents as Python writes a tuple.
fn tuple(extents: impl Iterator<Item = String>) -> String {
    let extents: Vec<String> = extents.collect();
    let trailing = if extents.len() == 1 { "," } else { "" };
    format!("({}{trailing})", extents.join(", "))
}
