//! How the model is asked, as the head of a call says it: params and method.
//!
//! JSON keeps apart what Python keeps apart, but for dates and objects: these are an object with one key that names what
//! it holds.

use serde::ser::{Serialize, SerializeMap, Serializer};
use sluis_mlflow::{CallOptions, ParamValue, Params};

/// The part of a call's head that tells how the model is asked; nothing where it is asked as it was logged.
#[derive(Default, serde::Serialize)]
pub(crate) struct OptionsHead<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<ParamsHead<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_method: Option<&'a str>,
}

impl<'a> OptionsHead<'a> {
    pub(crate) fn of(options: &'a CallOptions) -> Self {
        Self {
            params: options.params.as_ref().map(ParamsHead),
            model_method: options.method.as_deref(),
        }
    }
}

struct ParamsHead<'a>(&'a Params);

impl Serialize for ParamsHead<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = &self.0.0;
        serializer.collect_map(entries.iter().map(|(name, value)| (name, Wire(value))))
    }
}

struct Wire<'a>(&'a ParamValue);

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ParamValue::Null => serializer.serialize_unit(),
            ParamValue::Boolean(value) => serializer.serialize_bool(*value),
            ParamValue::Integer(value) => serializer.serialize_i64(*value),
            ParamValue::Float(value) => serializer.serialize_f64(*value),
            ParamValue::Text(text) => serializer.serialize_str(text),
            ParamValue::List(values) => serializer.collect_seq(values.iter().map(Wire)),
            ParamValue::Date(moment) => tagged(serializer, "date", &moment.date_text()),
            ParamValue::Datetime(moment) => tagged(serializer, "datetime", &moment.datetime_text()),
            ParamValue::Object(entries) => tagged(serializer, "object", &Entries(entries)),
        }
    }
}

struct Entries<'a>(&'a [(String, ParamValue)]);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Wire(value))))
    }
}

fn tagged<S: Serializer>(
    serializer: S,
    tag: &str,
    value: &(impl Serialize + ?Sized),
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, value)?;
    map.end()
}
