//! The plan as text for a person.

use super::report::{
    EnvironmentPlan, ModelPlan, ParamPlan, Plan, ResolvedEnvironment, SchemaPlan, ScoringPlan,
    SignaturePlan,
};
use super::table::{self, printable};

/// The whole plan, ending in a newline.
pub(crate) fn render(plan: &Plan) -> String {
    let mut text = format!("{}\n", printable(&plan.model.name));
    text.push_str(&model(&plan.model));
    if !plan.missing_files.is_empty() {
        text.push_str("\nMISSING: this model cannot be served\n");
        let rows: Vec<_> = plan
            .missing_files
            .iter()
            .map(|file| [file.clone()])
            .collect();
        text.push_str(&table::render(&rows));
    }
    text.push_str("\nSignature\n");
    match &plan.signature {
        Some(signature) => text.push_str(&schemas(signature)),
        None => text.push_str("  none\n"),
    }
    if let Some(example) = &plan.example {
        let size = table::bytes(u64::try_from(example.request_bytes).unwrap_or(u64::MAX));
        text.push_str(&format!(
            "  example: {} ({size})\n",
            printable(&example.source)
        ));
    }
    text.push_str("\nEnvironment\n");
    text.push_str(&environment(&plan.environment));
    text.push_str("\nScoring\n");
    text.push_str(&scoring(&plan.scoring));
    if !plan.warnings.is_empty() {
        text.push_str("\nWarnings\n");
        let warnings = plan.warnings.iter();
        let rows: Vec<_> = warnings
            .map(|warning| row(warning.code, &warning.message))
            .collect();
        text.push_str(&table::render(&rows));
    }
    text
}

fn row(name: &str, value: &str) -> [String; 2] {
    [name.to_owned(), value.to_owned()]
}

fn model(model: &ModelPlan) -> String {
    let flavors =
        model
            .flavors
            .iter()
            .map(|flavor| match (&flavor.version, flavor.name.as_str()) {
                (Some(version), "python_function") => format!("python_function (Python {version})"),
                (Some(version), name) => format!("{name} {version}"),
                (None, name) => name.to_owned(),
            });
    let call = format!("{} of {}", model.predict_fn, model.loader_module);
    let size = format!(
        "{} in {} files",
        table::bytes(model.size_bytes),
        model.files
    );
    let mut rows = vec![
        row("folder", &model.folder),
        row("flavors", &flavors.collect::<Vec<_>>().join(", ")),
        row("calls", &call),
    ];
    let created = model
        .created
        .as_ref()
        .map(|created| format!("{created} UTC"));
    let optional = [
        ("MLflow", &model.mlflow_version),
        ("created", &created),
        ("id", &model.model_uuid),
        ("run", &model.run_id),
    ];
    for (name, value) in optional {
        rows.extend(value.as_ref().map(|value| row(name, value)));
    }
    rows.push(row("size", &size));
    table::render(&rows)
}

fn schemas(signature: &SignaturePlan) -> String {
    let mut text = String::new();
    if signature.from_type_hint {
        text.push_str("  from Python type hints\n");
    }
    text.push_str(&schema("input", signature.inputs.as_ref()));
    text.push_str(&schema("output", signature.outputs.as_ref()));
    text.push_str(&params(&signature.params));
    text
}

fn schema(side: &str, schema: Option<&SchemaPlan>) -> String {
    let Some(schema) = schema else {
        return format!("  {side}: none\n");
    };
    let head = [side, "type", "required"].map(str::to_owned);
    let fields = schema.fields.iter().map(|field| {
        let name = field.name.clone().unwrap_or_else(|| "(unnamed)".to_owned());
        let required = if field.required { "yes" } else { "no" };
        [name, field.ty.clone(), required.to_owned()]
    });
    table::render(&std::iter::once(head).chain(fields).collect::<Vec<_>>())
}

fn params(params: &[ParamPlan]) -> String {
    if params.is_empty() {
        return String::new();
    }
    let head = ["param", "type", "default"].map(str::to_owned);
    let params = params.iter().map(|param| {
        [
            param.name.clone(),
            param.ty.clone(),
            param.default.to_string(),
        ]
    });
    table::render(&std::iter::once(head).chain(params).collect::<Vec<_>>())
}

fn environment(environment: &EnvironmentPlan) -> String {
    let files = match environment.files.is_empty() {
        true => "none".to_owned(),
        false => environment.files.join(", "),
    };
    let asked = environment.python_asked.as_deref().unwrap_or("not said");
    let mut rows = vec![row("files", &files), row("Python asked", asked)];
    match &environment.resolved {
        Some(resolved) => rows.extend(resolved_rows(resolved)),
        None => rows.push(row("packages", "not read by plan")),
    }
    table::render(&rows)
}

fn resolved_rows(resolved: &ResolvedEnvironment) -> Vec<[String; 2]> {
    let interpreter = match (&resolved.interpreter_version, &resolved.interpreter) {
        (Some(version), Some(path)) => format!("{version} ({path})"),
        (Some(version), None) => version.clone(),
        _ => "none found".to_owned(),
    };
    let built = if resolved.built {
        "built already"
    } else {
        "not built yet"
    };
    let mut rows = vec![row("Python used", &interpreter), row("state", built)];
    for package in &resolved.packages {
        rows.push(row("package", &package.requirement));
    }
    for addition in &resolved.additions {
        let added = format!("{} ({})", addition.requirement, addition.reason);
        rows.push(row("added", &added));
    }
    for package in &resolved.conda_packages {
        rows.push(row("conda only", package));
    }
    rows
}

fn scoring(scoring: &ScoringPlan) -> String {
    let batches = if scoring.request_batches { "yes" } else { "no" };
    let path = match scoring.data_path {
        "dense" => "dense block",
        "arrow" => "Arrow",
        _ => "as it came",
    };
    let because = |what: &str, reason: &str| format!("{what}: {reason}");
    table::render(&[
        row("scorer", &because(scoring.scorer, &scoring.reason)),
        row(
            "request batches",
            &because(batches, &scoring.request_batches_reason),
        ),
        row("data path", &because(path, &scoring.data_path_reason)),
    ])
}
