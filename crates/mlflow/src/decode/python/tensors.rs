//! `inputs` and `instances` under a tensor signature: one numpy array, or several by name.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Stop;
use super::envelope::{Envelope, Form};
use super::finish::Enforced;
use super::nested::{Nested, Shaped, shaped};
use crate::block::{DType, DenseBlock};
use crate::cast::{self, Item, Losses};
use crate::contract::{Contract, Strictness, TensorLayout};
use crate::enforce::{check_shape, python_list, shown};
use crate::input::Input;
use crate::json::Value;
use crate::lossy::Lossy;
use crate::refusal::Refusal;

/// A cast array.
struct Array {
    block: DenseBlock,
    losses: Losses,
}

impl Contract {
    /// A payload under the signature of one tensor without a name.
    pub(super) fn under_tensor(
        &self,
        layout: &TensorLayout,
        envelope: &Envelope<'_>,
    ) -> Result<Enforced, Stop> {
        let value = envelope.data;
        match envelope.form {
            Form::Split | Form::Records => return self.tensor_frame(layout, envelope),
            Form::Inputs | Form::Instances => {}
        }
        if value.is_object() || value.is_null() {
            return Err(super::inputs::unnamed(value.python_class()).into());
        }
        let first_is_object = value.items().next().is_some_and(Value::is_object);
        let objects = value.is_list() && value.items().all(Value::is_object);
        if objects || (envelope.form == Form::Instances && first_is_object) {
            return Err(not_an_array(value, objects));
        }
        let array = self.array("The list", value, layout.dtype)?;
        check_shape("", layout, &array.block.shape)?;
        self.done(vec![(String::new(), array)], |mut tensors| {
            tensors.pop().map(|(_, block)| Input::Tensor(block))
        })
    }

    /// A payload under a signature of named tensors.
    pub(super) fn under_tensors(
        &self,
        layouts: &[(String, TensorLayout)],
        envelope: &Envelope<'_>,
    ) -> Result<Enforced, Stop> {
        let value = envelope.data;
        if matches!(envelope.form, Form::Split | Form::Records) {
            return Err(Stop::Undecided);
        }
        let entries = if value.is_object() {
            self.by_name(layouts, value)?
        } else {
            let objects = value.items().filter(|item| item.is_object()).count();
            let count = value.items().len();
            let gathered = envelope.form == Form::Instances
                && value.items().next().is_some_and(Value::is_object);
            match layouts {
                _ if gathered && objects == count => self.stacked(layouts, value)?,
                _ if gathered => return Err(Refusal::parse("Invalid input. Every element of 'instances' must be an object where the first one is.").into()),
                [(name, layout)] if value.is_list() && objects == 0 => {
                    vec![(name.clone(), Some(self.array(&quoted(name), value, layout.dtype)?))]
                }
                _ if value.is_list() && objects == count => self.rows(layouts, value)?,
                [(name, layout), rest @ ..] => {
                    let array = self.array("The value", value, layout.dtype)?;
                    if rest.is_empty() { vec![(name.clone(), Some(array))] } else { Vec::new() }
                }
                [] => return Err(Stop::Undecided),
            }
        };
        if envelope.form == Form::Instances {
            equal_lengths(&entries)?;
        }
        self.named(layouts, entries)
    }

