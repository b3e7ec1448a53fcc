//! A model and its environment put together into a plan.
//!
//! Decides nothing itself: signature, scoring and warnings each have their own file.

use sluis_mlflow::Contract;
use sluis_mlflow::model::{Facts, Model};

use super::report::{
    EnvironmentPlan, ExamplePlan, FORMAT_VERSION, FlavorPlan, ModelPlan, Plan, SignaturePlan,
};
use super::{schema, scorer, warnings};
use crate::native::Prospect;

/// The plan of `model` in `environment`.
pub(crate) fn collect(model: &Model, environment: EnvironmentPlan, prospect: Prospect) -> Plan {
    let facts = model.facts();
    let example = model.example_request().map(|example| ExamplePlan {
        source: example.source,
        request_bytes: example.body.len(),
    });
    let warnings = warnings::collect(model, &facts, &environment, example.is_some());
    Plan {
        format_version: FORMAT_VERSION,
        signature: signature(model),
        example,
        environment,
        scoring: scorer::choose(model, &Contract::compile(model), prospect),
        missing_files: model.missing_files.clone(),
        warnings,
        model: folder(model, facts),
    }
}

fn signature(model: &Model) -> Option<SignaturePlan> {
    let signature = model.signature.as_ref()?;
    Some(SignaturePlan {
        from_type_hint: model.is_signature_from_type_hint,
        inputs: signature.inputs.as_ref().map(schema::plan),
        outputs: signature.outputs.as_ref().map(schema::plan),
        params: schema::params(signature.params.as_deref().unwrap_or_default()),
    })
}

fn folder(model: &Model, facts: Facts) -> ModelPlan {
    let flavors = facts.flavors.into_iter().map(|flavor| FlavorPlan {
        name: flavor.flavor,
        version: flavor.version,
    });
    ModelPlan {
        name: model.name.clone(),
        folder: model.folder.display().to_string(),
        flavors: flavors.collect(),
        loader_module: model.python_function.loader_module.clone(),
        predict_fn: model.python_function.predict_fn.clone(),
        mlflow_version: model.mlflow_version.clone(),
        created: model.utc_time_created.clone(),
        model_uuid: model.model_uuid.clone(),
        run_id: model.run_id.clone(),
        size_bytes: facts.size_bytes,
        files: facts.files,
    }
}