    fn named(
        &self,
        layouts: &[(String, TensorLayout)],
        mut entries: Vec<(String, Option<Array>)>,
    ) -> Result<Enforced, Stop> {
        let is_there = |name: &str| entries.iter().any(|(found, _)| found == name);
        let missing: Vec<&str> = layouts
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !is_there(name))
            .collect();
        let is_known = |name: &str| layouts.iter().any(|(known, _)| known == name);
        let extra: Vec<String> = entries
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| !is_known(name))
            .collect();
        let extra: Vec<&str> = extra.iter().map(String::as_str).collect();
        if !missing.is_empty() {
            let mut message = format!("Model is missing inputs {}.", python_list(&missing));
            if !extra.is_empty() {
                message.push_str(&format!(
                    " Note that there were extra inputs: {}.",
                    python_list(&extra)
                ));
            }
            return Err(Refusal::schema(message).into());
        }
        if self.strictness == Strictness::Strict && !extra.is_empty() {
            return Err(Refusal::schema(format!(
                "The signature does not name these tensors: {}. Strict checking refuses what would be left out.",
                python_list(&extra)
            ))
            .into());
        }
        let mut ordered = Vec::with_capacity(layouts.len());
        for (name, layout) in layouts {
            let position = entries
                .iter()
                .position(|(found, _)| found == name)
                .ok_or(Stop::Undecided)?;
            let array = entries.swap_remove(position).1.ok_or(Stop::Undecided)?;
            check_shape(name, layout, &array.block.shape)?;
            ordered.push((name.clone(), array));
        }
        self.done(ordered, |tensors| Some(Input::Tensors(tensors)))
    }

    /// The arrays of an object; those that the signature does not name have no block.
    fn by_name(
        &self,
        layouts: &[(String, TensorLayout)],
        value: Value<'_>,
    ) -> Result<Vec<(String, Option<Array>)>, Stop> {
        let mut entries = Vec::new();
        for (key, value) in value.members() {
            let layout = layouts.iter().find(|(name, _)| *name == key);
            let array = match layout {
                Some((name, layout)) => Some(self.array(&quoted(name), value, layout.dtype)?),
                None => match shaped(value)? {
                    Shaped::Array(_) => None,
                    Shaped::Ragged(dimension) => {
                        return Err(super::inputs::ragged(&quoted(&key), dimension).into());
                    }
                },
            };
            entries.push((key.into_owned(), array));
        }
        Ok(entries)
    }

    /// The arrays of a list of objects, one element of each array per object.
    fn stacked(
        &self,
        layouts: &[(String, TensorLayout)],
        value: Value<'_>,
    ) -> Result<Vec<(String, Option<Array>)>, Stop> {
        let mut columns: Vec<(String, Vec<Value<'_>>)> = Vec::new();
        let mut positions: HashMap<Cow<'_, str>, usize> = HashMap::new();
        for object in value.items() {
            for (key, value) in object.members() {
                let position = *positions.entry(key).or_insert_with_key(|key| {
                    columns.push((key.to_string(), Vec::new()));
                    columns.len() - 1
                });
                columns[position].1.push(value);
            }
        }
        let mut entries = Vec::with_capacity(columns.len());
        for (name, values) in columns {
            let (mut shape, mut items): (Option<Vec<usize>>, Vec<Item<'_>>) = (None, Vec::new());
            for value in &values {
                let Shaped::Array(nested) = shaped(*value)? else {
                    return Err(super::inputs::ragged(&quoted(&name), 1).into());
                };
                if shape.as_ref().is_some_and(|shape| *shape != nested.shape) {
                    return Err(super::inputs::ragged(&quoted(&name), 1).into());
                }
                shape = Some(nested.shape);
                items.extend(nested.items);
            }
            let shape = std::iter::once(values.len())
                .chain(shape.unwrap_or_default())
                .collect();
            let layout = layouts.iter().find(|(known, _)| *known == name);
            let array = match layout {
                Some((_, layout)) => {
                    Some(self.cast_array(&quoted(&name), Nested { shape, items }, layout.dtype)?)
                }
                None => None,
            };
            entries.push((name, array));
        }
        Ok(entries)
    }

    /// A list of objects under `inputs` stays a list, in which no name is found; its values are cast all the same.
    fn rows(
        &self,
        layouts: &[(String, TensorLayout)],
        value: Value<'_>,
    ) -> Result<Vec<(String, Option<Array>)>, Stop> {
        for object in value.items() {
            self.by_name(layouts, object)?;
        }
        Ok(Vec::new())
    }

    fn array(&self, what: &str, value: Value<'_>, dtype: DType) -> Result<Array, Stop> {
        match shaped(value)? {
            Shaped::Array(nested) => self.cast_array(what, nested, dtype),
            Shaped::Ragged(dimension) => Err(super::inputs::ragged(what, dimension).into()),
        }
    }

    fn cast_array(&self, what: &str, nested: Nested<'_>, dtype: DType) -> Result<Array, Stop> {
        let (dtype, bytes, losses) = cast::elements(&nested.items, dtype, &self.versions).map_err(|stop| match stop {
            cast::Stop::Undecided => Stop::Undecided,
            cast::Stop::Faults(faults) => {
                let listed: Vec<String> = faults
                    .listed
                    .iter()
                    .map(|(at, found)| format!("{} ({found})", place(*at, &nested.shape)))
                    .collect();
                Stop::Refused(Refusal::parse(format!(
                    "Invalid input. {what} is declared as a tensor of {}, which cannot be made of {} of its values, such as: {}.",
                    dtype.name(),
                    faults.count,
                    listed.join(", ")
                )))
            }
        })?;
        let block = DenseBlock::new(dtype, nested.shape, bytes).map_err(|_| Stop::Undecided)?;
        Ok(Array { block, losses })
    }

    fn done(
        &self,
        arrays: Vec<(String, Array)>,
        input: impl FnOnce(Vec<(String, DenseBlock)>) -> Option<Input>,
    ) -> Result<Enforced, Stop> {
        if self.strictness == Strictness::Strict {
            let lost: Vec<String> = arrays
                .iter()
                .flat_map(|(name, array)| {
                    array.losses.0.iter().map(move |loss| (name, array, loss))
                })
                .take(10)
                .map(|(name, array, (loss, count, first))| {
                    let what = if name.is_empty() {
                        "the tensor".to_owned()
                    } else {
                        quoted(name)
                    };
                    format!(
                        "In {what}: {} at {count} places, first at {}.",
                        loss.words(),
                        place(*first, &array.block.shape)
                    )
                })
                .collect();
            if !lost.is_empty() {
                return Err(Refusal::schema(format!(
                    "Strict checking refuses values that fit the signature only by a lossy or surprising cast. {}",
                    lost.join(" ")
                ))
                .into());
            }
        }
        let (mut losses, mut tensors) = (Vec::new(), Vec::with_capacity(arrays.len()));
        for (name, array) in arrays {
            losses.extend(array.losses.0.iter().map(|(cast, count, _)| Lossy {
                name: shown(&name),
                cast: *cast,
                count: *count,
            }));
            tensors.push((name, array.block));
        }
        Ok(Enforced {
            input: input(tensors).ok_or(Stop::Undecided)?,
            losses,
        })
    }
}

fn quoted(name: &str) -> String {
    format!("'{}'", shown(name))
}

/// Where the value of a flat position lies, counted from 0.
fn place(mut at: usize, shape: &[usize]) -> String {
    let mut indices = vec![0; shape.len()];
    for (index, extent) in indices.iter_mut().zip(shape).rev() {
        *index = at % (*extent).max(1);
        at /= (*extent).max(1);
    }
    let indices: Vec<String> = indices.iter().map(ToString::to_string).collect();
    format!("[{}]", indices.join(", "))
}

/// The refusal of objects where one array is declared; lists in them may fail before.
fn not_an_array(value: Value<'_>, objects: bool) -> Stop {
    let plain = objects
        && value
            .items()
            .all(|object| object.members().iter().all(|(_, value)| !value.is_list()));
    if !plain {
        return Stop::Undecided;
    }
    let class = if value.items().len() == 0 {
        "list"
    } else {
        "dict"
    };
    Stop::Refused(Refusal::schema(format!(
        "This model contains a tensor-based model signature with no input names, which suggests a numpy array input or a \
         pandas dataframe input with proper column values, but an input of type <class '{class}'> was found."
    )))
}

/// `instances` needs one length for all tensors.
fn equal_lengths(entries: &[(String, Option<Array>)]) -> Result<(), Stop> {
    let mut arrays = entries
        .iter()
        .filter_map(|(name, array)| array.as_ref().map(|array| (name, array)));
    let Some((first, array)) = arrays.next() else {
        return Ok(());
    };
    let length = |array: &Array| array.block.shape.first().copied();
    let expected = length(array);
    let others: Vec<_> = arrays.collect();
    let single = others.is_empty();
    let odd = others
        .into_iter()
        .find(|(_, array)| length(array).is_none() || length(array) != expected);
    match (expected, odd) {
        (Some(_), None) => Ok(()),
        (None, None) if single => Err(Refusal::parse(format!(
            "Invalid input. {} needs a list of values.",
            quoted(first)
        ))
        .into()),
        (_, odd) => {
            let other = odd.map_or(String::new(), |(name, _)| {
                format!(" Compare {} and {}.", quoted(first), quoted(name))
            });
            Err(Refusal::parse(format!("Invalid input. The length of values for each input/column name are not the same.{other}")).into())
        }
    }
}
